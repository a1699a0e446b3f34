#pragma once

#include <string>
#include <vector>

#include "core/ports/tool.h"
#include "tools/process/child.h"
#include "tools/settings.h"
#include "tools/shell/sandbox.h"

/// The pure part of the shell tool: from an input to what is run, and from how that ended to a
/// result.
namespace skein::tools {

/// The environment of a command: what the host's allow-list passes, HOME, the call's own entries,
/// and who it is: SKEIN_RUN_ID, SKEIN_STEP_ID, SKEIN_ATTEMPT, SKEIN_EFFECT_KEY.
/// Errors: tool_input_invalid (a name that is Skein's).
Result<std::vector<std::string>> environment_of(const ToolCall& call, const ToolSettings& settings,
                                                const std::string& home);

/// The working directory of a call: `cwd` below a root and in no hidden directory, links resolved.
/// Errors: tool_denied, tool_failed (it does not exist).
Result<std::string> directory_of(const Value& input, const ToolSettings& settings);

/// The path of a command by the PATH of its own environment; in a sandbox only where that shows it.
/// Errors: tool_unavailable.
Result<std::string> find_command(const std::string& name,
                                 const std::vector<std::string>& environment,
                                 const std::string& directory, const Sandbox* sandbox);

/// The result of the step.
/// Errors: tool_failed, tool_timeout, tool_output_limit, tool_unavailable, step_cancelled.
ToolResult result_of(const ToolCall& call, const ChildOutcome& outcome, bool sandbox);

} // namespace skein::tools
