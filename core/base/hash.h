#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace skein {

/// SHA-256: names contents (definitions, blobs) and chains batches.
struct ContentHash {
  std::array<std::uint8_t, 32> bytes{};
  auto operator<=>(const ContentHash&) const = default;
};

/// SHA-256 of the bytes. Thread-safety: any thread.
ContentHash content_hash(std::string_view bytes);
/// SHA-256 of several pieces as if they were one.
ContentHash content_hash(std::span<const std::string_view> pieces);

/// "sha256:" and 64 hexadecimal digits.
std::string to_string(const ContentHash& hash);
std::optional<ContentHash> parse_content_hash(std::string_view text);

/// A fast 128-bit hash that compares states and effects; not against an adversary.
/// Source: XXH3, 128 bits.
struct Digest {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  auto operator<=>(const Digest&) const = default;
};

Digest digest(std::string_view bytes);
std::string to_string(const Digest& digest); ///< 32 hexadecimal digits

/// Digest of a set of cells that changes cell by cell: adding and removing cost the cell, not the
/// set. The order of additions does not matter. Source: AdHash (Bellare, Micciancio 1997), over
/// 2^128.
class SetDigest {
 public:
  void add(const Digest& cell);
  void remove(const Digest& cell);
  const Digest& value() const { return sum_; }
  bool operator==(const SetDigest&) const = default;

 private:
  Digest sum_;
};

} // namespace skein
