#include "schemas/yaml_scalar.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

namespace skein::schemas {
namespace {

constexpr std::string_view kCoreTag = "tag:yaml.org,2002:";
constexpr std::uint64_t kMaxInt = std::numeric_limits<std::int64_t>::max();

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_octal(char c) { return c >= '0' && c <= '7'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool all(std::string_view text, bool (*is)(char)) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is);
}

std::string_view without_sign(std::string_view text) {
  return text.starts_with('-') || text.starts_with('+') ? text.substr(1) : text;
}

/// Takes the digits at the front off; answers how many there were.
std::size_t take_digits(std::string_view& text) {
  const std::size_t count =
      static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
  text.remove_prefix(count);
  return count;
}

/// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool is_real(std::string_view text) {
  text = without_sign(text);
  const std::size_t whole = take_digits(text);
  std::size_t fraction = 0;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    fraction = take_digits(text);
  }
  if (whole + fraction == 0) {
    return false;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text = without_sign(text.substr(1));
    return all(text, is_digit);
  }
  return text.empty();
}

bool is_unbounded(std::string_view text) {
  const std::string_view bare = without_sign(text);
  return bare == ".inf" || bare == ".Inf" || bare == ".INF" || text == ".nan" || text == ".NaN" ||
         text == ".NAN";
}

Error not_held(std::string_view text) {
  return Error{Code::yaml_invalid, std::string(text) + " is a number that 64 bits cannot hold",
               "put it into quotes if it is meant as text"};
}

Result<Value> integer(std::string_view text, std::string_view digits, int base) {
  std::uint64_t number = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  const bool negative = text.starts_with('-');
  if (error != std::errc() || (negative && number > kMaxInt + 1)) {
    return not_held(text);
  }
  if (negative) {
    return Value(static_cast<std::int64_t>(0 - number));
  }
  return number > kMaxInt ? Value::of_uint(number) : Value(static_cast<std::int64_t>(number));
}

Result<Value> real(std::string_view text) {
  const std::string_view bare = text.starts_with('+') ? text.substr(1) : text;
  double number = 0;
  const auto [end, error] = std::from_chars(bare.data(), bare.data() + bare.size(), number);
  if (error != std::errc()) {
    return not_held(text);
  }
  return Value(number);
}

std::optional<bool> boolean(std::string_view text) {
  if (text == "true" || text == "True" || text == "TRUE") {
    return true;
  }
  if (text == "false" || text == "False" || text == "FALSE") {
    return false;
  }
  return std::nullopt;
}

bool is_null(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

bool fits(std::string_view type, const Value& value) {
  switch (value.kind()) {
    case Kind::null:
      return type == "null";
    case Kind::boolean:
      return type == "bool";
    case Kind::integer:
    case Kind::uinteger:
      return type == "int" || type == "float";
    case Kind::real:
      return type == "float";
    default:
      return false;
  }
}

} // namespace

Result<Value> plain_scalar(std::string_view text) {
  if (is_null(text)) {
    return Value();
  }
  if (const auto b = boolean(text)) {
    return Value(*b);
  }
  if (all(without_sign(text), is_digit)) {
    return integer(text, without_sign(text), 10);
  }
  if (text.starts_with("0o") && all(text.substr(2), is_octal)) {
    return integer(text, text.substr(2), 8);
  }
  if (text.starts_with("0x") && all(text.substr(2), is_hex)) {
    return integer(text, text.substr(2), 16);
  }
  if (is_unbounded(text)) {
    return Error{Code::yaml_invalid, std::string(text) + " is not a finite number",
                 "put it into quotes if it is meant as text"};
  }
  return is_real(text) ? real(text) : Value(text);
}

Result<Value> tagged_scalar(std::string_view tag, std::string_view text) {
  if (!tag.starts_with(kCoreTag)) {
    return Error{Code::yaml_invalid, "the tag " + std::string(tag) + " is not allowed",
                 "remove it; files hold plain data only"};
  }
  const std::string_view type = tag.substr(kCoreTag.size());
  if (type == "str") {
    return Value(text);
  }
  if (type != "null" && type != "bool" && type != "int" && type != "float") {
    return Error{Code::yaml_invalid, "the tag !!" + std::string(type) + " is not allowed here",
                 "remove it; files hold plain data only"};
  }
  auto value = plain_scalar(text);
  if (value && !fits(type, *value)) {
    return Error{Code::yaml_invalid,
                 "\"" + std::string(text) + "\" is no value of the tag !!" + std::string(type)};
  }
  if (value && type == "float" && !value->is(Kind::real)) {
    return real(text);
  }
  return value;
}

} // namespace skein::schemas
