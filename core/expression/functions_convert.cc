#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/base/rfc3339.h"
#include "core/expression/function.h"
#include "core/value/text.h"
#include "core/value/utf8.h"

namespace skein::expression {
namespace {

bool same(Call& call) { return call.done(call[0]); }

bool range(Call& call, std::string_view type) {
  std::string shown;
  append_shown(shown, call[0]);
  return call.fail("range: " + shown + " is no " + std::string(type));
}

template <class Number>
std::optional<Number> parsed(std::string_view text) {
  Number number{};
  if (text.starts_with('+') && !text.starts_with("+-")) {
    text.remove_prefix(1);
  }
  const auto [end, failed] = std::from_chars(text.begin(), text.end(), number);
  return failed == std::errc{} && end == text.end() && !text.empty() ? std::optional(number)
                                                                     : std::nullopt;
}

bool int_of_uint(Call& call) {
  return call[0].as_uint() > INT64_MAX ? range(call, "int") : call.done(Value(call[0].as_int()));
}

bool int_of_double(Call& call) {
  const double real = call[0].as_double();
  return real > -0x1p63 && real < 0x1p63 ? call.done(Value(static_cast<std::int64_t>(real)))
                                         : range(call, "int");
}

bool int_of_string(Call& call) {
  const auto number = parsed<std::int64_t>(call[0].as_string());
  return number ? call.done(Value(*number)) : range(call, "int");
}

bool int_of_timestamp(Call& call) { return call.done(Value(call[0].seconds())); }

bool uint_of_int(Call& call) {
  return call[0].as_int() < 0 ? range(call, "uint") : call.done(Value::of_uint(call[0].as_uint()));
}

bool uint_of_double(Call& call) {
  const double real = call[0].as_double();
  return real >= 0 && real < 0x1p64 ? call.done(Value::of_uint(static_cast<std::uint64_t>(real)))
                                    : range(call, "uint");
}

bool uint_of_string(Call& call) {
  const auto number = parsed<std::uint64_t>(call[0].as_string());
  return number ? call.done(Value::of_uint(*number)) : range(call, "uint");
}

bool double_of_int(Call& call) { return call.done(Value(static_cast<double>(call[0].as_int()))); }

bool double_of_uint(Call& call) { return call.done(Value(static_cast<double>(call[0].as_uint()))); }

bool double_of_string(Call& call) {
  const std::string_view text = call[0].as_string();
  double number = 0;
  const std::string_view digits = text.substr(text.starts_with('+') ? 1 : 0);
  const auto [end, failed] = std::from_chars(digits.begin(), digits.end(), number);
  if (digits.empty() || end != digits.end() || digits.starts_with("+") ||
      failed == std::errc::invalid_argument) {
    return range(call, "double");
  }
  return failed == std::errc{} ? call.done(Value(number)) : range(call, "double");
}

bool string_of_scalar(Call& call) {
  std::string text;
  append_text(text, call[0]);
  return call.done(Value(text));
}

bool string_of_bytes(Call& call) {
  const std::string_view bytes = call[0].as_string();
  return !call.charge_bytes(bytes.size()) ? false
         : valid_utf8(bytes)              ? call.done(Value(bytes))
                                          : call.fail("invalid UTF-8 in bytes");
}

bool bytes_of_string(Call& call) {
  return call.charge_bytes(call[0].as_string().size()) &&
         call.done(Value::of_bytes(call[0].as_string()));
}

bool bool_of_string(Call& call) {
  constexpr std::string_view kTrue[]{"1", "t", "T", "true", "TRUE", "True"};
  constexpr std::string_view kFalse[]{"0", "f", "F", "false", "FALSE", "False"};
  const std::string_view text = call[0].as_string();
  if (std::ranges::find(kTrue, text) != std::end(kTrue)) {
    return call.done(Value(true));
  }
  return std::ranges::find(kFalse, text) != std::end(kFalse) ? call.done(Value(false))
                                                             : range(call, "bool");
}

bool timestamp_of_string(Call& call) {
  auto at = parse_timestamp(call[0].as_string());
  return at ? call.done(std::move(*at)) : range(call, "timestamp of the years 1 to 9999");
}

bool timestamp_of_int(Call& call) {
  const std::int64_t seconds = call[0].as_int();
  return seconds < kFirstSecond || seconds > kLastSecond
             ? range(call, "timestamp of the years 1 to 9999")
             : call.done(Value::of_timestamp(seconds, 0));
}

bool duration_of_string(Call& call) {
  auto span = parse_duration(call[0].as_string());
  return span ? call.done(std::move(*span)) : range(call, "duration, as 1h30m or 1.5s");
}

bool type_of(Call& call) { return call.done(Value::of_type(name_of(call[0].kind()))); }

bool encode_base64(Call& call) {
  std::string text;
  if (!call.charge_bytes(call[0].as_string().size())) {
    return false;
  }
  append_base64(text, call[0].as_string());
  return call.done(Value(text));
}

bool decode(Call& call) {
  if (!call.charge_bytes(call[0].as_string().size())) {
    return false;
  }
  const auto bytes = decode_base64(call[0].as_string());
  return bytes ? call.done(Value::of_bytes(*bytes)) : call.fail("text is no base64");
}

constexpr Overload kOverloads[]{
    {"int", "i", 'i', same},
    {"int", "u", 'i', int_of_uint},
    {"int", "d", 'i', int_of_double},
    {"int", "s", 'i', int_of_string},
    {"int", "t", 'i', int_of_timestamp},
    {"uint", "u", 'u', same},
    {"uint", "i", 'u', uint_of_int},
    {"uint", "d", 'u', uint_of_double},
    {"uint", "s", 'u', uint_of_string},
    {"double", "d", 'd', same},
    {"double", "i", 'd', double_of_int},
    {"double", "u", 'd', double_of_uint},
    {"double", "s", 'd', double_of_string},
    {"string", "s", 's', same},
    {"string", "i", 's', string_of_scalar},
    {"string", "u", 's', string_of_scalar},
    {"string", "d", 's', string_of_scalar},
    {"string", "b", 's', string_of_scalar},
    {"string", "t", 's', string_of_scalar},
    {"string", "r", 's', string_of_scalar},
    {"string", "y", 's', string_of_bytes},
    {"bytes", "y", 'y', same},
    {"bytes", "s", 'y', bytes_of_string},
    {"bool", "b", 'b', same},
    {"bool", "s", 'b', bool_of_string},
    {"timestamp", "t", 't', same},
    {"timestamp", "s", 't', timestamp_of_string},
    {"timestamp", "i", 't', timestamp_of_int},
    {"duration", "r", 'r', same},
    {"duration", "s", 'r', duration_of_string},
    {"dyn", "*", '*', same},
    {"type", "*", 'T', type_of},
    {"base64.encode", "y", 's', encode_base64},
    {"base64.decode", "s", 'y', decode},
};

} // namespace

std::span<const Overload> convert_functions() { return kOverloads; }

} // namespace skein::expression
