#include "core/base/instant.h"

#include <date/date.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>

#include "core/base/rfc3339.h"

namespace skein {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t ms;
};

constexpr std::array kUnits{Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000},
                            Unit{"s", 1'000}, Unit{"ms", 1}};

Error bad_duration(std::string_view text) {
  return Error{Code::resource_value_invalid, "\"" + std::string(text) + "\" is not a duration",
               "write a number and a unit, such as 250ms, 10s, 5m, 2h or 7d"};
}

// The unit that text starts with; "m" only where it is not the start of "ms".
const Unit* unit_at(std::string_view text) {
  for (const Unit& unit : kUnits) {
    if (text.starts_with(unit.name) && !(unit.name == "m" && text.starts_with("ms"))) {
      return &unit;
    }
  }
  return nullptr;
}

} // namespace

std::string to_string(Instant at) {
  const auto point = date::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(at.ms));
  const auto day = date::floor<date::days>(point);
  const date::year_month_day ymd(day);
  const date::hh_mm_ss<std::chrono::milliseconds> time(point - day);
  std::array<char, 48> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
                static_cast<int>(ymd.year()), static_cast<unsigned>(ymd.month()),
                static_cast<unsigned>(ymd.day()), static_cast<int>(time.hours().count()),
                static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()),
                static_cast<int>(time.subseconds().count()));
  return buffer.data();
}

std::string to_string(Millis span) {
  if (span.count == 0) {
    return "0s";
  }
  std::string text = span.count < 0 ? "-" : "";
  auto rest = static_cast<std::uint64_t>(span.count);
  if (span.count < 0) {
    rest = 0 - rest;
  }
  for (const Unit& unit : kUnits) {
    const auto size = static_cast<std::uint64_t>(unit.ms);
    if (rest >= size) {
      text += std::to_string(rest / size) + std::string(unit.name);
      rest %= size;
    }
  }
  return text;
}

Result<Millis> parse_millis(std::string_view text) {
  constexpr std::int64_t kLongest = 100LL * 366 * 86'400'000; // a hundred years
  std::string_view rest = text;
  std::int64_t total = 0;
  std::int64_t smallest = kLongest;
  do {
    std::int64_t number = 0;
    const auto [end, failed] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (failed != std::errc{} || number < 0) {
      return bad_duration(text);
    }
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    const Unit* unit = unit_at(rest);
    if (unit == nullptr || unit->ms >= smallest || number > kLongest / unit->ms) {
      return bad_duration(text);
    }
    smallest = unit->ms;
    total += number * unit->ms;
    rest.remove_prefix(unit->name.size());
  } while (!rest.empty());
  if (total > kLongest) {
    return bad_duration(text);
  }
  return Millis{total};
}

Result<Instant> parse_instant(std::string_view text) {
  const auto at = parse_rfc3339(text);
  if (!at) {
    return Error{Code::resource_value_invalid, "\"" + std::string(text) + "\" is not a time",
                 "write it as 2026-11-21T09:00:00Z"};
  }
  return Instant{at->seconds * 1000 + at->nanos / 1'000'000};
}

} // namespace skein
