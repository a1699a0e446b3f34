#include "core/trigger/machine.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/base/random.h"
#include "core/value/json.h"

namespace skein::trigger {
namespace {

constexpr Instant kBegin{1'000'000};

std::string text_of(const Effect& effect) {
  const auto batch = [](const Batch& b) {
    return b.first.id + " of " + std::to_string(b.count) + " with " +
           to_json(Value::of_list(b.events));
  };
  if (const auto* start = std::get_if<Start>(&effect)) {
    return "start " + batch(start->batch);
  }
  if (const auto* drop = std::get_if<Drop>(&effect)) {
    return "drop " + batch(drop->batch) + ": " + drop->reason;
  }
  return "timer " + std::to_string((std::get<ArmTimer>(effect).at - kBegin).count);
}

/// Feeds events and writes down what each came to. Before every one the state goes through its
/// snapshot, as after a crash.
class Machine {
 public:
  explicit Machine(Rules rules) { state_.rules = rules; }

  std::string take(std::int64_t at, const std::string& id, const std::string& key = "",
                   const std::string& rate_key = "") {
    return feed(Take{kBegin + Millis{at}, {"/s", id}, key, rate_key, Value(id)});
  }
  std::string tick(std::int64_t at) { return feed(Tick{kBegin + Millis{at}}); }
  std::string feed(const Event& event) {
    auto again = state_from(*parse_json(to_json(to_value(state_))));
    EXPECT_TRUE(again);
    EXPECT_EQ(*again, state_);
    state_ = std::move(*again);
    std::string text;
    const auto effects = step(state_, event);
    for (const Effect& effect : *effects) {
      text += (text.empty() ? "" : "; ") + text_of(effect);
    }
    return text;
  }
  State& state() { return state_; }

