#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace skein {

/// A length of time in milliseconds.
struct Millis {
  std::int64_t count = 0;
  auto operator<=>(const Millis&) const = default;
};

/// A point of time in milliseconds since 1970-01-01T00:00:00Z. Core never asks a clock: every input
/// carries one.
struct Instant {
  std::int64_t ms = 0;
  auto operator<=>(const Instant&) const = default;
};

inline Instant operator+(Instant at, Millis span) { return Instant{at.ms + span.count}; }
inline Millis operator-(Instant a, Instant b) { return Millis{a.ms - b.ms}; }

/// "2026-11-21T09:00:00.000Z".
std::string to_string(Instant at);
/// "1h30m", "250ms", "0s": the largest units first, none that is zero.
std::string to_string(Millis span);

/// "250ms", "10s", "5m", "2h", "7d" and sums of them, largest first ("1h30m").
/// Errors: resource_value_invalid.
Result<Millis> parse_millis(std::string_view text);
/// RFC 3339, any offset.
/// Errors: resource_value_invalid.
Result<Instant> parse_instant(std::string_view text);

} // namespace skein
