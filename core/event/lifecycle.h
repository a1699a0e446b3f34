#pragma once

#include "core/event/cloud_event.h"
#include "core/run/run.h"

namespace skein::event {

/// What types begin with that only a node publishes. A trigger takes them only where its own type
/// begins so: one for everything would start a run for the end of each of its runs.
inline constexpr std::string_view kOwnTypes = "skein.";

/// Whether the world hears of this change of a run's state: it ended, or was paused.
bool is_told(RunState before, RunState now);

/// What became of a run with this entry of its journal: "skein.run.succeeded", "skein.run.failed",
/// "skein.run.cancelled" or "skein.run.paused". An output of more than about 64 KiB is left out.
CloudEvent change_of(const RunRecord& run, Seq entry);

/// An event that a run published says through how many runs its cause went, so that a circle of
/// flows that start each other ends.
inline constexpr std::string_view kHops = "skeinhops";
inline constexpr std::int64_t kMostHops = 16;

} // namespace skein::event
