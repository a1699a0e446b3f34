#pragma once

#include <caf/scheduled_actor.hpp>

namespace skein::actors {

/// For actors that a node cannot go on without: an exception in one ends the process, as one on a
/// thread of its own would. The journal is the recovery; a node without timers, or without one of
/// its partitions, would only look alive.
void make_exceptions_fatal(caf::scheduled_actor& actor);

} // namespace skein::actors
