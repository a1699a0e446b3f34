#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace skein {

/// The number of leading bytes that a JSON string holds as they are: no quote, backslash or control
/// character, and where `ascii` nothing above 0x7F. Source: Lamport, "Multiple byte processing with
/// full-word instructions", 1975; eight bytes at a time.
inline std::size_t plain_prefix(std::string_view text, bool ascii) {
  constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
  constexpr std::uint64_t kHighs = 0x8080808080808080ULL;
  static_assert(std::endian::native == std::endian::little);
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, 8);
    const std::uint64_t quote = word ^ (kOnes * '"');
    const std::uint64_t slash = word ^ (kOnes * '\\');
    const std::uint64_t found = ((word - kOnes * 0x20) & ~word) | ((quote - kOnes) & ~quote) |
                                ((slash - kOnes) & ~slash) | (ascii ? word : 0);
    if ((found & kHighs) != 0) {
      return at + static_cast<std::size_t>(std::countr_zero(found & kHighs)) / 8;
    }
  }
  for (; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x20 || byte == '"' || byte == '\\' || (ascii && byte >= 0x80)) {
      break;
    }
  }
  return at;
}

} // namespace skein
