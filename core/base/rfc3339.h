#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace skein {

/// The first and last second that a date of the years 0001 to 9999 has, since 1970.
inline constexpr std::int64_t kFirstSecond = -62'135'596'800;
inline constexpr std::int64_t kLastSecond = 253'402'300'799;

struct Rfc3339 {
  std::int64_t seconds; ///< since 1970 in UTC, from kFirstSecond to kLastSecond
  std::uint32_t nanos;  ///< below 10^9
};

/// "2026-11-21T09:00:00.5+01:00": any offset; digits of a second beyond the ninth are dropped; no
/// leap seconds. Source: RFC 3339, section 5.6.
std::optional<Rfc3339> parse_rfc3339(std::string_view text);

} // namespace skein
