#pragma once

#include <map>
#include <optional>

#include "actors/messages.h"

namespace skein::actors {

/// The due-index of all runs: one armed message for the earliest timer in storage, however many
/// there are.
struct TimerActorState {
  static inline const char* name = "timer_actor";

  caf::stateful_actor<TimerActorState>* self = nullptr;
  SharedPtr shared;
  std::optional<Instant> armed;
  std::uint64_t generation = 0;
  std::map<TimerRow, Instant>
      fired; ///< delivered when; their rows go with the entry that takes them

  void arm(Instant due);
  void tick();
};

caf::behavior timer_actor(caf::stateful_actor<TimerActorState>* self, SharedPtr shared);

} // namespace skein::actors
