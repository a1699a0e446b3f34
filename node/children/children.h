#pragma once

#include <functional>
#include <span>

#include "actors/run_host.h"
#include "core/flow/definition.h"
#include "core/ports/clock.h"
#include "core/ports/store.h"
#include "node/cluster/member_status.h"

namespace skein::node {

/// The runs that steps of other runs start: names them before they begin, and carries what parents
/// and children say to each other to wherever the other one is led.
/// Thread-safety: any thread. Ownership: what it is given outlives it.
class Children {
 public:
  struct Ways {
    /// Gives an event to a run without waiting for it; the reply may come on any thread.
    std::function<void(const RunId&, flow::Event, actors::Reply)> tell;
    /// The partitions that are led where the placement says; none where no node fits.
    std::function<PartitionSet(const flow::Placement&)> places;
  };

  Children(const Store& store, const Clock& clock, Ways ways)
      : store_(store), clock_(clock), ways_(std::move(ways)) {}

  /// The run that an attempt is to start: of the newest revision of the flow, with an id that comes
  /// from the effect's key. Errors: resource_unknown, placement_unmet, schema_violation,
  /// schema_limit, and what the loader finds.
  Result<actors::Child> child_of(const actors::ChildWanted& wanted) const;

  /// Takes a row of the outbox that is for a run. Replies with an error where it has to come again.
  void deliver(const OutboxRow& row, const actors::Reply& taken) const;

 private:
  void start(const OutboxRow& row, const actors::Reply& taken) const;
  void give_up(const RunId& child, const RunId& parent, const Error& why,
               const actors::Reply& taken) const;
  void tell(const RunId& run, flow::Event event, const actors::Reply& taken) const;

  const Store& store_;
  const Clock& clock_;
  const Ways ways_;
};

/// The partitions that are led where the placement says. `members`: the nodes, this one first.
PartitionSet placed(const flow::Placement& placement, std::span<const MemberStatus> members);

} // namespace skein::node
