#include "schemas/value_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/rfc3339.h"
#include "core/value/json.h"
#include "core/value/text.h"

namespace skein::schemas {
namespace {

/// Deeper than any value that a limit of core lets through, wrapping included.
constexpr JsonLimits kLimits{.max_bytes = 256u << 20, .max_depth = 512};

/// From here on doubles are written with an exponent, so they do not read as whole numbers.
constexpr double kExponentFrom = 1e21;

constexpr std::int64_t kMaxNanos = 999'999'999;

/// Numbers that read back as the kind they are.
bool is_plain_double(double d) {
  return std::isfinite(d) && (d != std::trunc(d) || std::abs(d) >= kExponentFrom);
}

bool is_plain_uint(std::uint64_t u) {
  return u > std::uint64_t{std::numeric_limits<std::int64_t>::max()};
}

bool needs_no_escape(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= ' ' && c != '"' && c != '\\') || c < 0; });
}

void append_text_of(std::string& out, const Value& text) {
  if (!needs_no_escape(text.as_string())) {
    append_json(out, text);
    return;
  }
  out += '"';
  out += text.as_string();
  out += '"';
}

void append_int(std::string& out, std::int64_t number) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

bool append_plain(std::string& out, const Value& value);

bool append_plain_list(std::string& out, const Value& list) {
  char before = '[';
  for (const Value& item : list.as_list()) {
    out += before;
    before = ',';
    if (!append_plain(out, item)) {
      return false;
    }
  }
  out += before == '[' ? "[]" : "]";
  return true;
}

bool append_plain_map(std::string& out, const Value& map) {
  char before = '{';
  for (const auto& [key, item] : map.as_map()) {
    out += before;
    before = ',';
    if (!key.is(Kind::string)) {
      return false;
    }
    append_text_of(out, key);
    out += ':';
    if (!append_plain(out, item)) {
      return false;
    }
  }
  out += before == '{' ? "{}" : "}";
  return true;
}

bool append_number(std::string& out, const Value& number, bool plain) {
  if (plain) {
    append_json(out, number);
  }
  return plain;
}

/// Checks and writes in one pass, because every entry pays for it. False, with a part written,
/// where the value holds a kind that JSON has not.
bool append_plain(std::string& out, const Value& value) {
  switch (value.kind()) {
    case Kind::null:
      out += "null";
      return true;
    case Kind::boolean:
      out += value.as_bool() ? "true" : "false";
      return true;
    case Kind::integer:
      append_int(out, value.as_int());
      return true;
    case Kind::string:
      append_text_of(out, value);
      return true;
    case Kind::uinteger:
      return append_number(out, value, is_plain_uint(value.as_uint()));
    case Kind::real:
      return append_number(out, value, is_plain_double(value.as_double()));
    case Kind::list:
      return append_plain_list(out, value);
    case Kind::map:
      return append_plain_map(out, value);
    default:
      return false;
  }
}

Value wrap(const char* tag, Value value) { return object({{tag, std::move(value)}}); }

Value tag(const Value& value);

Value tag_double(double d) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), d).ptr;
  return wrap("$double",
              std::string_view(text.data(), static_cast<std::size_t>(end - text.data())));
}

Value tag_time(const char* name, const Value& value) {
  return wrap(name, Value::of_list({value.seconds(), std::int64_t{value.nanos()}}));
}

Value tag_list(const Value& value) {
  std::vector<Value> items;
  items.reserve(value.as_list().size());
  for (const Value& item : value.as_list()) {
    items.push_back(tag(item));
  }
  return Value::of_list(std::move(items));
}

bool has_simple_keys(const Value& value) {
  return std::all_of(value.as_map().begin(), value.as_map().end(), [](const MapEntry& entry) {
    return entry.first.is(Kind::string) && !entry.first.as_string().starts_with('$');
  });
}

