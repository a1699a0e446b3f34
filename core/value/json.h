#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/value/value.h"

namespace skein {

struct JsonLimits {
  std::size_t max_bytes = 64u << 20;
  std::size_t max_depth = 64;
};

/// Reads one JSON text (RFC 8259). Whole numbers become int, or uint above 2^63-1; others double.
/// Refuses duplicate keys, invalid UTF-8, lone surrogates, numbers beyond a double, whole numbers
/// that 64 bits cannot hold (unless written exactly as to_json writes a double), and text after the
/// value. max_depth counts above 1000 as 1000.
/// Errors: json_invalid (with the byte offset), json_limit.
Result<Value> parse_json(std::string_view text, const JsonLimits& limits = {});

/// Canonical JSON (RFC 8785): sorted keys, no white space, shortest numbers; equal values give
/// equal text. Kinds that JSON has not: bytes as base64, timestamp and duration as CEL's string(),
/// uint as a number, type as its name, optional as its value or null, NaN and infinities as null,
/// map keys that are no strings as CEL's string(), where a string key of the same text goes before.
/// int and uint are written as whole numbers without loss, which RFC 8785 leaves to doubles.
std::string to_json(const Value& value);
void append_json(std::string& out, const Value& value);

/// What parse_json(to_json(value)) gives, without the text: a value that was stored and one that
/// was not are then the same (1.0 comes back as the int 1, bytes as a string).
/// REQUIRES: at most 1000 levels.
Value as_json(const Value& value);

/// The same with two spaces of indentation, for people.
std::string to_pretty_json(const Value& value);

} // namespace skein
