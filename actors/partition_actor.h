#pragma once

#include <deque>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "actors/messages.h"
#include "actors/proposals.h"

namespace skein::actors {

/// Order of one partition, while this node leads it: routes events to its live runs, brings waiting
/// ones back, and tells them what became of the batches that they propose.
struct PartitionActorState {
  static inline const char* name = "partition_actor";

  caf::stateful_actor<PartitionActorState>* self = nullptr;
  SharedPtr shared;
  PartitionId partition;

  struct Live {
    caf::actor actor;
    Proposals::ProposerPtr proposer;
    std::uint64_t sent = 0;
  };
  std::unordered_map<RunId, Live> live;
  std::unordered_map<caf::actor_id, RunId> ids;      ///< of the live ones
  std::deque<std::pair<RunId, caf::message>> parked; ///< for runs that wait for admission
  ProposalsPtr proposals;                            ///< null while another node leads
  Epoch epoch;                                       ///< of the proposals
  std::unordered_map<RunId, Reply> written;          ///< whole runs that are not durable yet
  std::unordered_set<RunId> left; ///< memory while Shared::resuming: what was read may be old

  void to_run(const RunId& run, caf::message message);
  Live* live_run(const RunId& run);
  bool refuse_elsewhere(const Reply& reply) const;
  void wake(Wake& wake);
  void admit_parked();
  void write(Written& whole);
  void tell_written(const RunId& run, const Result<void>& result);
  void lead(Epoch as_of);
  void follow();
  void forget(std::unordered_map<RunId, Live>::iterator run);
  void fell(const caf::down_msg& down);
  void committed(Committed& done);
  void tell_durable(const Batch& batch);
  void refuse(const Batch& batch, const Error& error);
  void drop(std::unordered_map<RunId, Live>::iterator run, const Error& error);
  void bring_back(const RunId& run, const Error& error);
  void at_rest(const AtRest& rest);
};

caf::behavior partition_actor(caf::stateful_actor<PartitionActorState>* self, SharedPtr shared,
                              PartitionId partition);

} // namespace skein::actors
