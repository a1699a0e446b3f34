#pragma once

#include <unordered_map>
#include <vector>

#include "actors/committer.h"
#include "actors/messages.h"

namespace skein::actors {

/// Order of one partition: routes events to its live runs, brings waiting ones back, and puts what
/// they propose into batches, one under way at a time while others gather.
struct PartitionActorState {
  static inline const char* name = "partition_actor";

  caf::stateful_actor<PartitionActorState>* self = nullptr;
  SharedPtr shared;
  Committer* committer = nullptr;
  PartitionId partition;

  struct Live {
    caf::actor actor;
    std::uint64_t sent = 0;
  };
  std::unordered_map<RunId, Live> live;
  std::vector<Append> gathered;
  bool committing = false;
  Epoch epoch{1};
  Instant not_before; ///< time of the newest batch that was there at the start

  Live& live_run(const RunId& run);
  void propose(Append append);
  void flush();
  void committed(Committed& done);
  void at_rest(const AtRest& rest);
};

caf::behavior partition_actor(caf::stateful_actor<PartitionActorState>* self, SharedPtr shared,
                              Committer* committer, PartitionId partition);

} // namespace skein::actors
