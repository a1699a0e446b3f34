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
  /// One run for these events. An event that came through too many runs starts none, unless a
  /// person asks for it. Thread-safety: any thread that may block.
  Outcome start(const trigger::Definition& trigger, std::span<const Value> events, const RunId& run,
                bool by_hand = false);

 private:
  Node& node_;
};

/// Through how many runs the cause of what this run does went; 0 where a person began it.
/// A child counts as the run that began it.
std::int64_t hops_of(const Store& store, const RunId& run);

/// The triggers that are applied: resources of the kind, and `on:` of flows.
/// Errors: storage_*.
struct AppliedTrigger {
  trigger::DefinitionPtr trigger;
  Instant at; ///< of the newest revision
};
Result<std::vector<AppliedTrigger>> applied_triggers(const Store& store);

} // namespace skein::node
