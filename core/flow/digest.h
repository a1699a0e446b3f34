#pragma once

#include <cstdint>
#include <string>
#include <string_view>

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
  DigestWriter& put(std::uint64_t word);
  DigestWriter& put(std::string_view text);
  DigestWriter& put(const std::string& text) { return put(std::string_view(text)); }
  DigestWriter& put(const Value& value);
  DigestWriter& put(const Place& place);
  DigestWriter& put(const Digest& digest);
  DigestWriter& put(const Failure& failure);
  Digest finish() const { return skein::digest(bytes_); }
  void clear() { bytes_.clear(); }

 private:
  std::string bytes_;
};

Digest digest_of(const Value& value);

} // namespace skein::flow
