#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace skein {

/// Whether the text is UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool valid_utf8(std::string_view text);

/// The text with U+FFFD for each byte that is not part of valid UTF-8.
std::string clean_utf8(std::string_view bytes);

/// The text, or as much of its beginning as fits into so many bytes, with … behind it.
/// REQUIRES: valid UTF-8, at least 3 bytes.
std::string clipped(std::string_view text, std::size_t bytes);

/// One code point and the bytes that it takes; size is 0 where the text is not UTF-8 or empty.
struct CodePoint {
  char32_t value = 0;
  std::size_t size = 0;
};

CodePoint decode_utf8(std::string_view text);

/// Appends the code point. REQUIRES: at most U+10FFFF and no surrogate.
void append_utf8(std::string& out, char32_t code_point);

/// The number of code points. REQUIRES: valid UTF-8.
std::size_t count_code_points(std::string_view text);

} // namespace skein
