#pragma once

#include "core/value/value.h"

namespace skein::schema {

/// The value with what the schema's `default` says for members that are not there: of `properties`,
/// and of those of the objects and lists in them. A value that is there, null too, is left as it
/// is; a `default` behind `$ref`, `allOf` and their like is an annotation, as the draft says.
/// REQUIRES: the schema compiles. Pure.
Value with_defaults(const Value& schema, const Value& value);

} // namespace skein::schema
