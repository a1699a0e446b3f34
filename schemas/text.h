#pragma once

#include <string>
#include <string_view>

namespace skein::schemas {

/// Whether the bytes are UTF-8 (RFC 3629: no surrogates, nothing overlong, nothing above U+10FFFF).
bool is_utf8(std::string_view bytes);

/// The text with U+FFFD for each byte that is not part of valid UTF-8.
std::string clean_utf8(std::string_view bytes);

} // namespace skein::schemas
