#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/trigger/match.h"
#include "node/node.h"

namespace skein::node {

/// Starts the runs that triggers ask for.
class Starter {
 public:
  explicit Starter(Node& node) : node_(node) {}

  enum class Came : std::uint8_t {
    begun,   ///< it is durable, now or since an earlier delivery
    later,   ///< the node has no room, or is stopping: the same may succeed
    no_flow, ///< the flow is not there yet
    never,   ///< the event does not fit
  };
  struct Outcome {
    Came came = Came::begun;
    Error reason{Code::event_invalid, ""}; ///< unless begun
  };
  /// One run for these events. Thread-safety: any thread that may block.
  Outcome start(const trigger::Definition& trigger, std::span<const Value> events,
                const RunId& run);

 private:
  Node& node_;
};

/// The triggers that are applied: resources of the kind, and `on:` of flows.
/// Errors: storage_*.
struct AppliedTrigger {
  trigger::DefinitionPtr trigger;
  Instant at; ///< of the newest revision
};
Result<std::vector<AppliedTrigger>> applied_triggers(const Store& store);

} // namespace skein::node
