#include "core/trigger/machine.h"

#include <algorithm>
#include <utility>

namespace skein::trigger {
namespace {

/// One event applied to the state; gathers the effects.
class Turn {
 public:
  Turn(State& state, Instant at) : state_(state) { state_.now = std::max(state_.now, at); }

  void on(const Take& take);
  void on(const Tick&) {}
  void on(const Change& change);
  Effects finish();

  /// What time alone brought, up to now.
  void pass();

 private:
  void hold(const Take& take);
  void close(const std::string& key);
  void close_oldest();
  void begin(Batch batch);
  void delay(Batch batch, Instant at);
  std::deque<Instant>& starts_of(const std::string& rate_key);
  bool remember(const Identity& identity);

  State& state_;
  Effects effects_;
};

std::uint64_t weight_of(const Batch& batch) {
  std::uint64_t weight = 0;
  for (const Value& event : batch.events) {
    weight += event.weight();
  }
  return weight;
}

bool Turn::remember(const Identity& identity) {
  if (!state_.known.insert(identity).second) {
    return false;
  }
  state_.recent.push_back(identity);
  if (state_.recent.size() > kMostRecent) {
    state_.known.erase(state_.recent.front());
    state_.recent.pop_front();
  }
  return true;
}

void Turn::pass() {
  while (!state_.closing.empty() && state_.closing.begin()->first <= state_.now) {
    close(std::string(state_.closing.begin()->second));
  }
  while (!state_.delayed.empty() && state_.delayed.begin()->first.first <= state_.now) {
    Batch batch = std::move(state_.delayed.begin()->second);
    state_.delayed.erase(state_.delayed.begin());
    state_.weight -= weight_of(batch);
    effects_.emplace_back(Start{std::move(batch)});
  }
}

void Turn::on(const Take& take) {
  if (!remember(take.identity)) {
    return;
  }
  if (state_.rules.quiet.count == 0 && state_.rules.size == 0) {
    begin(Batch{take.identity, take.rate_key, {take.event}, 1});
    return;
  }
  hold(take);
}

void Turn::hold(const Take& take) {
  const Rules& rules = state_.rules;
  const auto [place, fresh] = state_.groups.try_emplace(take.key);
  Group& group = place->second;
  if (fresh) {
    group.batch.first = take.identity;
    group.batch.rate_key = take.rate_key;
    group.opened = state_.now;
    group.closes = state_.now + rules.within;
    group.number = ++state_.opened;
  } else {
    state_.closing.erase({group.closes, take.key});
  }
  if (!rules.keep_all) {
    state_.weight -= weight_of(group.batch);
    group.batch.events.clear();
  }
  group.batch.events.push_back(take.event);
  ++group.batch.count;
  state_.weight += take.event.weight();
  if (rules.quiet.count > 0) {
    group.closes = std::min(state_.now + rules.quiet, group.opened + rules.within);
  }
  state_.closing.insert({group.closes, take.key});
  if ((rules.size > 0 && group.batch.count >= rules.size) || group.closes <= state_.now) {
    close(take.key);
  }
  while (state_.groups.size() > kMostGroups ||
         (state_.weight > kMostWeight && !state_.groups.empty())) {
    close_oldest();
  }
}

void Turn::close_oldest() {
  const auto oldest = std::ranges::min_element(
      state_.groups, {}, [](const auto& entry) { return entry.second.number; });
  close(std::string(oldest->first));
}

void Turn::close(const std::string& key) {
  const auto place = state_.groups.find(key);
  Batch batch = std::move(place->second.batch);
  state_.closing.erase({place->second.closes, key});
  state_.groups.erase(place);
  state_.weight -= weight_of(batch);
  begin(std::move(batch));
}

// Those of a key within the time that the rate counts. Keys beyond the limit share one.
std::deque<Instant>& Turn::starts_of(const std::string& rate_key) {
  const auto over = [&](const std::deque<Instant>& starts) {
    return starts.empty() || starts.back() + state_.rules.per <= state_.now;
  };
  if (state_.begun.size() >= kMostRates && !state_.begun.contains(rate_key)) {
    std::erase_if(state_.begun, [&](const auto& entry) { return over(entry.second); });
  }
  const bool room = state_.begun.size() < kMostRates || state_.begun.contains(rate_key);
  auto& starts = state_.begun[room ? rate_key : std::string()];
  while (!starts.empty() && starts.front() + state_.rules.per <= state_.now) {
    starts.pop_front();
  }
  return starts;
}

void Turn::begin(Batch batch) {
  const Rules& rules = state_.rules;
  if (rules.limit == 0) {
    effects_.emplace_back(Start{std::move(batch)});
    return;
  }
  auto& starts = starts_of(batch.rate_key);
  if (starts.size() < rules.limit) {
    starts.push_back(state_.now);
    effects_.emplace_back(Start{std::move(batch)});
  } else if (!rules.delay) {
    effects_.emplace_back(Drop{std::move(batch), "over the rate"});
  } else if (state_.delayed.size() >= kMostDelayed ||
             state_.weight + weight_of(batch) > kMostWeight) {
    effects_.emplace_back(Drop{std::move(batch), "over the rate, and too many wait already"});
  } else {
    const Instant at = starts[starts.size() - rules.limit] + rules.per;
    starts.push_back(at);
    delay(std::move(batch), at);
  }
}

void Turn::delay(Batch batch, Instant at) {
  state_.weight += weight_of(batch);
  state_.delayed.emplace(std::pair{at, ++state_.opened}, std::move(batch));
}

void Turn::on(const Change& change) {
  while (!state_.groups.empty()) {
    close_oldest();
  }
  for (auto& [at, batch] : state_.delayed) {
    effects_.emplace_back(Start{std::move(batch)});
  }
  state_.delayed.clear();
  state_.begun.clear();
  state_.weight = 0;
  state_.rules = change.rules;
}

Effects Turn::finish() {
  std::optional<Instant> next;
  if (!state_.closing.empty()) {
    next = state_.closing.begin()->first;
  }
  if (!state_.delayed.empty()) {
    const Instant begins = state_.delayed.begin()->first.first;
    next = next ? std::min(*next, begins) : begins;
  }
  if (next) {
    effects_.emplace_back(ArmTimer{*next});
  }
  return std::move(effects_);
}

} // namespace

Result<Effects> step(State& state, const Event& event) {
  return std::visit(
      [&](const auto& e) {
        Turn turn(state, e.at);
        turn.pass();
        turn.on(e);
        return turn.finish();
      },
      event);
}

} // namespace skein::trigger
