#include "node/events/keeper.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>

#include "core/event/message.h"
#include "core/value/json.h"

namespace skein::node {
namespace {

constexpr Millis kLook{1'000};
constexpr Millis kTry{5'000};
constexpr Millis kKeep{60'000};
constexpr std::size_t kMostMessages = 10'000;

ContentHash hash_of(const std::vector<AppliedTrigger>& triggers, const EventSettings& settings) {
  std::string all;
  for (const AppliedTrigger& applied : triggers) {
    all += applied.trigger->name + " " + to_string(applied.trigger->revision) +
           (settings.owns(applied.trigger->name) ? " own\n" : "\n");
  }
  return content_hash(all);
}

} // namespace

Keeper::Keeper(Node& node, Broker& broker, const Clock& clock, const EventSettings& settings,
               const Channels& channels, Shared shared)
    : node_(node),
      broker_(broker),
      clock_(clock),
      settings_(settings),
      channels_(channels),
      shared_(shared),
      notes_(broker, channels),
      rules_(broker, channels, shared.starter, shared.letters, shared.counts),
      planner_(broker, channels, settings.owns) {}

Result<void> Keeper::open() {
  const auto kept = notes_.open(settings_.replicas);
  const auto stream = broker_.stream(channels_.events);
  if (!kept || !stream) {
    return kept ? stream.error() : kept.error();
  }
  rules_.reads(stream->created);
  for (const Value& value : *kept) {
    learn(value);
  }
  if (auto looked = look_at_triggers(); !looked) {
    return looked;
  }
  const Instant now = clock_.now();
  next_look_ = now + kLook;
  next_try_ = now;
  next_keep_ = now + kKeep;
  thread_ = std::thread([this] { work(); });
  return {};
}

void Keeper::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Keeper::refresh() {
  std::unique_lock lock(mutex_);
  const std::uint64_t mine = ++wanted_;
  changed_.notify_all();
  changed_.wait(lock, [&] { return closing_ || done_ >= mine; });
}

void Keeper::catch_up() {
  if (seen_.load() != node_.resource_writes()) {
    refresh();
  }
}

void Keeper::work() {
  for (;;) {
    const Instant now = clock_.now();
    wait(now);
    std::uint64_t wanted = 0;
    {
      const std::lock_guard lock(mutex_);
      if (closing_) {
        break;
      }
      wanted = wanted_;
    }
    if (wanted > done_ || tried_ != node_.resource_writes() || clock_.now() >= next_look_) {
      tried_ = node_.resource_writes();
      take_notes();
      if (auto looked = look_at_triggers(); !looked) {
        spdlog::warn("triggers could not be looked at: {}", to_string(looked.error()));
      }
      next_look_ = clock_.now() + kLook;
      if (wanted > done_) { // a flow may have come as well
        next_try_ = clock_.now();
      }
      const std::lock_guard lock(mutex_);
      done_ = wanted;
      changed_.notify_all();
    }
    take_messages();
    fire(clock_.now());
    put_tick(clock_.now());
    if (clock_.now() >= next_try_) {
      try_waiting();
      next_try_ = clock_.now() + kTry;
    }
    if (clock_.now() >= next_keep_) {
      (void)rules_.keep();
      next_keep_ = clock_.now() + kKeep;
    }
  }
  tail_.reset();
  notes_.close();
  (void)rules_.keep();
}

void Keeper::wait(Instant now) {
  Instant until = std::min({now + settings_.look, next_look_, next_try_, next_keep_});
  if (const auto next = planner_.next()) {
    until = std::min(until, std::max(*next, next_fire_));
  }
  if (const auto next = rules_.next_tick()) {
    until = std::min(until, std::max(*next, next_tick_));
  }
  const std::int64_t wait = std::max<std::int64_t>(until.ms - now.ms, 1);
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::milliseconds(wait),
                    [&] { return closing_ || !messages_.empty() || overran_ || wanted_ > done_; });
}

void Keeper::learn(const Value& kept) {
  if (kept.find("schedule") != nullptr) {
    planner_.learn(kept);
  } else {
    rules_.learn(kept);
  }
}

void Keeper::take_notes() {
  for (const Value& value : notes_.take()) {
    learn(value);
  }
}

void Keeper::take_messages() {
  std::deque<Stored> messages;
  bool overran = false;
  {
    const std::lock_guard lock(mutex_);
    messages.swap(messages_);
    overran = overran_;
  }
  for (const Stored& stored : messages) {
    if (stored.sequence > tailed_) {
      tailed_ = stored.sequence;
      rules_.fold(stored);
    }
  }
  if (overran) {
    if (auto reading = read_from(tailed_ + 1); !reading) {
      spdlog::warn("events cannot be read: {}", to_string(reading.error()));
      const std::lock_guard lock(mutex_);
      overran_ = true;
    }
  }
}

// From there on; what is not taken in time is left and read again later.
Result<void> Keeper::read_from(std::optional<std::uint64_t> from) {
  tail_.reset();
  {
    const std::lock_guard lock(mutex_);
    messages_.clear(); // they come again, in order
    overran_ = false;
  }
  if (!from) {
    return {};
  }
  tailed_ = *from - 1;
  auto tail = broker_.tail({channels_.events, "", *from}, [this](Stored&& stored) {
    const std::lock_guard lock(mutex_);
    if (messages_.size() >= kMostMessages) {
      overran_ = true;
    } else if (!overran_) {
      messages_.push_back(std::move(stored));
    }
    changed_.notify_all();
  });
  if (!tail) {
    return tail.error();
  }
  tail_ = std::move(*tail);
  return {};
}

Result<void> Keeper::look_at_triggers() {
  const std::uint64_t writes = node_.resource_writes();
  auto applied = applied_triggers(node_.store());
  if (!applied) {
    return applied.error();
  }
  const ContentHash hash = hash_of(*applied, settings_);
  if (hash == known_) {
    seen_ = writes;
    return {};
  }
  planner_.change(*applied);
  std::vector<trigger::DefinitionPtr> all;
  for (const AppliedTrigger& one : *applied) {
    all.push_back(one.trigger);
  }
  if (auto changed = change_rules(all); !changed) {
    return changed;
  }
  shared_.table.change(std::move(all));
  known_ = hash;
  seen_ = writes;
  next_try_ = clock_.now();
  return {};
}

Result<void> Keeper::change_rules(const std::vector<trigger::DefinitionPtr>& all) {
  const auto state = broker_.stream(channels_.events);
  if (!state) {
    return state.error();
  }
  take_messages(); // under the triggers that were
  std::vector<trigger::DefinitionPtr> own;
  std::set<std::string> elsewhere;
  for (const trigger::DefinitionPtr& trigger : all) {
    if (settings_.owns(trigger->name)) {
      own.push_back(trigger);
    } else if (trigger->event && !trigger->is_plain()) {
      elsewhere.insert(trigger->name);
    }
  }
  if (settings_.anew && known_ == ContentHash()) { // all that there were when it was lost
    for (const trigger::DefinitionPtr& trigger : all) {
      rules_.reads_from_start(trigger->name);
    }
  }
  const auto from =
      rules_.change(trigger::Triggers(std::move(own)), elsewhere, clock_.now(), state->last);
  return from ? read_from(*from) : from.error();
}

void Keeper::fire(Instant now) {
  if (now < next_fire_) {
    return;
  }
  take_notes();             // what another node fired is not due
  next_fire_ = now + kLook; // unless all of them get through
  for (const DueFiring& due : planner_.due(now)) {
    if (!fire_one(due)) {
      return; // it is due until it has begun
    }
    if (auto kept = planner_.fired(*due.trigger, due.nominal); !kept) {
      spdlog::warn("trigger {}: {}", due.trigger->name, to_string(kept.error()));
      return;
    }
  }
  next_fire_ = now;
}

bool Keeper::fire_one(const DueFiring& due) {
  const RunId run = trigger::run_of(*due.trigger, due.nominal);
  const Value event = event::to_value(trigger::firing_event(*due.trigger, due.nominal));
  const auto outcome = shared_.starter.start(*due.trigger, std::span(&event, 1), run);
  if (outcome.came == Starter::Came::begun) {
    ++shared_.counts.started;
    return true;
  }
  if (outcome.came == Starter::Came::later) {
    spdlog::warn("trigger {}: {}", due.trigger->name, to_string(outcome.reason));
    return false;
  }
  Letter letter;
  letter.at = due.nominal;
  letter.reason = outcome.reason;
  letter.trigger = due.trigger->name;
  letter.run = run.get();
  letter.waits_for = outcome.came == Starter::Came::no_flow ? due.trigger->flow : "";
  letter.original = batch_message(channels_, std::span(&event, 1));
  if (!shared_.letters.add(letter)) {
    return false;
  }
  ++shared_.counts.dead;
  return true;
}

void Keeper::put_tick(Instant now) {
  const auto next = rules_.next_tick();
  if (!next || *next > now || next_tick_ > now) {
    return;
  }
  next_tick_ = now + Millis{100}; // should the broker's clock be behind, or it lose this one
  broker_.append({channels_.tick, "", {}, ""}, "", [](const Result<Appended>& stored) {
    if (!stored) {
      spdlog::warn("time could not be put into the stream: {}", to_string(stored.error()));
    }
  });
}

void Keeper::try_waiting() {
  for (const Letter& letter : shared_.letters.waiting()) {
    if (!settings_.owns(letter.trigger)) {
      continue;
    }
    const auto flow = node_.store().resource("Flow", letter.waits_for);
    if (flow && try_again(letter)) {
      (void)shared_.letters.settle(letter.number);
    }
  }
}

Result<void> Keeper::retry(std::uint64_t number) {
  const auto letter = shared_.letters.find(number);
  if (!letter) {
    return shared_.letters.settle(number);
  }
  auto tried = try_again(*letter);
  return tried ? shared_.letters.settle(number) : tried;
}

Result<void> Keeper::try_again(const Letter& letter) {
  const Message& original = letter.original;
  if (letter.trigger.empty()) {
    const auto event = read_event(channels_, {original, 0, letter.at, 1});
    if (!event) {
      return event.error();
    }
    const auto stored = append_now(broker_, message_of(channels_, *event), "");
    return stored ? Result<void>() : stored.error();
  }
  const trigger::DefinitionPtr trigger = shared_.table.now()->find(letter.trigger);
  if (!trigger) {
    return Error{Code::resource_unknown, "there is no trigger \"" + letter.trigger + "\" any more",
                 "drop the letter, or apply the trigger"};
  }
  std::vector<Value> values;
  if (event::find_header(original.headers, "content-type") == event::kBatch) {
    const auto events = event::read(original.headers, original.payload, {});
    if (!events) {
      return events.error();
    }
    std::ranges::transform(*events, std::back_inserter(values), event::to_value);
  } else {
    const auto event = read_event(channels_, {original, 0, letter.at, 1});
    if (!event) {
      return event.error();
    }
    values.push_back(event::to_value(*event));
  }
  const auto outcome = shared_.starter.start(*trigger, values, RunId(letter.run), true);
  return outcome.came == Starter::Came::begun ? Result<void>() : outcome.reason;
}

} // namespace skein::node