Value tag_map(const Value& value) {
  if (has_simple_keys(value)) {
    std::vector<MapEntry> entries;
    for (const auto& [key, item] : value.as_map()) {
      entries.emplace_back(key, tag(item));
    }
    return Value::of_map(std::move(entries));
  }
  std::vector<Value> pairs;
  for (const auto& [key, item] : value.as_map()) {
    pairs.push_back(Value::of_list({tag(key), tag(item)}));
  }
  return wrap("$map", Value::of_list(std::move(pairs)));
}

Value tag(const Value& value) {
  switch (value.kind()) {
    case Kind::list:
      return tag_list(value);
    case Kind::map:
      return tag_map(value);
    case Kind::bytes:
      return wrap("$bytes", value); // JSON text writes bytes as base64
    case Kind::timestamp:
      return tag_time("$timestamp", value);
    case Kind::duration:
      return tag_time("$duration", value);
    case Kind::type:
      return wrap("$type", value.as_string());
    case Kind::optional:
      return value.optional_value() != nullptr ? wrap("$some", tag(*value.optional_value()))
                                               : wrap("$none", Value());
    case Kind::uinteger:
      return is_plain_uint(value.as_uint()) ? value : wrap("$uint", value);
    case Kind::real:
      return is_plain_double(value.as_double()) ? value : tag_double(value.as_double());
    default:
      return value;
  }
}

Error bad_tag(std::string_view name) {
  return Error{Code::wire_invalid, "\"" + std::string(name) + "\" does not hold what its tag says"};
}

Result<Value> untag(const Value& value);

Result<Value> untag_bytes(const Value& held) {
  auto bytes = held.is(Kind::string) ? decode_base64(held.as_string()) : std::nullopt;
  if (!bytes) {
    return bad_tag("$bytes");
  }
  return Value::of_bytes(*bytes);
}

Result<Value> untag_double(const Value& held) {
  if (!held.is(Kind::string)) {
    return bad_tag("$double");
  }
  const std::string_view text = held.as_string();
  double d = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), d);
  if (error != std::errc() || end != text.data() + text.size()) {
    return bad_tag("$double");
  }
  return Value(d);
}

Result<Value> untag_uint(const Value& held) {
  if (!held.is(Kind::integer) || held.as_int() < 0) {
    return bad_tag("$uint");
  }
  return Value::of_uint(static_cast<std::uint64_t>(held.as_int()));
}

/// Seconds and nanoseconds, where they are that.
std::optional<std::pair<std::int64_t, std::int64_t>> time_of(const Value& held) {
  if (!held.is(Kind::list) || held.as_list().size() != 2 || !held.as_list()[0].is(Kind::integer) ||
      !held.as_list()[1].is(Kind::integer)) {
    return std::nullopt;
  }
  const std::int64_t seconds = held.as_list()[0].as_int();
  const std::int64_t nanos = held.as_list()[1].as_int();
  if (nanos < -kMaxNanos || nanos > kMaxNanos) {
    return std::nullopt;
  }
  return std::pair(seconds, nanos);
}

Result<Value> untag_timestamp(const Value& held) {
  const auto time = time_of(held);
  if (!time || time->second < 0 || time->first < kFirstSecond || time->first > kLastSecond) {
    return bad_tag("$timestamp");
  }
  return Value::of_timestamp(time->first, static_cast<std::uint32_t>(time->second));
}

Result<Value> untag_duration(const Value& held) {
  const auto time = time_of(held);
  if (!time || (time->first < 0 && time->second > 0) || (time->first > 0 && time->second < 0)) {
    return bad_tag("$duration");
  }
  return Value::of_duration(time->first, static_cast<std::int32_t>(time->second));
}

Result<Value> untag_type(const Value& held) {
  if (!held.is(Kind::string)) {
    return bad_tag("$type");
  }
  return Value::of_type(held.as_string());
}

Result<Value> untag_some(const Value& held) {
  auto value = untag(held);
  if (!value) {
    return value;
  }
  return Value::some(std::move(*value));
}

Result<Value> untag_none(const Value& held) {
  if (!held.is_null()) {
    return bad_tag("$none");
  }
  return Value::none();
}

