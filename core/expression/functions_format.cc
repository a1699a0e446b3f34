#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "core/expression/function.h"
#include "core/value/text.h"

namespace skein::expression {
namespace {

constexpr std::uint64_t kMostDigits = 1000; // behind the point

struct Clause {
  char verb;
  int precision; ///< -1 where none is given
};

bool refuse(Call& call, std::string_view why, const Value& given) {
  return call.fail("error during formatting: " + std::string(why) + ", was given " +
                   std::string(name_of(given.kind())));
}

bool special(std::string& out, double number) {
  if (std::isfinite(number)) {
    return false;
  }
  append_double(out, number);
  return true;
}

bool append_string(Call& call, std::string& out, const Value& value);

bool append_list(Call& call, std::string& out, const Value& value) {
  out += '[';
  for (const Value& item : value.as_list()) {
    out += &item == value.as_list().data() ? "" : ", ";
    if (!append_string(call, out, item)) {
      return false;
    }
  }
  out += ']';
  return true;
}

bool append_map(Call& call, std::string& out, const Value& value) {
  std::vector<std::pair<std::string, const Value*>> entries;
  for (const auto& [key, item] : value.as_map()) {
    entries.emplace_back(std::string(), &item);
    append_text(entries.back().first, key);
  }
  std::ranges::sort(entries, {}, &decltype(entries)::value_type::first);
  out += '{';
  for (const auto& [key, item] : entries) {
    out += (&key == &entries.front().first ? "" : ", ") + key + ": ";
    if (!append_string(call, out, *item)) {
      return false;
    }
  }
  out += '}';
  return true;
}

bool append_string(Call& call, std::string& out, const Value& value) {
  switch (value.kind()) {
    case Kind::list:
      return append_list(call, out, value);
    case Kind::map:
      return append_map(call, out, value);
    case Kind::optional:
      return refuse(call,
                    "string clause can only be used on strings, bools, bytes, ints, doubles, maps, "
                    "lists, types, durations, and timestamps",
                    value);
    default:
      append_text(out, value);
      return true;
  }
}

bool append_radix(std::string& out, const Value& value, int radix) {
  std::array<char, 70> digits;
  const auto end = value.is(Kind::integer)
                       ? std::to_chars(digits.begin(), digits.end(), value.as_int(), radix).ptr
                       : std::to_chars(digits.begin(), digits.end(), value.as_uint(), radix).ptr;
  out.append(digits.begin(), end);
  return true;
}

bool is_whole(const Value& value) { return value.is(Kind::integer) || value.is(Kind::uinteger); }

bool append_decimal(Call& call, std::string& out, const Value& value) {
  if (is_whole(value)) {
    return append_radix(out, value, 10);
  }
  if (value.is(Kind::real) && special(out, value.as_double())) {
    return true;
  }
  return refuse(call, "decimal clause can only be used on integers", value);
}

bool append_binary(Call& call, std::string& out, const Value& value) {
  if (value.is(Kind::boolean)) {
    out += value.as_bool() ? '1' : '0';
    return true;
  }
  return is_whole(value)
             ? append_radix(out, value, 2)
             : refuse(call, "only integers and bools can be formatted as binary", value);
}

bool append_hex(Call& call, std::string& out, const Value& value, bool upper) {
  const std::size_t from = out.size();
  if (value.is(Kind::string) || value.is(Kind::bytes)) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    for (const char c : value.as_string()) {
      out += kDigits[static_cast<unsigned char>(c) >> 4];
      out += kDigits[c & 15];
    }
  } else if (is_whole(value)) {
    append_radix(out, value, 16);
  } else {
    return refuse(call, "only integers, byte buffers, and strings can be formatted as hex", value);
  }
  if (upper) {
    std::transform(out.begin() + static_cast<std::ptrdiff_t>(from), out.end(),
                   out.begin() + static_cast<std::ptrdiff_t>(from),
                   [](char c) { return c >= 'a' ? static_cast<char>(c - 0x20) : c; });
  }
  return true;
}

bool append_real(Call& call, std::string& out, const Value& value, Clause clause) {
  double number = 0;
  if (value.is(Kind::real)) {
    number = value.as_double();
  } else if (value.is(Kind::integer)) {
    number = static_cast<double>(value.as_int());
  } else if (value.is(Kind::uinteger)) {
    number = static_cast<double>(value.as_uint());
  } else {
    return refuse(call,
                  clause.verb == 'e' ? "scientific clause can only be used on doubles"
                                     : "fixed-point clause can only be used on doubles",
                  value);
  }
  if (special(out, number)) {
    return true;
  }
  constexpr int kUsual = 6;
  std::array<char, kMostDigits + 400> digits;
  const auto end =
      std::to_chars(digits.begin(), digits.end(), number,
                    clause.verb == 'e' ? std::chars_format::scientific : std::chars_format::fixed,
                    clause.precision < 0 ? kUsual : clause.precision);
  out.append(digits.begin(), end.ptr);
  return true;
}

bool append_clause(Call& call, std::string& out, const Value& value, Clause clause) {
  if (!call.charge_bytes(16 * static_cast<std::size_t>(value.weight()) +
                         (clause.precision > 0 ? static_cast<std::size_t>(clause.precision) : 0))) {
    return false;
  }
  switch (clause.verb) {
    case 's':
      return append_string(call, out, value);
    case 'd':
      return append_decimal(call, out, value);
    case 'b':
      return append_binary(call, out, value);
    case 'o':
      return is_whole(value) ? append_radix(out, value, 8)
                             : refuse(call, "octal clause can only be used on integers", value);
    case 'x':
    case 'X':
      return append_hex(call, out, value, clause.verb == 'X');
    default:
      return append_real(call, out, value, clause);
  }
}

// Reads what stands behind a % sign; false with the reason told.
bool read_clause(Call& call, std::string_view& rest, Clause& clause) {
  constexpr std::string_view kBad = "could not parse formatting clause: ";
  clause.precision = -1;
  if (rest.starts_with('.')) {
    std::uint64_t precision = 0;
    const auto [end, failed] = std::from_chars(rest.begin() + 1, rest.end(), precision);
    if (failed != std::errc{} || precision > kMostDigits) {
      return call.fail(std::string(kBad) + "error while parsing precision");
    }
    rest.remove_prefix(static_cast<std::size_t>(end - rest.begin()));
    clause.precision = static_cast<int>(precision);
  }
  if (rest.empty()) {
    return call.fail(std::string(kBad) + "unexpected end of string");
  }
  clause.verb = rest[0];
  if (std::string_view("sdfexXbo").find(clause.verb) == std::string_view::npos) {
    return call.fail(std::string(kBad) + "unrecognized formatting clause \"" +
                     std::string(1, clause.verb) + "\"");
  }
  rest.remove_prefix(1);
  return true;
}

bool format(Call& call) {
  std::string_view rest = call[0].as_string();
  const auto items = call[1].as_list();
  std::string out;
  std::size_t next = 0;
  if (!call.charge_bytes(rest.size())) {
    return false;
  }
  for (;;) {
    const std::size_t sign = rest.find('%');
    out += rest.substr(0, sign);
    if (sign == std::string_view::npos) {
      return call.done(Value(out));
    }
    rest.remove_prefix(sign + 1);
    if (rest.starts_with('%')) {
      out += '%';
      rest.remove_prefix(1);
      continue;
    }
    Clause clause{};
    if (!read_clause(call, rest, clause)) {
      return false;
    }
    if (next >= items.size()) {
      return call.fail("index " + std::to_string(next) + " out of range");
    }
    if (!append_clause(call, out, items[next++], clause)) {
      return false;
    }
  }
}

constexpr Overload kOverloads[]{{".format", "sl", 's', format}};

} // namespace

std::span<const Overload> format_functions() { return kOverloads; }

} // namespace skein::expression
