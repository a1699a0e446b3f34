#pragma once

#include "core/base/instant.h"
#include "core/base/result.h"
#include "core/flow/event.h"
#include "core/ports/store.h"
#include "node/node.h"

namespace skein::node {

/// A run that was asked for and may begin.
struct NewRun {
  RunId id;
  flow::Created created; ///< its first event
};

/// Whether this may be the id of a new run. Errors: resource_value_invalid.
Result<void> check_id(const RunId& id);

/// Checks what is asked for and fills in what is left open: the id, the seed, the flow's labels,
/// the defaults of its input.
/// Errors: schema_violation, schema_limit, resource_value_invalid. Thread-safety: any thread.
Result<NewRun> new_run(const StartRequest& request, Instant now);

/// Whether the run of this id, which exists, began with the same definition and input.
/// Errors: run_exists where it did not, storage_*.
Result<void> check_same_start(const Store& store, const NewRun& wanted);

} // namespace skein::node
