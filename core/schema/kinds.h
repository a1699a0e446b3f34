#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "core/schema/program.h"
#include "core/value/value.h"

/// How the kinds of a value look to JSON Schema.
namespace skein::schema {

inline constexpr std::array<std::pair<std::uint8_t, std::string_view>, 7> kTypeNames{{
    {kNullType, "null"},
    {kBooleanType, "boolean"},
    {kIntegerType, "integer"},
    {kNumberType, "number"},
    {kStringType, "string"},
    {kArrayType, "array"},
    {kObjectType, "object"},
}};

/// The types that the value has: a whole number is both integer and number.
std::uint8_t types_of(const Value& value);
/// "integer", "string" …
std::string_view type_name(const Value& value);
/// Items of an array, members of an object, 0 of everything else.
std::size_t size_of(const Value& value);
/// Equality of JSON values: numbers by value, whatever their kind.
bool equal(const Value& a, const Value& b);
/// Characters, not bytes. REQUIRES: valid UTF-8.
std::uint64_t length_of(std::string_view text);
bool all_unique(std::span<const Value> items);

/// Whether the text has the format; true for formats that are not known.
/// Source: JSON Schema validation 2020-12, section 7.3.
bool has_format(std::string_view format, std::string_view text);

} // namespace skein::schema