 private:
  State state_;
};

TEST(trigger_machine, without_rules_each_event_starts_a_run_at_once_and_a_repeat_none) {
  Machine machine({});
  EXPECT_EQ(machine.take(0, "a"), "start a of 1 with [\"a\"]");
  EXPECT_EQ(machine.take(1, "a"), "");
  EXPECT_EQ(machine.take(2, "b"), "start b of 1 with [\"b\"]");
}

TEST(trigger_machine, a_debounce_starts_one_run_with_the_newest_event_once_it_is_quiet) {
  Machine machine({Millis{100}, Millis{1'000}});
  EXPECT_EQ(machine.take(0, "a"), "timer 100");
  EXPECT_EQ(machine.take(50, "b"), "timer 150");
  EXPECT_EQ(machine.take(60, "b"), "timer 150") << "sent again: it is as quiet as before";
  EXPECT_EQ(machine.tick(149), "timer 150");
  EXPECT_EQ(machine.tick(150), "start a of 2 with [\"b\"]");
  EXPECT_EQ(machine.take(200, "c"), "timer 300");
}

TEST(trigger_machine, a_debounce_ends_after_its_maximum_however_many_events_come) {
  Machine machine({Millis{100}, Millis{250}});
  machine.take(0, "a");
  machine.take(90, "b");
  EXPECT_EQ(machine.take(180, "c"), "timer 250");
  EXPECT_EQ(machine.take(250, "d"), "start a of 3 with [\"c\"]; timer 350");
}

TEST(trigger_machine, keys_are_gathered_apart) {
  Machine machine({Millis{100}, Millis{1'000}});
  machine.take(0, "a", "x");
  EXPECT_EQ(machine.take(50, "b", "y"), "timer 100");
  EXPECT_EQ(machine.tick(120), "start a of 1 with [\"a\"]; timer 150");
  EXPECT_EQ(machine.tick(150), "start b of 1 with [\"b\"]");
}

TEST(trigger_machine, a_batch_ends_when_it_is_full_or_its_time_is_over) {
  Machine machine({Millis{0}, Millis{500}, 3, true});
  EXPECT_EQ(machine.take(0, "a"), "timer 500");
  machine.take(1, "b");
  EXPECT_EQ(machine.take(2, "c"), "start a of 3 with [\"a\",\"b\",\"c\"]");
  EXPECT_EQ(machine.take(10, "d"), "timer 510");
  EXPECT_EQ(machine.tick(600), "start d of 1 with [\"d\"]");
}

TEST(trigger_machine, what_is_over_the_rate_is_dropped_and_said) {
  Machine machine({Millis{0}, Millis{0}, 0, false, 2, Millis{1'000}});
  EXPECT_EQ(machine.take(0, "a"), "start a of 1 with [\"a\"]");
  EXPECT_EQ(machine.take(600, "b"), "start b of 1 with [\"b\"]");
  EXPECT_EQ(machine.take(999, "c"), "drop c of 1 with [\"c\"]: over the rate");
  EXPECT_EQ(machine.take(999, "d", "", "other"), "start d of 1 with [\"d\"]");
  EXPECT_EQ(machine.take(1'000, "e"), "start e of 1 with [\"e\"]");
  EXPECT_EQ(machine.take(1'001, "f"), "drop f of 1 with [\"f\"]: over the rate");
}

TEST(trigger_machine, what_is_over_the_rate_begins_later_in_order_where_it_says_delay) {
  Machine machine({Millis{0}, Millis{0}, 0, false, 2, Millis{1'000}, true});
  machine.take(0, "a");
  machine.take(100, "b");
  EXPECT_EQ(machine.take(200, "c"), "timer 1000");
  EXPECT_EQ(machine.take(300, "d"), "timer 1000");
  EXPECT_EQ(machine.take(400, "e"), "timer 1000");
  EXPECT_EQ(machine.tick(1'000), "start c of 1 with [\"c\"]; timer 1100");
  EXPECT_EQ(machine.tick(1'100), "start d of 1 with [\"d\"]; timer 2000");
  EXPECT_EQ(machine.tick(2'000), "start e of 1 with [\"e\"]");
}

TEST(trigger_machine, new_rules_let_begin_what_the_old_ones_held) {
  Machine machine({Millis{100}, Millis{1'000}});
  machine.take(0, "a");
  EXPECT_EQ(machine.feed(Change{kBegin, {}}), "start a of 1 with [\"a\"]");
  EXPECT_EQ(machine.take(1, "b"), "start b of 1 with [\"b\"]");
}

TEST(trigger_machine, time_never_goes_back) {
  Machine machine({Millis{100}, Millis{1'000}});
  machine.take(50, "a");
  EXPECT_EQ(machine.take(0, "b"), "timer 150");
}

TEST(trigger_machine, what_is_held_is_bounded) {
  Machine groups({Millis{100}, Millis{1'000}});
  for (std::size_t i = 0; i < kMostGroups; ++i) {
    (void)step(groups.state(), Take{kBegin, {"/s", std::to_string(i)}, std::to_string(i), "", {}});
  }
  const auto over = step(groups.state(), Take{kBegin, {"/s", "last"}, "last", "", {}});
  EXPECT_EQ(text_of(over->front()), "start 0 of 1 with [null]");
  EXPECT_EQ(groups.state().groups.size(), kMostGroups);
  EXPECT_EQ(groups.state().recent.size(), kMostRecent);

  Machine large({Millis{0}, Millis{1'000}, 1'000, true});
  const Value event(std::string(1u << 20, 'x'));
  std::size_t started = 0;
  for (int i = 0; i < 20; ++i) {
    started += step(large.state(), Take{kBegin, {"/s", std::to_string(i)}, "", "", event})->size();
    EXPECT_LE(large.state().weight, kMostWeight);
  }
  EXPECT_GT(started, 0u);
}

TEST(trigger_machine, every_event_is_in_exactly_one_run_or_drop_whatever_comes) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const auto pick = [&](std::uint64_t n, std::uint64_t bound) {
      return below(random_at(seed, "machine", n), bound);
    };
    const bool batch = pick(1, 2) == 0;
    Rules rules;
    rules.quiet = Millis{batch ? 0 : 50};
    rules.within = Millis{200};
    rules.size = batch ? 5 : 0;
    rules.keep_all = batch;
    rules.limit = pick(2, 2) == 0 ? 0 : 3;
    rules.per = Millis{100};
    rules.delay = pick(3, 2) == 0;
    Machine machine(rules);
    std::uint64_t counted = 0;
    Instant at = kBegin;
    const auto feed = [&](const Event& event) {
      const auto effects = step(machine.state(), event);
      for (const Effect& effect : *effects) {
        if (const auto* start = std::get_if<Start>(&effect)) {
          counted += start->batch.count;
        } else if (const auto* drop = std::get_if<Drop>(&effect)) {
          counted += drop->batch.count;
        }
      }
    };
    for (std::uint64_t i = 0; i < 300; ++i) {
      at = at + Millis{static_cast<std::int64_t>(pick(10 + i, 40))};
      feed(Take{at,
                {"/s", std::to_string(i)},
                std::to_string(pick(1'000 + i, 3)),
                std::to_string(pick(2'000 + i, 2)),
                Value(static_cast<std::int64_t>(i))});
    }
    feed(Tick{at + Millis{1'000'000}});
    feed(Tick{at + Millis{2'000'000}});
    EXPECT_EQ(counted, 300u) << "seed " << seed;
    EXPECT_TRUE(machine.state().idle());
    EXPECT_EQ(machine.state().weight, 0u);
  }
}

} // namespace
} // namespace skein::trigger
