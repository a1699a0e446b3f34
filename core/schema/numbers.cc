#include "core/schema/numbers.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string_view>

namespace skein::schema {
namespace {

__extension__ typedef unsigned __int128 Wide;

/// digits * 10^exponent
struct Decimal {
  std::uint64_t digits = 0;
  int exponent = 0;
};

Decimal decimal_of(double number) {
  char text[32] = {};
  const auto end =
      std::to_chars(text, text + sizeof text, std::fabs(number), std::chars_format::scientific);
  Decimal out;
  const std::string_view all(text, static_cast<std::size_t>(end.ptr - text));
  const std::size_t e = all.find('e');
  bool fraction = false;
  for (const char c : all.substr(0, e)) {
    if (c == '.') {
      fraction = true;
      continue;
    }
    out.digits = out.digits * 10 + static_cast<std::uint64_t>(c - '0');
    out.exponent -= fraction ? 1 : 0;
  }
  out.exponent += std::atoi(all.substr(e + 1).data());
  return out;
}

Decimal decimal_of(const Value& value) {
  if (value.is(Kind::uinteger)) {
    return {value.as_uint(), 0};
  }
  if (value.is(Kind::integer)) {
    const auto bits = static_cast<std::uint64_t>(value.as_int());
    return {value.as_int() < 0 ? 0 - bits : bits, 0};
  }
  return decimal_of(value.as_double());
}

long double wide(const Value& value) {
  switch (value.kind()) {
    case Kind::integer:
      return static_cast<long double>(value.as_int());
    case Kind::uinteger:
      return static_cast<long double>(value.as_uint());
    default:
      return static_cast<long double>(value.as_double());
  }
}

} // namespace

bool is_number(const Value& value) {
  return value.is(Kind::integer) || value.is(Kind::uinteger) || value.is(Kind::real);
}

bool is_whole(const Value& value) {
  if (!value.is(Kind::real)) {
    return is_number(value);
  }
  return std::isfinite(value.as_double()) && std::trunc(value.as_double()) == value.as_double();
}

std::optional<std::uint64_t> to_count(const Value& value) {
  if (!is_whole(value) || less(value, Value(0)) || wide(value) >= 18446744073709551616.0L) {
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(wide(value));
}

// A long double holds every int64, uint64 and double exactly on the platforms of this project.
bool less(const Value& a, const Value& b) { return wide(a) < wide(b); }

bool is_multiple(const Value& value, const Value& divisor) {
  if (value.is(Kind::real) && !std::isfinite(value.as_double())) {
    return false;
  }
  const Decimal v = decimal_of(value);
  const Decimal d = decimal_of(divisor);
  if (v.digits == 0) {
    return true;
  }
  int shift = v.exponent - d.exponent;
  Wide by = d.digits;
  for (; shift < 0; ++shift) {
    if (by > v.digits) {
      return false;
    }
    by *= 10;
  }
  Wide rest = v.digits % by;
  for (; shift > 0 && rest != 0; --shift) {
    rest = rest * 10 % by;
  }
  return rest == 0;
}

} // namespace skein::schema
