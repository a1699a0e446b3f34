#pragma once

#include <string>
#include <vector>

#include "cli/context.h"
#include "core/flow/machine.h"

/// What a run waits for and what a person could do about it.
namespace skein::cli {

using node::waits_of;

/// "go on? (1 of 2 approved)"; "" where nobody is asked.
std::string question_of(const flow::Machine::Wait& wait);

/// What could be done now, as a command with what it is for; "" where nothing has to be, such as
/// where a node goes on with it.
std::string next_command(node::Node& node, const RunRecord& record);

/// "run r-1 is waiting for approval agree".
std::string standing_of(const RunRecord& record);

/// What it waits for, until when, who is asked, and how to answer; to standard error.
void tell_waiting(node::Node& node, const RunRecord& record);

} // namespace skein::cli
