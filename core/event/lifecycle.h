#pragma once

#include "core/event/cloud_event.h"
#include "core/run/run.h"

namespace skein::event {

/// What types begin with that only a node publishes. A trigger takes them only where its own type
/// begins so: one for everything would start a run for the end of each of its runs.
inline constexpr std::string_view kOwnTypes = "skein.";

/// The end of a run: "skein.run.succeeded", "skein.run.failed" or "skein.run.cancelled". An output
/// of more than about 64 KiB is left out. REQUIRES: the state is final.
CloudEvent end_of(const RunRecord& run);

} // namespace skein::event
