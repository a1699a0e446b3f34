#include "actors/step_actor.h"

#include <algorithm>

#include "core/ports/failpoint.h"

namespace skein::actors {
namespace {

constexpr Millis kLongestSleep{250};

} // namespace

// A message that CAF delays cannot be taken back, and keeps its receiver's memory until it is due.
void StepActorState::sleep(caf::stateful_actor<StepActorState>* self) {
  const Millis part = std::min(left, kLongestSleep);
  left.count -= part.count;
  self->delayed_send(self, std::chrono::milliseconds(part.count), Tick{});
}

void StepActorState::end(caf::stateful_actor<StepActorState>* self, const caf::actor& owner,
                         ToolResult result) {
  if (!ended) {
    ended = true;
    failpoint("effect.after_tool");
    self->send(owner, std::make_shared<AttemptEnded>(AttemptEnded{
                          attempt.place, attempt.call.attempt, std::move(result), attempt.ticket}));
  }
}

caf::behavior step_actor(caf::stateful_actor<StepActorState>* self, caf::actor owner,
                         std::shared_ptr<Attempt> attempt) {
  StepActorState& state = self->state;
  state.attempt = std::move(*attempt);
  if (state.attempt.timeout) {
    state.left = *state.attempt.timeout;
    state.sleep(self);
  }
  failpoint("effect.before_tool");
  // Alive until its tool has ended, though its run may have forgotten it.
  const auto me = caf::actor_cast<caf::actor>(self);
  const auto tell = [me](ToolResult result) {
    caf::anon_send(me, std::make_shared<AttemptEnded>(AttemptEnded{{}, 0, std::move(result), {}}));
  };
  Worker* const elsewhere = state.attempt.ticket ? state.attempt.ticket->worker() : nullptr;
  state.handle = elsewhere != nullptr ? elsewhere->start(state.attempt.call, tell)
                                      : state.attempt.tool->start(state.attempt.call, tell);
  return {
      [self, owner](const AttemptEndedPtr& done) {
        self->state.end(self, owner, std::move(done->result));
        self->quit();
      },
      [self, owner](const Tick&) {
        StepActorState& now = self->state;
        if (now.left.count > 0) {
          now.sleep(self);
          return;
        }
        now.end(self, owner,
                Error{Code::step_timeout,
                      "the attempt took longer than " + to_string(*now.attempt.timeout)});
        now.handle ? now.handle->cancel() : void(); // its own result ends this actor
      },
      [self](const Cancel&) {
        if (self->state.handle) {
          self->state.handle->cancel();
        }
      },
  };
}

} // namespace skein::actors
