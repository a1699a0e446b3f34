#pragma once

#include <string>

namespace skein::cli {

/// Where what is logged goes: standard error, as text, or one JSON object a line.
void set_up_log(const std::string& level, bool json);

} // namespace skein::cli
