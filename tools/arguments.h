#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/ports/tool.h"

/// Reading the inputs of tools. Shapes were checked by the schema; these convert.
namespace skein::tools {

/// The text of an entry, or nothing where there is none.
std::optional<std::string_view> text_at(const Value& input, std::string_view key);
bool flag_at(const Value& input, std::string_view key, bool otherwise);

/// A string as it is, anything else as JSON: arguments of commands, header and query values.
std::string plain_text(const Value& value);

/// 4096, "64KiB", "10MiB", "1GiB", "500B".
/// Errors: tool_input_invalid.
Result<std::size_t> size_at(const Value& input, std::string_view key, std::size_t otherwise);

/// The time that a call has: its own `timeout`, at most what is left until its deadline.
/// Errors: tool_input_invalid, tool_timeout (the deadline has passed).
Result<Millis> time_for(const ToolCall& call, Millis otherwise);

/// The text with every byte that is not UTF-8 replaced by U+FFFD.
std::string repaired_utf8(std::string_view text);

} // namespace skein::tools
