#pragma once

#include "core/base/result.h"
#include "core/value/value.h"

/// Operations on JSON documents.
namespace skein::tools {

/// Source: RFC 7396, JSON Merge Patch.
Value merge_patch(const Value& target, const Value& patch);

/// The operations that make `to` out of `from`: add, remove and replace. Lists are compared by
/// their common beginning and end. Source: RFC 6902, JSON Patch.
Value diff_patch(const Value& from, const Value& to);

/// What a pointer points to; null where there is nothing. Source: RFC 6901, JSON Pointer.
/// Errors: tool_input_invalid (no pointer).
Result<const Value*> at_pointer(const Value& document, std::string_view pointer);

} // namespace skein::tools
