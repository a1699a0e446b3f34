#include "schemas/text.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace skein::schemas {
namespace {

std::uint8_t at(std::string_view bytes, std::size_t i) {
  return static_cast<std::uint8_t>(bytes[i]);
}

bool continues(std::string_view bytes, std::size_t i) {
  return i < bytes.size() && (at(bytes, i) & 0xC0) == 0x80;
}

/// Bytes of the character at `i`; 0 where there is none. Source: RFC 3629, section 4.
std::size_t character_at(std::string_view bytes, std::size_t i) {
  const std::uint8_t lead = at(bytes, i);
  if (lead < 0x80) {
    return 1;
  }
  if (lead >= 0xC2 && lead <= 0xDF) {
    return continues(bytes, i + 1) ? 2 : 0;
  }
  if (lead < 0xE0 || lead > 0xF4 || !continues(bytes, i + 1) || !continues(bytes, i + 2)) {
    return 0;
  }
  const std::uint8_t second = at(bytes, i + 1);
  if (lead <= 0xEF) {
    const bool overlong = lead == 0xE0 && second < 0xA0;
    const bool surrogate = lead == 0xED && second > 0x9F;
    return overlong || surrogate ? 0 : 3;
  }
  const bool overlong = lead == 0xF0 && second < 0x90;
  const bool too_large = lead == 0xF4 && second > 0x8F;
  return overlong || too_large || !continues(bytes, i + 3) ? 0 : 4;
}

/// Position of the first byte that is not ASCII, from `i`; eight at a time.
std::size_t skip_ascii(std::string_view bytes, std::size_t i) {
  while (i + 8 <= bytes.size()) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + i, 8);
    if ((word & 0x8080808080808080u) != 0) {
      break;
    }
    i += 8;
  }
  while (i < bytes.size() && at(bytes, i) < 0x80) {
    ++i;
  }
  return i;
}

} // namespace

bool is_utf8(std::string_view bytes) {
  std::size_t i = skip_ascii(bytes, 0);
  while (i < bytes.size()) {
    const std::size_t length = character_at(bytes, i);
    if (length == 0) {
      return false;
    }
    i = skip_ascii(bytes, i + length);
  }
  return true;
}

std::string clean_utf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() + 8);
  for (std::size_t i = 0; i < bytes.size();) {
    const std::size_t length = character_at(bytes, i);
    if (length == 0) {
      text += "\xEF\xBF\xBD";
      ++i;
    } else {
      text += bytes.substr(i, length);
      i += length;
    }
  }
  return text;
}

} // namespace skein::schemas
