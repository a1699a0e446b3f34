#pragma once

#include <memory>

#include "core/ports/tool.h"
#include "tools/settings.h"

namespace skein::tools {

/// The built-in tools: file, http, json, log, shell, transform.
///
/// Starts nothing: threads, libcurl and the look at the sandbox come with the first call that needs
/// them. Destroying it cancels every call (each `done` is still called once), joins the threads and
/// leaves no child alive. REQUIRES: no call is started while or after it is destroyed; handles may
/// outlive it.
std::unique_ptr<ToolBox> make_tool_box(ToolSettings settings);

/// Whether every setting can be read and none contradicts another. Errors: usage_invalid, which
/// names the entry.
Result<void> check(const ToolSettings& settings);

} // namespace skein::tools
