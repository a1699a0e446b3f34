#pragma once

#include "core/base/ids.h"

namespace skein::cli {

/// From here on the first Ctrl-C (or SIGTERM, or SIGHUP unless it is ignored) only counts and says
/// so; the second leaves at once with 130. Both name the command that goes on with the run.
void catch_interrupts(const RunId& run);

/// The same where the run goes on in a node whatever becomes of this command.
void catch_interrupts_beside(const RunId& run);

/// The same where no run is stayed with: both only end the command.
void catch_interrupts();

/// What is said already need not be said again: the second leaves without a word.
void said_how_to_go_on();

/// Whether the first has come.
bool interrupted();

} // namespace skein::cli
