#include "core/base/rfc3339.h"

#include <date/date.h>

#include <array>

namespace skein {
namespace {

// Reads a fixed number of digits off the front, or none.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  int number = 0;
  if (text.size() < count) {
    return std::nullopt;
  }
  for (const char c : text.substr(0, count)) {
    if (c < '0' || c > '9') {
      return std::nullopt;
    }
    number = number * 10 + (c - '0');
  }
  text.remove_prefix(count);
  return number;
}

bool take(std::string_view& text, char c) {
  const bool there = text.starts_with(c);
  text.remove_prefix(there ? 1 : 0);
  return there;
}

// Three numbers with a separator between them: 2026-11-21, 09:00:00.
std::optional<std::array<int, 3>> take_triple(std::string_view& text, std::size_t first, char by) {
  const auto a = take_digits(text, first);
  if (!a || !take(text, by)) {
    return std::nullopt;
  }
  const auto b = take_digits(text, 2);
  if (!b || !take(text, by)) {
    return std::nullopt;
  }
  const auto c = take_digits(text, 2);
  return c ? std::optional(std::array{*a, *b, *c}) : std::nullopt;
}

// Up to nine digits behind the point; more are dropped.
std::optional<std::uint32_t> take_nanos(std::string_view& text) {
  if (!take(text, '.')) {
    return 0;
  }
  std::uint32_t nanos = 0;
  std::uint32_t unit = 100'000'000;
  std::size_t used = 0;
  for (; used < text.size() && text[used] >= '0' && text[used] <= '9'; ++used, unit /= 10) {
    nanos += static_cast<std::uint32_t>(text[used] - '0') * unit;
  }
  text.remove_prefix(used);
  return used == 0 ? std::nullopt : std::optional(nanos);
}

// The offset from UTC in seconds: Z, +01:00.
std::optional<std::int64_t> take_offset(std::string_view& text) {
  if (take(text, 'Z') || take(text, 'z')) {
    return 0;
  }
  const bool west = take(text, '-');
  if (!west && !take(text, '+')) {
    return std::nullopt;
  }
  const auto hours = take_digits(text, 2);
  if (!hours || *hours > 23 || !take(text, ':')) {
    return std::nullopt;
  }
  const auto minutes = take_digits(text, 2);
  if (!minutes || *minutes > 59) {
    return std::nullopt;
  }
  const std::int64_t offset = *hours * 3600 + *minutes * 60;
  return west ? -offset : offset;
}

} // namespace

std::optional<Rfc3339> parse_rfc3339(std::string_view text) {
  const auto date = take_triple(text, 4, '-');
  if (!date || !(take(text, 'T') || take(text, 't'))) {
    return std::nullopt;
  }
  const auto time = take_triple(text, 2, ':');
  const auto nanos = time ? take_nanos(text) : std::nullopt;
  const auto offset = nanos ? take_offset(text) : std::nullopt;
  if (!offset || !text.empty()) {
    return std::nullopt;
  }
  const date::year_month_day ymd{date::year((*date)[0]),
                                 date::month(static_cast<unsigned>((*date)[1])),
                                 date::day(static_cast<unsigned>((*date)[2]))};
  if (!ymd.ok() || (*time)[0] > 23 || (*time)[1] > 59 || (*time)[2] > 59) {
    return std::nullopt;
  }
  const std::int64_t day = date::sys_days(ymd).time_since_epoch().count();
  const std::int64_t seconds =
      day * 86'400 + (*time)[0] * 3600 + (*time)[1] * 60 + (*time)[2] - *offset;
  if (seconds < kFirstSecond || seconds > kLastSecond) {
    return std::nullopt;
  }
  return Rfc3339{seconds, *nanos};
}

} // namespace skein
