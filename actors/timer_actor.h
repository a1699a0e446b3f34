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
  struct Fired {
    Instant at;
    std::weak_ptr<void> held; ///< by whoever has it, until it was handled
  };
  std::map<TimerRow, Fired> fired; ///< their rows go with the entry that takes them
  Millis pause;                    ///< between looks while what was fired is still there

  void arm(Instant due);
  void tick();
  std::shared_ptr<void> fire(const TimerRow& row, Instant now);
};

caf::behavior timer_actor(caf::stateful_actor<TimerActorState>* self, SharedPtr shared);

} // namespace skein::actors
