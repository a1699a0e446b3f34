#pragma once

#include "core/base/result.h"
#include "core/ports/store.h"

namespace skein::node {

/// The last entry before what the run failed with: a fork from there tries that anew.
/// Errors: run_state_conflict where no step could run again, and those of a replay.
Result<Seq> before_failure(const Store& store, const RunRecord& record);

} // namespace skein::node
