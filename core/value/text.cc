#include "core/value/text.h"

#include <date/date.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdlib>

#include "core/base/rfc3339.h"

namespace skein {
namespace {

__extension__ using Wide = __int128;

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void append_whole(std::string& out, auto number) {
  std::array<char, 24> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
  out.append(buffer.data(), end);
}

// ".5" of a second; nothing where there is no fraction.
void append_fraction(std::string& out, std::uint32_t nanos) {
  if (nanos == 0) {
    return;
  }
  std::array<char, 10> digits{'.'};
  for (std::size_t i = 9; i > 0; --i, nanos /= 10) {
    digits[i] = static_cast<char>('0' + nanos % 10);
  }
  std::string_view text(digits.data(), digits.size());
  out += text.substr(0, text.find_last_not_of('0') + 1);
}

void append_padded(std::string& out, unsigned number, int width) {
  std::array<char, 10> digits;
  for (int i = width - 1; i >= 0; --i, number /= 10) {
    digits[static_cast<std::size_t>(i)] = static_cast<char>('0' + number % 10);
  }
  out.append(digits.data(), static_cast<std::size_t>(width));
}

void append_timestamp(std::string& out, const Value& at) {
  const date::sys_seconds point{std::chrono::seconds(at.seconds())};
  const auto day = date::floor<date::days>(point);
  const date::year_month_day ymd(day);
  const auto second = static_cast<unsigned>((point - day).count());
  append_padded(out, static_cast<unsigned>(static_cast<int>(ymd.year())), 4);
  out += '-';
  append_padded(out, static_cast<unsigned>(ymd.month()), 2);
  out += '-';
  append_padded(out, static_cast<unsigned>(ymd.day()), 2);
  out += 'T';
  append_padded(out, second / 3600, 2);
  out += ':';
  append_padded(out, second / 60 % 60, 2);
  out += ':';
  append_padded(out, second % 60, 2);
  append_fraction(out, static_cast<std::uint32_t>(at.nanos()));
  out += 'Z';
}

void append_duration(std::string& out, const Value& span) {
  if (span.seconds() < 0 || span.nanos() < 0) {
    out += '-';
  }
  append_whole(out, static_cast<std::uint64_t>(std::abs(span.seconds())));
  append_fraction(out, static_cast<std::uint32_t>(std::abs(span.nanos())));
  out += 's';
}

bool take(std::string_view& text, char c) {
  const bool there = text.starts_with(c);
  text.remove_prefix(there ? 1 : 0);
  return there;
}

struct Unit {
  std::string_view name;
  std::int64_t nanos;
};

// "ms" before "m", so that the longer name is tried first.
constexpr std::array kUnits{Unit{"ms", 1'000'000},
                            Unit{"us", 1'000},
                            Unit{"µs", 1'000},
                            Unit{"ns", 1},
                            Unit{"h", 3'600'000'000'000LL},
                            Unit{"m", 60'000'000'000LL},
                            Unit{"s", 1'000'000'000LL}};

const Unit* take_unit(std::string_view& text) {
  for (const Unit& unit : kUnits) {
    if (text.starts_with(unit.name)) {
      text.remove_prefix(unit.name.size());
      return &unit;
    }
  }
  return nullptr;
}

// One "1.5h" of a duration, in nanoseconds.
std::optional<Wide> take_span(std::string_view& text) {
  Wide whole = 0;
  std::size_t digits = 0;
  for (; !text.empty() && text[0] >= '0' && text[0] <= '9' && digits < 20; ++digits) {
    whole = whole * 10 + (text[0] - '0');
    text.remove_prefix(1);
  }
  Wide fraction = 0;
  Wide scale = 1;
  if (take(text, '.')) {
    for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; ++digits) {
      if (scale < 1'000'000'000'000'000LL) {
        fraction = fraction * 10 + (text[0] - '0');
        scale *= 10;
      }
      text.remove_prefix(1);
    }
  }
  const Unit* unit = digits == 0 ? nullptr : take_unit(text);
  if (unit == nullptr) {
    return std::nullopt;
  }
  return whole * unit->nanos + fraction * unit->nanos / scale;
}

struct Decimal {
  std::array<char, 32> digits;
  int count;    ///< of digits
  int exponent; ///< the point stands after this many digits
};

Decimal shortest_decimal(double magnitude) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), magnitude,
                                 std::chars_format::scientific)
                       .ptr;
  Decimal decimal{{}, 0, 0};
  const char* at = text.data();
  for (; at != end && *at != 'e'; ++at) {
    if (*at != '.') {
      decimal.digits[static_cast<std::size_t>(decimal.count++)] = *at;
    }
  }
  ++at;
  at += *at == '+' ? 1 : 0;
  std::from_chars(at, end, decimal.exponent);
  ++decimal.exponent;
  return decimal;
}

// Source: ECMA-262, Number::toString.
void append_decimal(std::string& out, const Decimal& d) {
  const std::string_view digits(d.digits.data(), static_cast<std::size_t>(d.count));
  const auto zeros = [&](int count) { out.append(static_cast<std::size_t>(count), '0'); };
  if (d.count <= d.exponent && d.exponent <= 21) {
    out += digits;
    zeros(d.exponent - d.count);
  } else if (0 < d.exponent && d.exponent <= 21) {
    out += digits.substr(0, static_cast<std::size_t>(d.exponent));
    out += '.';
    out += digits.substr(static_cast<std::size_t>(d.exponent));
  } else if (-6 < d.exponent && d.exponent <= 0) {
    out += "0.";
    zeros(-d.exponent);
    out += digits;
  } else {
    out += digits[0];
    if (d.count > 1) {
      out += '.';
      out += digits.substr(1);
    }
    out += d.exponent > 0 ? "e+" : "e-";
    append_whole(out, std::abs(d.exponent - 1));
  }
}

} // namespace

void append_double(std::string& out, double number) {
  if (std::isnan(number)) {
    out += "NaN";
    return;
  }
  if (std::signbit(number) && number != 0) {
    out += '-';
  }
  const double magnitude = std::abs(number);
  if (magnitude == 0) {
    out += '0';
  } else if (std::isinf(magnitude)) {
    out += "Infinity";
  } else if (magnitude < 1e15 && std::trunc(magnitude) == magnitude) {
    append_whole(out, static_cast<std::uint64_t>(magnitude));
  } else {
    append_decimal(out, shortest_decimal(magnitude));
  }
}

void append_text(std::string& out, const Value& value) {
  switch (value.kind()) {
    case Kind::null:
      out += "null";
      break;
    case Kind::boolean:
      out += value.as_bool() ? "true" : "false";
      break;
    case Kind::integer:
      append_whole(out, value.as_int());
      break;
    case Kind::uinteger:
      append_whole(out, value.as_uint());
      break;
    case Kind::real:
      append_double(out, value.as_double());
      break;
    case Kind::timestamp:
      append_timestamp(out, value);
      break;
    case Kind::duration:
      append_duration(out, value);
      break;
    default:
      out += value.as_string();
  }
}

std::optional<Value> parse_timestamp(std::string_view text) {
  const auto at = parse_rfc3339(text);
  return at ? std::optional(Value::of_timestamp(at->seconds, at->nanos)) : std::nullopt;
}

std::optional<Value> parse_duration(std::string_view text) {
  const bool negative = take(text, '-');
  if (!negative) {
    take(text, '+');
  }
  if (text == "0") {
    return Value::of_duration(0, 0);
  }
  Wide total = 0;
  do {
    const auto span = take_span(text);
    if (!span) {
      return std::nullopt;
    }
    total += *span;
  } while (!text.empty() && total <= kLongestNanos);
  if (total > kLongestNanos) {
    return std::nullopt;
  }
  const auto nanos = static_cast<std::int64_t>(negative ? -total : total);
  return Value::of_duration(nanos / 1'000'000'000,
                            static_cast<std::int32_t>(nanos % 1'000'000'000));
}

void append_base64(std::string& out, std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::string_view group = bytes.substr(i, 3);
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      bits = bits << 8 | (k < group.size() ? static_cast<unsigned char>(group[k]) : 0u);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out += k <= group.size() ? kBase64[bits >> (18 - 6 * k) & 63] : '=';
    }
  }
}

std::optional<std::string> decode_base64(std::string_view text) {
  if (text.size() % 4 == 0) {
    text.remove_suffix(text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0);
  }
  if (text.size() % 4 == 1) {
    return std::nullopt;
  }
  std::string bytes;
  std::uint32_t bits = 0;
  int have = 0;
  for (const char c : text) {
    const std::size_t digit = kBase64.find(c);
    if (digit == std::string_view::npos) {
      return std::nullopt;
    }
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    have += 6;
    if (have >= 8) {
      have -= 8;
      bytes.push_back(static_cast<char>(bits >> have & 0xFF));
    }
  }
  return bytes;
}

} // namespace skein
