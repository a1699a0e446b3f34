#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/value/value.h"

namespace skein {

/// Appends CEL's string(value) of a scalar: 1, 1.5, true, null, the text itself,
/// 2009-02-13T23:31:30.5Z, 1.5s, the name of a type. REQUIRES: no list, map or optional.
void append_text(std::string& out, const Value& value);

/// Shortest decimal that reads back as the same double, laid out as ECMAScript's Number::toString.
/// NaN, Infinity and -Infinity by name.
void append_double(std::string& out, double number);

/// RFC 3339 with any offset and up to nine digits of a second.
std::optional<Value> parse_timestamp(std::string_view text);
/// Go's duration syntax: "1h30m", "-1.5s", "10ms"; h, m, s, ms, us, ns.
std::optional<Value> parse_duration(std::string_view text);

/// Standard alphabet, padded. Source: RFC 4648.
void append_base64(std::string& out, std::string_view bytes);
/// Padding may be left out, as CEL allows.
std::optional<std::string> decode_base64(std::string_view text);

/// The longest duration, either way: 64 bits of nanoseconds.
inline constexpr std::int64_t kLongestNanos = INT64_MAX;

} // namespace skein
