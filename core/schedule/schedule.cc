#include "core/schedule/schedule.h"

#include <date/tz.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include "core/base/nearest.h"

namespace skein::schedule {
namespace {

using std::chrono::seconds;

constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kDaysAhead = 9 * 366; // 29 February may be eight years off

date::sys_seconds sys(std::int64_t second) { return date::sys_seconds(seconds(second)); }

bool matches(const Cron& cron, std::int64_t day) {
  const date::local_days local{date::days(static_cast<int>(day))};
  const date::year_month_day ymd(local);
  const date::year_month_day_last last(ymd.year(), date::month_day_last(ymd.month()));
  return cron.matches_day(static_cast<int>(static_cast<unsigned>(ymd.month())),
                          static_cast<int>(static_cast<unsigned>(ymd.day())),
                          static_cast<int>(date::weekday(local).c_encoding()),
                          static_cast<int>(static_cast<unsigned>(last.day())));
}

std::int64_t floor_seconds(Instant at) {
  return at.ms >= 0 ? at.ms / 1'000 : -((-at.ms + 999) / 1'000);
}

std::int64_t floor_days(std::int64_t second) {
  return second >= 0 ? second / kDay : -((-second + kDay - 1) / kDay);
}

const date::time_zone* find_zone(std::string_view name) {
  try {
    return date::locate_zone(name);
  } catch (const std::runtime_error&) {
    return nullptr;
  }
}

Error unknown_zone(std::string_view name) {
  std::vector<std::string_view> names;
  std::string hint = "use a name of the IANA database, such as Europe/Berlin";
  try {
    for (const auto& zone : date::get_tzdb().zones) {
      names.push_back(zone.name());
    }
  } catch (const std::runtime_error&) {
    hint = "install the package tzdata";
  }
  return {Code::schedule_invalid,
          "there is no time zone \"" + std::string(name) + "\"" + did_you_mean(name, names), hint};
}

} // namespace

Result<Schedule> Schedule::parse(std::string_view cron, std::string_view zone, Missed missed) {
  auto parsed = Cron::parse(cron);
  if (!parsed) {
    return parsed.error();
  }
  const std::string_view name = zone.empty() ? std::string_view("UTC") : zone;
  const date::time_zone* found = find_zone(name);
  if (found == nullptr) {
    return unknown_zone(name);
  }
  return Schedule(*parsed, found, missed);
}

std::optional<std::int64_t> Schedule::first_of_day(std::int64_t day, std::int64_t after) const {
  const auto begin = zone_->get_info(date::local_seconds(seconds(day * kDay))).first;
  const std::int64_t offset = begin.offset.count();
  const std::int64_t midnight = day * kDay - offset;
  // Near a change of the clocks, times have to be looked at one by one.
  if (begin.begin > sys(midnight - kDay) || begin.end < sys(midnight + 2 * kDay)) {
    return first_of_odd_day(day, after);
  }
  const std::int64_t from = std::max<std::int64_t>(0, after + 1 - midnight);
  if (from >= kDay) {
    return std::nullopt;
  }
  const std::int32_t second = cron_.next_second(static_cast<std::int32_t>(from));
  return second < 0 ? std::nullopt : std::optional(midnight + second);
}

std::optional<std::int64_t> Schedule::first_of_odd_day(std::int64_t day, std::int64_t after) const {
  std::optional<std::int64_t> first;
  const auto consider = [&](std::int64_t at) {
    if (at > after && (!first || at < *first)) {
      first = at;
    }
  };
  date::local_info info{};
  std::int64_t known_until = -1; // seconds of this day for which `info` holds
  for (std::int32_t second = cron_.next_second(0); second >= 0;
       second = second + 1 < kDay ? cron_.next_second(second + 1) : -1) {
    const std::int64_t local = day * kDay + second;
    if (second / 60 != known_until) { // clocks change at whole minutes
      info = zone_->get_info(date::local_seconds(seconds(local)));
      known_until = second / 60;
    }
    consider(local - info.first.offset.count());
    if (info.result == date::local_info::ambiguous && cron_.every_hour()) {
      consider(local - info.second.offset.count());
    }
  }
  return first;
}

std::optional<Instant> Schedule::next(Instant after) const {
  const std::int64_t second = floor_seconds(after);
  const std::int64_t offset = zone_->get_info(sys(second)).offset.count();
  // What a day leaves out may fall into the one behind it, so both are looked at.
  const std::int64_t today = floor_days(second + offset);
  for (std::int64_t day = today - 1; day < today + kDaysAhead; ++day) {
    const auto first = matches(cron_, day) ? first_of_day(day, second) : std::nullopt;
    if (!first) {
      continue;
    }
    const auto behind = matches(cron_, day + 1) ? first_of_day(day + 1, second) : std::nullopt;
    return Instant{std::min(*first, behind.value_or(*first)) * 1'000};
  }
  return std::nullopt;
}

Schedule::Due Schedule::due(Instant last, Instant now) const {
  constexpr std::uint64_t kLooked = 100'000;
  Due due;
  for (auto at = next(last); at && *at <= now; at = next(*at)) {
    if (due.passed_over == kLooked) { // so dense that the last day has more than are made up for
      at = next(std::max(*at, now + Millis{-86'400'000}));
      if (!at || *at > now) {
        break;
      }
    }
    due.firings.push_back(*at);
    const bool late = now - due.firings.front() > kGrace;
    const bool passed =
        late && (missed_ == Missed::skip || (missed_ == Missed::one && due.firings.size() > 1) ||
                 due.firings.size() > kMostMissed);
    if (passed) {
      due.firings.erase(due.firings.begin());
      ++due.passed_over;
    }
  }
  return due;
}

} // namespace skein::schedule
