#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "core/base/result.h"
#include "core/ports/store.h"

namespace skein::node {

struct ForkRequest {
  RunId from;
  Seq at; ///< the last entry to copy; at least 1
  std::optional<RunId> id;
  Value vars;  ///< to set, or null
  Value input; ///< fields to replace, or null
};

/// What asking for an entry that a run does not have comes to. Code: resource_value_invalid.
Error no_entry(const RunId& run, Seq last, Seq asked);

/// Writes a whole run and answers once it is durable.
using WriteRun = std::function<Result<void>(std::vector<Append>)>;

/// A new run from a prefix of another's journal; the source never changes. Durable when this
/// returns; resume() it. Errors: of `write`, run_unknown, run_exists, resource_value_invalid (no
/// run id, no such entry or variable), schema_violation (the flow could not start with that input),
/// storage_*.
Result<RunId> fork(const Store& store, const ForkRequest& request, Instant now,
                   const WriteRun& write);

} // namespace skein::node
