#include "actors/timer_actor.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "actors/supervisor_actor.h"
#include "core/ports/failpoint.h"

namespace skein::actors {
namespace {

constexpr std::size_t kPerTick = 1'000;
constexpr std::size_t kUnderWay = 65'536; ///< fired and not handled: runs may wait for admission
constexpr Millis kSettle{20};             ///< until what was fired has left the index
constexpr Millis kLongestPause{1'000};
constexpr Millis kFireAgain{5'000}; ///< what nobody has any more, and was not handled
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
  const auto due =
      shared->around.store.due_timers(now, fired.size() + kPerTick, shared->led_partitions());
  if (!due) {
    spdlog::error("timers: {}", to_string(due.error()));
    arm(now + kAfterError);
    return;
  }
  std::map<TimerRow, Fired> still_there;
  bool more = false;
  for (const TimerRow& row : *due) {
    const auto before = fired.find(row);
    if (before != fired.end() &&
        (!before->second.held.expired() || now < before->second.at + kFireAgain)) {
      still_there.insert(*before);
    } else if (still_there.size() < kUnderWay) {
      still_there.emplace(row, Fired{now, fire(row, now)});
      more = true;
    }
  }
  fired = std::move(still_there);
  pause = more ? kSettle : std::min(Millis{2 * pause.count}, kLongestPause);
  const auto next = shared->around.store.next_timer(shared->led_partitions());
  if (!next) {
    spdlog::error("timers: {}", to_string(next.error()));
    arm(now + kAfterError);
  } else if (*next) {
    arm(**next <= now ? now + pause : **next);
  }
}

/// What it answers is gone once the event was handled, or lost with whoever had it.
std::shared_ptr<void> TimerActorState::fire(const TimerRow& row, Instant now) {
  failpoint("timer.before_fire");
  auto held = std::make_shared<char>();
  shared->deliver(row.run, flow::Expired{now, row.timer},
                  [held, run = row.run](const Result<void>& handled) {
                    if (!handled && handled.error().code != Code::interrupted &&
                        handled.error().code != Code::not_leader) {
                      spdlog::error("a timer of run {}: {}", run.get(), to_string(handled.error()));
                    }
                  });
  return held;
}

caf::behavior timer_actor(caf::stateful_actor<TimerActorState>* self, SharedPtr shared) {
  self->state.self = self;
  make_exceptions_fatal(*self);
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
