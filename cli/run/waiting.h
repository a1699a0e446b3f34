#pragma once

#include <string>
#include <vector>

#include "cli/context.h"
#include "core/flow/machine.h"

/// What a run waits for and what a person could do about it.
namespace skein::cli {

/// What keeps steps of the run waiting, what its list shows first; none of a run that has ended, or
/// whose journal cannot be folded.
std::vector<flow::Machine::Wait> waits_of(const Store& store, const RunRecord& record);

/// As in the shape of a run that programs rely on.
Value to_value(const flow::Machine::Wait& wait);

/// "go on? (1 of 2 approved)"; "" where nobody is asked.
std::string question_of(const flow::Machine::Wait& wait);

/// What could be done now, as a command with what it is for; "" where nothing has to be.
std::string next_command(const Store& store, const RunRecord& record);

/// "run r-1 is waiting for approval agree".
std::string standing_of(const RunRecord& record);

/// What it waits for, until when, who is asked, and how to answer; to standard error.
void tell_waiting(const Store& store, const RunRecord& record);

} // namespace skein::cli
