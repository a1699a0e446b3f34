#include "actors/supervisor_actor.h"

#include <spdlog/spdlog.h>

#include <cstdlib>
#include <exception>
#include <string>

namespace skein::actors {
namespace {

constexpr std::size_t kFallsAllowed = 5;
constexpr Millis kWindow{60'000};
constexpr std::chrono::milliseconds kFirstDelay{100};
constexpr std::chrono::seconds kWhileFull{2};

} // namespace

void SupervisorActorState::forget_old(Instant now) {
  for (auto run = falls.begin(); run != falls.end();) {
    auto& at = run->second.at;
    while (!at.empty() && at.front() + kWindow < now) {
      at.pop_front();
    }
    run = at.empty() ? falls.erase(run) : std::next(run);
  }
}

void SupervisorActorState::fell(const Fell& fall) {
  if (fall.disk_full) {
    self->delayed_send(self, kWhileFull, RisePtr(std::make_shared<Rise>(Rise{fall.run, true})));
    return;
  }
  const Instant now = shared->around.clock.now();
  forget_old(now);
  Falls& known = falls[fall.run];
  known.at.push_back(now);
  if (known.at.size() <= kFallsAllowed) {
    spdlog::warn("run {} fell and is brought back: {}", fall.run.get(), fall.why);
    self->delayed_send(self, kFirstDelay * (1 << (known.at.size() - 1)),
                       RisePtr(std::make_shared<Rise>(Rise{fall.run, false})));
  } else {
    const std::string why =
        "fell " + std::to_string(known.at.size()) + " times within a minute, last: " + fall.why;
    spdlog::error("run {} is paused: it {}", fall.run.get(), why);
    falls.erase(fall.run); // whoever resumes it begins anew
    shared->deliver(fall.run, flow::PauseAsked{now, "supervisor", why},
                    [run = fall.run](const Result<void>& paused) {
                      if (!paused) {
                        spdlog::error("run {} could not be paused: {}", run.get(),
                                      to_string(paused.error()));
                      }
                    });
  }
}

// With room for little more than the rows of its coming back, its effects would run only for their
// results to be refused again.
void SupervisorActorState::rise(const RisePtr& rise) {
  if (rise->disk_full && !shared->around.store.admits()) {
    self->delayed_send(self, kWhileFull, rise);
    return;
  }
  // One that cannot be loaded now has fallen again.
  shared->wake(rise->run, [me = self->address(), run = rise->run](const Result<void>& risen) {
    const auto alive = caf::actor_cast<caf::actor>(me);
    if (!risen && alive && risen.error().code != Code::not_leader) {
      caf::anon_send(alive,
                     std::make_shared<const Fell>(Fell{run, to_string(risen.error()),
                                                       risen.error().code == Code::storage_full}));
    }
  });
}

caf::behavior supervisor_actor(caf::stateful_actor<SupervisorActorState>* self, SharedPtr shared) {
  self->state.self = self;
  make_exceptions_fatal(*self);
  self->state.shared = std::move(shared);
  return {
      [self](const FellPtr& fall) { self->state.fell(*fall); },
      [self](const RisePtr& rise) { self->state.rise(rise); },
      [self](const Stop&) { self->quit(); },
  };
}

void make_exceptions_fatal(caf::scheduled_actor& actor) {
  actor.set_exception_handler(
      [name = std::string(actor.name())](std::exception_ptr& thrown) -> caf::error {
        try {
          std::rethrow_exception(thrown);
        } catch (const std::exception& exception) {
          spdlog::critical("{} ends this process: {}", name, exception.what());
        } catch (...) {
          spdlog::critical("{} ends this process: an exception of an unknown kind", name);
        }
        std::abort();
      });
}

} // namespace skein::actors
