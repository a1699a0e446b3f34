#pragma once

#include "actors/messages.h"

namespace skein::actors {

struct Attempt {
  ToolCall call;
  flow::Place place;
  std::optional<Millis> timeout;
  Tool* tool = nullptr;
  TicketPtr ticket;
};

/// One attempt of one step's effect: starts the tool, watches its deadline, passes the result on,
/// ends. Holds its ticket as long as it lives.
struct StepActorState {
  static inline const char* name = "step_actor";
  Attempt attempt;
  std::unique_ptr<ToolHandle> handle;
  Millis left; ///< until its deadline, where it has one
  bool ended = false;

  void sleep(caf::stateful_actor<StepActorState>* self);

  void end(caf::stateful_actor<StepActorState>* self, const caf::actor& owner, ToolResult result);
};

caf::behavior step_actor(caf::stateful_actor<StepActorState>* self, caf::actor owner,
                         std::shared_ptr<Attempt> attempt);

} // namespace skein::actors
