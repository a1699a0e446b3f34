#include "actors/timer_actor.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "core/ports/failpoint.h"

namespace skein::actors {
namespace {

constexpr std::size_t kPerTick = 1'000;
constexpr Millis kSettle{20};       ///< until what was fired has left the index
constexpr Millis kFireAgain{5'000}; ///< whoever had it may have fallen
constexpr Millis kAfterError{1'000};
/// Nothing is slept on for longer: the clock may be set meanwhile, the machine suspended, and CAF
/// counts in nanoseconds, which end after 292 years.
constexpr std::int64_t kLongestSleep = 60'000;

} // namespace

void TimerActorState::arm(Instant due) {
  if (armed && *armed <= due) {
    return;
  }
  armed = due;
  const std::int64_t wait =
      std::clamp<std::int64_t>((due - shared->around.clock.now()).count, 0, kLongestSleep);
  self->delayed_send(self, std::chrono::milliseconds(wait), Tick{++generation});
}

void TimerActorState::tick() {
  armed.reset();
  const Instant now = shared->around.clock.now();
  const auto due = shared->around.store.due_timers(now, fired.size() + kPerTick);
  if (!due) {
    spdlog::error("timers: {}", to_string(due.error()));
    arm(now + kAfterError);
    return;
  }
  std::map<TimerRow, Instant> still_there;
  for (const TimerRow& row : *due) {
    const auto before = fired.find(row);
    if (before != fired.end() && now < before->second + kFireAgain) {
      still_there.insert(*before);
      continue;
    }
    failpoint("timer.before_fire");
    shared->deliver(row.run, flow::Expired{now, row.timer});
    still_there.emplace(row, now);
  }
  fired = std::move(still_there);
  const auto next = shared->around.store.next_timer();
  if (!next) {
    spdlog::error("timers: {}", to_string(next.error()));
    arm(now + kAfterError);
  } else if (*next) {
    arm(**next <= now ? now + kSettle : **next);
  }
}

caf::behavior timer_actor(caf::stateful_actor<TimerActorState>* self, SharedPtr shared) {
  self->state.self = self;
  self->state.shared = std::move(shared);
  return {
      [self](const Armed& timer) { self->state.arm(timer.due); },
      [self](const Tick& tick) {
        if (tick.generation == self->state.generation) {
          self->state.tick();
        }
      },
      [self](const Stop&) { self->quit(); },
  };
}

} // namespace skein::actors
