#pragma once

#include "actors/messages.h"

namespace skein::actors {

/// Sends what the outbox of the store holds, in order, and drops what was delivered. What a crash
/// left there goes out at the start; receivers drop repeats by the message's id.
struct OutboxActorState {
  static inline const char* name = "outbox_actor";

  caf::stateful_actor<OutboxActorState>* self = nullptr;
  SharedPtr shared;
  bool waiting = false; ///< for the receiver to come back

  void send_all();
  void try_later();
};

caf::behavior outbox_actor(caf::stateful_actor<OutboxActorState>* self, SharedPtr shared);

} // namespace skein::actors
