#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace skein {

/// Fewer than eight bytes as a word, filled up with spaces. REQUIRES: size is 1 to 7. Two loads
/// that overlap, because a copy through memory waits for its own store.
inline std::uint64_t padded_word(const char* bytes, std::size_t size) {
  constexpr std::uint64_t kSpaces = 0x2020202020202020ULL;
  std::uint64_t word = 0;
  if (size >= sizeof(std::uint32_t)) {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    std::memcpy(&first, bytes, sizeof first);
    std::memcpy(&last, bytes + size - sizeof last, sizeof last);
    word = first | std::uint64_t{last} << (8 * (size - sizeof last));
  } else {
    const auto byte = [&](std::size_t i) {
      return std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
    };
    word = byte(0) | byte(size / 2) | byte(size - 1);
  }
  return word | kSpaces << (8 * size);
}

/// The number of leading bytes that a JSON string holds as they are: no quote, backslash or control
/// character, and where `ascii` nothing above 0x7F. Source: Lamport, "Multiple byte processing with
/// full-word instructions", 1975; eight bytes at a time.
inline std::size_t plain_prefix(std::string_view text, bool ascii) {
  constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
  constexpr std::uint64_t kHighs = 0x8080808080808080ULL;
  static_assert(std::endian::native == std::endian::little);
  for (std::size_t at = 0; at < text.size(); at += sizeof(std::uint64_t)) {
    const char* const bytes = text.data() + at;
    std::uint64_t word = 0;
    if (text.size() - at >= sizeof word) {
      std::memcpy(&word, bytes, sizeof word);
    } else {
      word = padded_word(bytes, text.size() - at);
    }
    const std::uint64_t quote = word ^ (kOnes * '"');
    const std::uint64_t slash = word ^ (kOnes * '\\');
    const std::uint64_t found = ((word - kOnes * 0x20) & ~word) | ((quote - kOnes) & ~quote) |
                                ((slash - kOnes) & ~slash) | (ascii ? word : 0);
    if ((found & kHighs) != 0) {
      return at + static_cast<std::size_t>(std::countr_zero(found & kHighs)) / 8;
    }
  }
  return text.size();
}

} // namespace skein
