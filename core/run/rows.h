#pragma once

#include "core/flow/effect.h"
#include "core/flow/machine.h"
#include "core/ports/store.h"

/// What an entry's effects change in storage: the one place that says it, for what writes rows and
/// for what checks them.
namespace skein {

/// Adds the timers and waits that the effects of the append's entry begin and end, and what they
/// emit and say to other runs. What begins and ends with the same entry is in neither.
void add_rows(Append& append, const flow::Effects& effects);

/// Makes a record say what the machine's run shows since `at`.
void show(RunRecord& record, const flow::Machine& machine, Instant at);

} // namespace skein
