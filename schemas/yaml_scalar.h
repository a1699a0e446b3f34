#pragma once

#include <string_view>

#include "core/base/result.h"
#include "core/value/value.h"

namespace skein::schemas {

/// The value that a plain (unquoted) scalar stands for: null, bool, int, uint above 2^63-1, double,
/// or else a string. Source: YAML 1.2.2, section 10.3.2 (core schema).
/// Errors: yaml_invalid for numbers that 64 bits cannot hold, infinities and NaN.
Result<Value> plain_scalar(std::string_view text);

/// The value of a scalar under an explicit tag such as "tag:yaml.org,2002:int".
/// Errors: yaml_invalid where the tag is none of the core schema's, or the text is no such value.
Result<Value> tagged_scalar(std::string_view tag, std::string_view text);

} // namespace skein::schemas
