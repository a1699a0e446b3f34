#pragma once

#include <string>
#include <string_view>

namespace skein::schemas {

/// The text with U+FFFD for each byte that is not part of valid UTF-8.
std::string clean_utf8(std::string_view bytes);

} // namespace skein::schemas
