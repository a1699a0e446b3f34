#pragma once

#include <string_view>

#include "core/ports/tool.h"
#include "tools/settings.h"

/// What the file tool does, on the caller's thread; each waits for the disk where it must.
namespace skein::tools {

/// Errors: tool_denied, tool_failed, tool_output_limit, tool_input_invalid.
ToolResult read_file(const ToolCall& call, const ToolSettings& settings);
/// Durability: the content and its name are on the disk when this returns; other readers see all of
/// it or nothing.
ToolResult write_file(const ToolCall& call, const ToolSettings& settings);
/// Durability: as write_file, but readers may see a part of it.
ToolResult append_file(const ToolCall& call, const ToolSettings& settings);
ToolResult list_directory(const ToolCall& call, const ToolSettings& settings);
ToolResult stat_file(const ToolCall& call, const ToolSettings& settings);
ToolResult delete_file(const ToolCall& call, const ToolSettings& settings);

/// The result of an earlier write_file of the same call, or nothing where the file is another.
Result<std::optional<Value>> find_written(const ToolCall& call, const ToolSettings& settings);

} // namespace skein::tools
