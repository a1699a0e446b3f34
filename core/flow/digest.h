#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/hash.h"
#include "core/base/instant.h"
#include "core/flow/event.h"
#include "core/flow/place.h"
#include "core/value/value.h"

namespace skein::flow {

/// Lays fields out unambiguously (fixed widths, lengths before bytes) and answers their digest.
/// The layout is part of the journal: a recorded digest must come out the same on every build.
class DigestWriter {
 public:
  DigestWriter& put(std::uint64_t word) {
    std::memcpy(room(sizeof word), &word, sizeof word); // little-endian, as the journal format says
    return *this;
  }
  DigestWriter& put(std::string_view text) {
    put(std::uint64_t{text.size()});
    std::memcpy(room(text.size()), text.data(), text.size());
    return *this;
  }
  DigestWriter& put(const std::string& text) { return put(std::string_view(text)); }
  DigestWriter& put(const Value& value);
  DigestWriter& put(const Place& place) {
    char* const at = room(sizeof(std::uint64_t) * (1 + place.depth));
    const std::uint64_t head = std::uint64_t{place.step} << 8 | place.depth;
    std::memcpy(at, &head, sizeof head);
    for (std::size_t i = 0; i < place.depth; ++i) {
      const std::uint64_t item = place.items[i];
      std::memcpy(at + sizeof head * (1 + i), &item, sizeof item);
    }
    return *this;
  }
  DigestWriter& put(const Digest& digest) {
    static_assert(sizeof digest == 2 * sizeof(std::uint64_t)); // low, high
    std::memcpy(room(sizeof digest), &digest, sizeof digest);
    return *this;
  }
  DigestWriter& put(const Failure& failure);
  Digest finish() const { return skein::digest({bytes_.data(), used_}); }
  /// Empty again, with its memory kept unless it is much.
  DigestWriter& clear() {
    used_ = 0;
    if (bytes_.size() > kKept) {
      bytes_ = {};
    }
    return *this;
  }

 private:
  static constexpr std::size_t kKept = 1u << 20;

  DigestWriter& put_large(const Value& value);
  void put_byte(std::uint8_t byte) { *room(1) = static_cast<char>(byte); }
  char* room(std::size_t size) {
    if (used_ + size > bytes_.size()) {
      grow(size);
    }
    char* const at = bytes_.data() + used_;
    used_ += size;
    return at;
  }
  void grow(std::size_t size);

  std::vector<char> bytes_;
  std::size_t used_ = 0;
};

Digest digest_of(const Value& value);

} // namespace skein::flow
