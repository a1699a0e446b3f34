#pragma once

#include <string>

#include "property/flow/random_flow.h"
#include "property/flow/watched_run.h"

namespace skein::property {

/// Tells from the graph and from how each tool, wait and approval ended what must have become of
/// the run, by walking the blocks once, with no notion of time.
/// Answers what the run got wrong, or "".
std::string judge(const RandomFlow& flow, const WatchedRun& run);

} // namespace skein::property
