#include <date/tz.h>

#include <chrono>
#include <optional>
#include <stdexcept>

#include "core/base/rfc3339.h"
#include "core/expression/function.h"
#include "core/value/text.h"

namespace skein::expression {
namespace {

std::optional<Value> timestamp_of(Wide nanos) {
  Wide seconds = nanos / kNanosPerSecond;
  Wide rest = nanos % kNanosPerSecond;
  if (rest < 0) {
    rest += kNanosPerSecond;
    --seconds;
  }
  if (seconds < kFirstSecond || seconds > kLastSecond) {
    return std::nullopt;
  }
  return Value::of_timestamp(static_cast<std::int64_t>(seconds), static_cast<std::uint32_t>(rest));
}

std::optional<Value> duration_of(Wide nanos) {
  if (nanos > kLongestNanos || nanos < -kLongestNanos) {
    return std::nullopt;
  }
  return Value::of_duration(static_cast<std::int64_t>(nanos / kNanosPerSecond),
                            static_cast<std::int32_t>(nanos % kNanosPerSecond));
}

bool finish(Call& call, std::optional<Value> value) {
  return value ? call.done(std::move(*value)) : call.fail("range: the time is out of range");
}

bool time_plus_span(Call& call) {
  return finish(call, timestamp_of(nanos_of(call[0]) + nanos_of(call[1])));
}
bool time_minus_span(Call& call) {
  return finish(call, timestamp_of(nanos_of(call[0]) - nanos_of(call[1])));
}
bool span_plus_span(Call& call) {
  return finish(call, duration_of(nanos_of(call[0]) + nanos_of(call[1])));
}
bool minus(Call& call) { return finish(call, duration_of(nanos_of(call[0]) - nanos_of(call[1]))); }

// "+01:00", "-02:30", "05:30": the offset in seconds.
std::optional<std::int64_t> fixed_offset(std::string_view zone) {
  const bool west = zone.starts_with('-');
  if (west || zone.starts_with('+')) {
    zone.remove_prefix(1);
  }
  const auto digit = [&](std::size_t i) { return zone[i] >= '0' && zone[i] <= '9'; };
  if (zone.size() != 5 || !digit(0) || !digit(1) || zone[2] != ':' || !digit(3) || !digit(4)) {
    return std::nullopt;
  }
  const auto number = [&](std::size_t i) { return (zone[i] - '0') * 10 + (zone[i + 1] - '0'); };
  const std::int64_t offset = number(0) * 3600 + number(3) * 60;
  return number(0) > 23 || number(3) > 59 ? std::nullopt : std::optional(west ? -offset : offset);
}

// The offset of a named zone at an instant. The library throws where it knows no such zone.
std::optional<std::int64_t> named_offset(std::string_view zone, std::int64_t seconds) {
  try {
    const auto* found = date::locate_zone(zone);
    return found->get_info(date::sys_seconds(std::chrono::seconds(seconds))).offset.count();
  } catch (const std::runtime_error&) {
    return std::nullopt;
  }
}

struct Fields {
  date::year_month_day day;
  date::sys_days days;
  std::int64_t second; ///< of the day
};

Fields fields_of(std::int64_t seconds) {
  const date::sys_seconds at{std::chrono::seconds(seconds)};
  const auto days = date::floor<date::days>(at);
  return {date::year_month_day(days), days, (at - days).count()};
}

constexpr auto kFullYear = [](const Fields& f) {
  return std::int64_t{static_cast<int>(f.day.year())};
};
constexpr auto kMonth = [](const Fields& f) {
  return std::int64_t{static_cast<unsigned>(f.day.month())} - 1;
};
constexpr auto kDate = [](const Fields& f) {
  return std::int64_t{static_cast<unsigned>(f.day.day())};
};
constexpr auto kDayOfMonth = [](const Fields& f) { return kDate(f) - 1; };
constexpr auto kDayOfYear = [](const Fields& f) {
  return std::int64_t{(f.days - date::sys_days(f.day.year() / 1 / 1)).count()};
};
constexpr auto kDayOfWeek = [](const Fields& f) {
  return std::int64_t{date::weekday(f.days).c_encoding()};
};
constexpr auto kHours = [](const Fields& f) { return f.second / 3600; };
constexpr auto kMinutes = [](const Fields& f) { return f.second / 60 % 60; };
constexpr auto kSeconds = [](const Fields& f) { return f.second % 60; };

template <auto Field>
bool of_utc(Call& call) {
  return call.done(Value(Field(fields_of(call[0].seconds()))));
}

template <auto Field>
bool of_zone(Call& call) {
  const std::string_view zone = call[1].as_string();
  auto offset = fixed_offset(zone);
  if (!offset) {
    offset = named_offset(zone.empty() ? "UTC" : zone, call[0].seconds());
  }
  return offset ? call.done(Value(Field(fields_of(call[0].seconds() + *offset))))
                : call.fail("unknown time zone \"" + std::string(zone.substr(0, 64)) + "\"");
}

bool milliseconds(Call& call) { return call.done(Value(call[0].nanos() / 1'000'000)); }

template <std::int64_t Unit>
bool whole_units(Call& call) {
  return call.done(Value(call[0].seconds() / Unit));
}

constexpr Overload kOverloads[]{
    {"_+_", "tr", 't', time_plus_span},
    {"_+_", "rt", 't', time_plus_span},
    {"_+_", "rr", 'r', span_plus_span},
    {"_-_", "tr", 't', time_minus_span},
    {"_-_", "tt", 'r', minus},
    {"_-_", "rr", 'r', minus},
    {".getFullYear", "t", 'i', of_utc<kFullYear>},
    {".getFullYear", "ts", 'i', of_zone<kFullYear>},
    {".getMonth", "t", 'i', of_utc<kMonth>},
    {".getMonth", "ts", 'i', of_zone<kMonth>},
    {".getDate", "t", 'i', of_utc<kDate>},
    {".getDate", "ts", 'i', of_zone<kDate>},
    {".getDayOfMonth", "t", 'i', of_utc<kDayOfMonth>},
    {".getDayOfMonth", "ts", 'i', of_zone<kDayOfMonth>},
    {".getDayOfWeek", "t", 'i', of_utc<kDayOfWeek>},
    {".getDayOfWeek", "ts", 'i', of_zone<kDayOfWeek>},
    {".getDayOfYear", "t", 'i', of_utc<kDayOfYear>},
    {".getDayOfYear", "ts", 'i', of_zone<kDayOfYear>},
    {".getHours", "t", 'i', of_utc<kHours>},
    {".getHours", "ts", 'i', of_zone<kHours>},
    {".getMinutes", "t", 'i', of_utc<kMinutes>},
    {".getMinutes", "ts", 'i', of_zone<kMinutes>},
    {".getSeconds", "t", 'i', of_utc<kSeconds>},
    {".getSeconds", "ts", 'i', of_zone<kSeconds>},
    {".getMilliseconds", "t", 'i', milliseconds},
    {".getMilliseconds", "ts", 'i', milliseconds},
    {".getHours", "r", 'i', whole_units<3600>},
    {".getMinutes", "r", 'i', whole_units<60>},
    {".getSeconds", "r", 'i', whole_units<1>},
    {".getMilliseconds", "r", 'i', milliseconds},
};

} // namespace

std::span<const Overload> time_functions() { return kOverloads; }

} // namespace skein::expression
