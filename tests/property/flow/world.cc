#include "property/flow/world.h"

#include <algorithm>
#include <limits>

namespace skein::property {

using flow::Place;

namespace {

constexpr int kRestlessSteps = 150;
constexpr int kMostSteps = 5'000;

} // namespace

Instant World::later() {
  now_.ms += static_cast<std::int64_t>(chance_.below(1'500));
  return now_;
}

Value World::output() {
  switch (chance_.below(11)) {
    case 0:
      return Value();
    case 1:
      return Value(1.0);
    case 2:
      return Value::of_bytes("\x00\xff\x80");
    case 3:
      return Value::of_uint(7);
    case 4:
      return object({{"n", 3.0}, {"list", Value::of_list({1, -0.0, "x"})}});
    case 5:
      return Value::of_map({{Value(1), Value(true)}, {Value("$k"), Value::of_duration(1, 5)}});
    case 6:
      return Value::of_timestamp(-3, 7);
    case 7:
      return object({{"\xff", 1}, {"\xfe", Value("no \x80 text")}});
    case 8:
      return Value::of_list({std::numeric_limits<double>::quiet_NaN(), Value::none()});
    case 9:
      return Value(std::numeric_limits<double>::infinity());
    default:
      return Value(static_cast<std::int64_t>(chance_.below(100)));
  }
}

void World::create(const std::vector<bool>& flags, const flow::Definition& definition) {
  std::vector<Value> f;
  for (const bool flag : flags) {
    f.emplace_back(flag);
  }
  run_.submit(flow::Created{later(),
                            definition.name,
                            definition.revision,
                            1,
                            chance_.number(),
                            object({{"f", Value::of_list(std::move(f))}}),
                            Value(),
                            {}});
}

void World::go_on() {
  for (int step = 0; step < kMostSteps && !run_.final() && run_.broken.empty(); ++step) {
    calm_ = step >= kRestlessSteps;
    if (!calm_ && chance_.percent(unrest_)) {
      trouble();
    } else if (!progress()) {
      run_.broken = "nothing can happen any more, but the run has not ended";
    }
  }
  if (!run_.final() && run_.broken.empty()) {
    run_.broken = "the run does not end";
  }
  for (int i = 0; i < 3 && run_.broken.empty(); ++i) {
    chance_.percent(50) ? repeat_something() : nonsense();
  }
}

void World::trouble() {
  switch (chance_.below(12)) {
    case 0:
    case 1:
      return crash();
    case 2:
    case 3:
      return run_.take_checkpoint();
    case 4:
    case 5:
      return repeat_something();
    case 6:
    case 7:
      return nonsense();
    case 8:
      run_.submit(flow::PauseAsked{later(), "ann", chance_.percent(50) ? "wait" : ""});
      return;
    case 9:
      return signal(chance_.percent(50) ? "go" : "stop");
    case 10:
      if (chance_.percent(8)) {
        cancelled_ = true;
        run_.submit(flow::CancelAsked{later(), "bob", chance_.percent(50) ? "enough" : ""});
      }
      return;
    default:
      return timer_is_due();
  }
}

// One of the things that must lead to the end sooner or later.
bool World::progress() {
  const auto& machine = run_.machine();
  if (machine.state() == RunState::paused && chance_.percent(60)) {
    run_.doubted().empty() || chance_.percent(20)
        ? void(run_.submit(flow::ResumeAsked{later(), "ann"}))
        : settle();
    return true;
  }
  if (machine.wants_to_proceed()) {
    run_.submit(flow::Proceeded{later()});
    return true;
  }
  if (!run_.pending().empty() && chance_.percent(80)) {
    auto place = run_.pending().begin();
    std::advance(place, chance_.below(run_.pending().size()));
    attempt_goes_on(place->first);
    return true;
  }
  if (!run_.waiting_approvals().empty() && chance_.percent(60)) {
    people_answer();
    return true;
  }
  if (!run_.doubted().empty() && chance_.percent(60)) {
    settle();
    return true;
  }
  const std::string& wakes = machine.waiting_for();
  if (wakes.starts_with("signal ") && chance_.percent(60)) {
    signal(wakes.substr(7));
    return true;
  }
  if (!run_.timers().empty()) {
    timer_is_due();
    return true;
  }
  return !run_.pending().empty() || machine.state() == RunState::paused ||
         !run_.waiting_approvals().empty() || !run_.doubted().empty() ||
         wakes.starts_with("signal ");
}

void World::attempt_goes_on(const Place& place) {
  const Pending attempt = run_.pending().at(place);
  const auto& kind = std::get<flow::ToolStep>(run_.machine().step_at(place).kind);
  const EffectClass effect_class = kind.effect_class.value_or(EffectClass::unsafe);
  if (effect_class != EffectClass::pure && !attempt.begun) {
    run_.submit(flow::Begun{later(), place, attempt.attempt, effect_class});
    return;
  }
  if (!chance_.percent(bad_luck_)) {
    run_.submit(flow::Succeeded{later(), place, attempt.attempt, output()});
  } else {
    fail(place, attempt.attempt);
  }
}

void World::fail(const Place& place, std::uint32_t attempt) {
  static const std::vector<std::string> kCodes{"E1", "SK5003", "SK5005", "SK1303"};
  run_.submit(flow::Failed{later(), place, attempt,
                           flow::Failure{chance_.one_of(kCodes),
                                         chance_.percent(90) ? "no luck" : "no \xc3 luck",
                                         {},
                                         {},
                                         chance_.percent(60)}});
}

void World::timer_is_due() {
  if (run_.timers().empty()) {
    return;
  }
  const auto first =
      std::min_element(run_.timers().begin(), run_.timers().end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  now_ = std::max(now_, first->second);
  run_.submit(flow::Expired{now_, first->first});
}

void World::people_answer() {
  static const std::vector<std::string> kPeople{"ann", "bob", "eve", "zoe"};
  const auto open = run_.waiting_approvals();
  run_.submit(flow::Answered{later(), chance_.one_of(open), !chance_.percent(bad_luck_),
                             chance_.one_of(kPeople), chance_.percent(50) ? "fine" : ""});
}

void World::settle() {
  const auto open = run_.doubted();
  if (open.empty()) {
    return;
  }
  run_.submit(flow::Settled{later(), chance_.one_of(open),
                            static_cast<flow::Settled::How>(chance_.below(3)), output(), "ann"});
}

void World::signal(const std::string& name) {
  const bool named = chance_.percent(70);
  if (!named || chance_.percent(80)) {
    ++signals_;
  }
  run_.submit(
      flow::Signalled{later(), named ? "id" + std::to_string(signals_) : "", name, output()});
}

// What a node does when it comes back: unsafe attempts that had begun are in doubt.
void World::crash() {
  run_.crash(chance_.percent(50));
  for (const flow::Outstanding& one : run_.machine().outstanding()) {
    const bool unsafe = one.begun && one.effect_class == EffectClass::unsafe;
    if (unsafe && !run_.final() && run_.pending().contains(one.place)) {
      run_.submit(flow::FoundInDoubt{later(), one.place, one.attempt});
    }
  }
}

void World::repeat_something() {
  if (run_.events().empty()) {
    return;
  }
  const flow::Event event = run_.events()[chance_.below(run_.events().size())];
  const bool copied = std::any_of(run_.events().begin(), run_.events().end(), [](const auto& e) {
    return std::holds_alternative<flow::Forked>(e);
  });
  if (copied) {
    return; // what the source journaled may well happen to a fork of it
  }
  if (std::holds_alternative<flow::Succeeded>(event) ||
      std::holds_alternative<flow::Failed>(event) || std::holds_alternative<flow::Begun>(event) ||
      std::holds_alternative<flow::FoundInDoubt>(event) ||
      std::holds_alternative<flow::Expired>(event) ||
      std::holds_alternative<flow::Created>(event)) {
    if (run_.submit(event)) {
      run_.broken = "a repeated " + std::string(flow::kind_of(event)) + " was journaled";
    }
  }
}

void World::nonsense() {
  Place place{static_cast<flow::StepIndex>(chance_.below(30)),
              static_cast<std::uint8_t>(chance_.below(3)),
              {}};
  for (std::uint8_t i = 0; i < place.depth; ++i) {
    place.items[i] = static_cast<std::uint32_t>(chance_.below(6));
  }
  const auto attempt = static_cast<std::uint32_t>(50 + chance_.below(4));
  const std::vector<flow::Event> all{
      flow::Succeeded{now_, place, attempt, Value(1)},
      flow::Failed{now_, place, attempt, flow::Failure{"E1", "", {}, {}, true}},
      flow::Begun{now_, place, attempt, EffectClass::unsafe},
      flow::FoundInDoubt{now_, place, attempt},
      flow::Expired{now_, 100'000 + chance_.below(4)},
      flow::Answered{now_, place, false, "nobody", ""},
      flow::Settled{now_, place, flow::Settled::How::retry, Value(), "nobody"},
      flow::Proceeded{now_}};
  const flow::Event event = chance_.one_of(all);
  const bool in_doubt = [&] {
    const auto open = run_.doubted();
    return std::find(open.begin(), open.end(), place) != open.end();
  }();
  const bool approval = [&] {
    const auto open = run_.waiting_approvals();
    return std::find(open.begin(), open.end(), place) != open.end();
  }();
  const bool proceeds = run_.machine().wants_to_proceed();
  if (run_.submit(event) && !in_doubt && !approval && !proceeds) {
    run_.broken = "nonsense was journaled: " + std::string(flow::kind_of(event));
  }
}

} // namespace skein::property
