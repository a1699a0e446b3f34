#pragma once

#include <deque>
#include <unordered_map>

#include "actors/messages.h"

namespace skein::actors {

/// Brings runs back whose actor has failed, from their journals, each time after a longer delay.
///
///   Fell ──► wait 100 ms, 200 ms, … ──► wake the run
///     └── more than five times in a minute ──► pause it, with the reason, for an operator
///
/// A run that could not be written because the disk is full is woken once there is room for new
/// runs again: it did nothing wrong.
struct SupervisorActorState {
  static inline const char* name = "supervisor_actor";

  struct Falls {
    std::deque<Instant> at; ///< within the window
  };

  caf::stateful_actor<SupervisorActorState>* self = nullptr;
  SharedPtr shared;
  std::unordered_map<RunId, Falls> falls;

  void fell(const Fell& fall);
  void rise(const RisePtr& rise);
  void forget_old(Instant now);
};

caf::behavior supervisor_actor(caf::stateful_actor<SupervisorActorState>* self, SharedPtr shared);

/// For actors that a node cannot go on without: an exception in one ends the process, as one on a
/// thread of its own would. The journal is the recovery; a node without timers, or without one of
/// its partitions, would only look alive.
void make_exceptions_fatal(caf::scheduled_actor& actor);

} // namespace skein::actors
