#pragma once

#include <cstdint>
#include <optional>

#include "core/value/value.h"

/// The little arithmetic that schemas need, exact across int, uint and double.
namespace skein::schema {

bool is_number(const Value& value);
/// Whether the value is a whole number: 3, 3u and 3.0 are.
bool is_whole(const Value& value);
/// A whole number that is not negative and fits 64 bits.
std::optional<std::uint64_t> to_count(const Value& value);
/// a < b. REQUIRES: numbers.
bool less(const Value& a, const Value& b);
/// Whether value / divisor is whole, by the decimal digits that both are written with, so that
/// 0.0075 is a multiple of 0.0001. REQUIRES: numbers, divisor > 0.
bool is_multiple(const Value& value, const Value& divisor);

} // namespace skein::schema
