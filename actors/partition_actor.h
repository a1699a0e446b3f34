#pragma once

#include <deque>
#include <unordered_map>
#include <vector>

#include "actors/messages.h"

namespace skein::actors {

/// Order of one partition: routes events to its live runs, brings waiting ones back, and puts what
/// they propose into batches, one under way at a time while others gather.
struct PartitionActorState {
  static inline const char* name = "partition_actor";

  caf::stateful_actor<PartitionActorState>* self = nullptr;
  SharedPtr shared;
  PartitionId partition;

  struct Live {
    caf::actor actor;
    std::uint64_t sent = 0;
  };
  std::unordered_map<RunId, Live> live;
  std::unordered_map<caf::actor_id, RunId> ids;      ///< of the live ones
  std::deque<std::pair<RunId, caf::message>> parked; ///< for runs that wait for admission
  std::vector<Append> gathered;
  bool committing = false;
  Epoch epoch{1};
  Instant not_before; ///< time of the newest batch that was there at the start

  void to_run(const RunId& run, caf::message message);
  Live* live_run(const RunId& run);
  void admit_parked();
  void fell(const caf::down_msg& down);
  void propose(Append append);
  void flush();
  void committed(Committed& done);
  void tell_durable(const Batch& batch);
  void refuse(const Batch& batch, const Error& error);
  void at_rest(const AtRest& rest);
};

caf::behavior partition_actor(caf::stateful_actor<PartitionActorState>* self, SharedPtr shared,
                              PartitionId partition);

} // namespace skein::actors
