#pragma once

#include <cstdio>

#include "cli/context.h"
#include "cli/run/watcher.h"

namespace skein::cli {

/// What is shown while a command stays with a run, and where. On standard output it stands in place
/// of the run's output.
struct Shown {
  Show show = Show::progress;
  std::FILE* to = stderr;
};

/// Stays with a run until it ends or waits for a person, prints what came of it, and answers the
/// exit code. Ctrl-C once ends the staying.
int follow(const Context& context, node::Node& node, const RunId& run, Shown shown = {});

/// What came of a run that ended, waits or is paused: its output to standard output, the rest to
/// standard error.
int tell_outcome(const Context& context, node::Node& node, const RunRecord& record,
                 bool with_output = true);

} // namespace skein::cli