bool may_be_key(const Value& key) {
  return key.is(Kind::boolean) || key.is(Kind::integer) || key.is(Kind::uinteger) ||
         key.is(Kind::string);
}

/// No two keys equal, which of_map requires. Sorting first keeps it cheap for hostile sizes.
bool keys_differ(std::vector<MapEntry>& entries) {
  std::sort(entries.begin(), entries.end(), [](const MapEntry& a, const MapEntry& b) {
    return compare_keys(a.first, b.first) < 0;
  });
  return std::adjacent_find(entries.begin(), entries.end(),
                            [](const MapEntry& a, const MapEntry& b) {
                              return compare_keys(a.first, b.first) == 0;
                            }) == entries.end();
}

Result<Value> untag_map(const Value& held) {
  if (!held.is(Kind::list)) {
    return bad_tag("$map");
  }
  std::vector<MapEntry> entries;
  for (const Value& pair : held.as_list()) {
    if (!pair.is(Kind::list) || pair.as_list().size() != 2) {
      return bad_tag("$map");
    }
    auto key = untag(pair.as_list()[0]);
    auto item = untag(pair.as_list()[1]);
    if (!key || !item) {
      return key ? item : key;
    }
    if (!may_be_key(*key)) {
      return bad_tag("$map");
    }
    entries.emplace_back(std::move(*key), std::move(*item));
  }
  if (!keys_differ(entries)) {
    return bad_tag("$map");
  }
  return Value::of_map(std::move(entries));
}

using Untag = Result<Value> (*)(const Value&);
constexpr std::array<std::pair<std::string_view, Untag>, 9> kTags{{{"$bytes", untag_bytes},
                                                                   {"$double", untag_double},
                                                                   {"$duration", untag_duration},
                                                                   {"$map", untag_map},
                                                                   {"$none", untag_none},
                                                                   {"$some", untag_some},
                                                                   {"$timestamp", untag_timestamp},
                                                                   {"$type", untag_type},
                                                                   {"$uint", untag_uint}}};

Result<Value> untag_object(const Value& value) {
  const auto entries = value.as_map();
  if (entries.size() == 1 && entries[0].first.as_string().starts_with('$')) {
    const std::string_view name = entries[0].first.as_string();
    for (const auto& [known, read] : kTags) {
      if (known == name) {
        return read(entries[0].second);
      }
    }
    return Error{Code::wire_version, "no value has the tag \"" + std::string(name) + "\"",
                 "a newer Skein wrote this: upgrade this node"};
  }
  std::vector<MapEntry> members;
  members.reserve(entries.size());
  for (const auto& [key, item] : entries) {
    auto read = untag(item);
    if (!read) {
      return read;
    }
    members.emplace_back(key, std::move(*read));
  }
  return Value::of_map(std::move(members));
}

Result<Value> untag(const Value& value) {
  if (value.is(Kind::map)) {
    return untag_object(value);
  }
  if (!value.is(Kind::list)) {
    return value;
  }
  std::vector<Value> items;
  items.reserve(value.as_list().size());
  for (const Value& item : value.as_list()) {
    auto read = untag(item);
    if (!read) {
      return read;
    }
    items.push_back(std::move(*read));
  }
  return Value::of_list(std::move(items));
}

} // namespace

bool append_value(std::string& out, const Value& value) {
  const std::size_t start = out.size();
  if (append_plain(out, value)) {
    return false;
  }
  out.resize(start);
  append_json(out, tag(value));
  return true;
}

Result<Value> parse_value(std::string_view text, bool tagged) {
  auto value = parse_json(text, kLimits);
  if (!value) {
    const bool limit = value.error().code == Code::json_limit;
    return Error{limit ? Code::wire_limit : Code::wire_invalid,
                 "a value is no JSON: " + value.error().detail};
  }
  if (tagged) {
    return untag(*value);
  }
  return value;
}

} // namespace skein::schemas
