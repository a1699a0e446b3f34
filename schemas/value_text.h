#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/value/value.h"

/// Values as JSON text without loss of kind.
///
/// Most values are made of what JSON can tell apart and are written plainly. A value that holds
/// anything else is written as tagged JSON, where each such part is an object of one key:
///
///   {"$uint": 5}  {"$double": "1"}  {"$bytes": "AP8="}  {"$timestamp": [s, ns]}
///   {"$duration": [s, ns]}  {"$type": "int"}  {"$some": value}  {"$none": null}
///   {"$map": [[key, value], …]}    a map with keys that are no strings or begin with "$"
namespace skein::schemas {

/// Appends the text; answers whether it is tagged.
bool append_value(std::string& out, const Value& value);

/// Errors: wire_invalid, wire_limit.
Result<Value> parse_value(std::string_view text, bool tagged);

} // namespace skein::schemas
