#include "core/schedule/cron.h"

#include <algorithm>
#include <vector>

#include "core/base/nearest.h"
#include "core/schedule/field.h"

namespace skein::schedule {
namespace {

constexpr std::array<std::string_view, 12> kMonths{"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                                   "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::array<std::string_view, 7> kWeekdays{"SUN", "MON", "TUE", "WED",
                                                    "THU", "FRI", "SAT"};
constexpr std::array<int, 13> kLongest{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

const Field kSecond{"second", 0, 59, {}};
const Field kMinute{"minute", 0, 59, {}};
const Field kHour{"hour", 0, 23, {}};
const Field kDay{"day of the month", 1, 31, {}};
const Field kMonth{"month", 1, 12, kMonths};
const Field kWeekday{"day of the week", 0, 7, kWeekdays};

struct Name {
  std::string_view name;
  std::string_view fields;
};
constexpr std::array<Name, 7> kNames{{{"@yearly", "0 0 1 1 *"},
                                      {"@annually", "0 0 1 1 *"},
                                      {"@monthly", "0 0 1 * *"},
                                      {"@weekly", "0 0 * * 0"},
                                      {"@daily", "0 0 * * *"},
                                      {"@midnight", "0 0 * * *"},
                                      {"@hourly", "0 * * * *"}}};

template <std::size_t Size>
Result<void> add_span(const Field& field, std::string_view part, std::bitset<Size>& into) {
  const auto span = parse_span(field, part);
  if (!span) {
    return span.error();
  }
  for (int i = span->from; i <= span->to; i += span->step) {
    into.set(static_cast<std::size_t>(i));
  }
  return {};
}

template <std::size_t Size>
Result<void> parse_plain(const Field& field, std::string_view text, std::bitset<Size>& into) {
  for (const std::string_view part : split_list(text)) {
    if (auto added = add_span(field, part, into); !added) {
      return added;
    }
  }
  return {};
}

Result<void> parse_day(std::string_view part, Cron::Days& into) {
  if (part == "L" || part == "l") {
    into.from_end.set(0);
    return {};
  }
  if (part == "LW" || part == "lw") {
    into.last_weekday = true;
    return {};
  }
  const bool from_end = part.starts_with("L-") || part.starts_with("l-");
  const bool near = part.ends_with('W') || part.ends_with('w');
  if (!from_end && !near) {
    return add_span(kDay, part, into.days);
  }
  const Field before{kDay.name, 1, 30, {}};
  const auto number = from_end ? parse_number(before, part.substr(2))
                               : parse_number(kDay, part.substr(0, part.size() - 1));
  if (!number) {
    return number.error();
  }
  (from_end ? into.from_end : into.near).set(static_cast<std::size_t>(*number));
  return {};
}

Result<void> parse_days(std::string_view text, Cron::Days& into) {
  for (const std::string_view part : split_list(text)) {
    if (auto parsed = parse_day(part, into); !parsed) {
      return parsed;
    }
  }
  into.restricted = text != "*" && text != "?";
  return {};
}

Result<void> parse_weekday(std::string_view part, std::bitset<8>& days, Cron::Weekdays& into) {
  const auto hash = part.find('#');
  const bool last = part.size() > 1 && (part.ends_with('L') || part.ends_with('l'));
  if (hash == std::string_view::npos && !last) {
    return add_span(kWeekday, part, days);
  }
  const auto day =
      parse_number(kWeekday, last ? part.substr(0, part.size() - 1) : part.substr(0, hash));
  if (!day) {
    return day.error();
  }
  const auto weekday = static_cast<std::size_t>(*day % 7);
  if (last) {
    into.last.set(weekday);
    return {};
  }
  const Field which{"which one of the month", 1, 5, {}};
  const auto nth = parse_number(which, part.substr(hash + 1));
  if (!nth) {
    return wrong_field(kWeekday, part, "must have a number from 1 to 5 behind the #");
  }
  into.nth[weekday].set(static_cast<std::size_t>(*nth));
  return {};
}

Result<void> parse_weekdays(std::string_view text, Cron::Weekdays& into) {
  std::bitset<8> days;
  for (const std::string_view part : split_list(text)) {
    if (auto parsed = parse_weekday(part, days, into); !parsed) {
      return parsed;
    }
  }
  for (std::size_t i = 0; i < 8; ++i) {
    if (days.test(i)) {
      into.days.set(i % 7);
    }
  }
  into.restricted = text != "*" && text != "?";
  return {};
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; (at = text.find_first_not_of(" \t", at)) != std::string_view::npos;) {
    const auto end = std::min(text.find_first_of(" \t", at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

Result<std::string_view> fields_of(std::string_view text) {
  const auto words = words_of(text);
  if (words.size() != 1 || !words[0].starts_with('@')) {
    return text;
  }
  const auto* const named = std::ranges::find(kNames, words[0], &Name::name);
  if (named != kNames.end()) {
    return named->fields;
  }
  std::vector<std::string_view> names;
  std::ranges::transform(kNames, std::back_inserter(names), &Name::name);
  return Error{Code::schedule_invalid,
               "there is no \"" + std::string(words[0]) + "\"" + did_you_mean(words[0], names),
               listed("names that are known", words[0], names)};
}

// The weekday nearest to a day, without leaving the month.
int nearest_weekday(int day, int weekday, int days_in_month) {
  if (weekday == 6) {
    return day > 1 ? day - 1 : day + 2;
  }
  if (weekday == 0) {
    return day < days_in_month ? day + 1 : day - 2;
  }
  return day;
}

} // namespace

Result<Cron> Cron::parse(std::string_view text) {
  const auto fields = fields_of(text);
  if (!fields) {
    return fields.error();
  }
  auto words = words_of(*fields);
  if (words.size() != 5 && words.size() != 6) {
    return Error{Code::schedule_invalid,
                 "\"" + std::string(text) + "\" has " + std::to_string(words.size()) +
                     " fields, not five or six",
                 "write [second] minute hour day-of-month month day-of-week"};
  }
  if (words.size() == 5) {
    words.insert(words.begin(), "0");
  }
  Cron cron;
  for (auto parsed :
       {parse_plain(kSecond, words[0], cron.seconds_),
        parse_plain(kMinute, words[1], cron.minutes_), parse_plain(kHour, words[2], cron.hours_),
        parse_days(words[3], cron.days_), parse_plain(kMonth, words[4], cron.months_),
        parse_weekdays(words[5], cron.weekdays_)}) {
    if (!parsed) {
      return parsed.error();
    }
  }
  if (!cron.can_match()) {
    return Error{Code::schedule_invalid, "\"" + std::string(text) + "\" never fires",
                 "no month that it names has the day that it names"};
  }
  return cron;
}

bool Cron::can_match() const {
  if (weekdays_.restricted || !days_.restricted || days_.last_weekday) {
    return true;
  }
  for (std::size_t month = 1; month <= 12; ++month) {
    for (std::size_t day = 1; months_.test(month) && day <= 31; ++day) {
      const bool there = static_cast<int>(day) <= kLongest[month];
      if (there && (days_.days.test(day) || days_.near.test(day) || days_.from_end.test(day - 1))) {
        return true;
      }
    }
  }
  return false;
}

bool Cron::matches_day_of_month(int day, int weekday, int days_in_month) const {
  const auto at = static_cast<std::size_t>(day);
  if (days_.days.test(at) || days_.from_end.test(static_cast<std::size_t>(days_in_month - day))) {
    return true;
  }
  if (weekday == 0 || weekday == 6) {
    return false;
  }
  for (int near = std::max(1, day - 2); near <= std::min(days_in_month, day + 2); ++near) {
    const int weekday_of_near = (weekday + near - day + 7) % 7;
    const bool wanted = days_.near.test(static_cast<std::size_t>(near)) ||
                        (days_.last_weekday && near == days_in_month);
    if (wanted && nearest_weekday(near, weekday_of_near, days_in_month) == day) {
      return true;
    }
  }
  return false;
}

bool Cron::matches_weekday(int day, int weekday, int days_in_month) const {
  const auto at = static_cast<std::size_t>(weekday);
  return weekdays_.days.test(at) || (weekdays_.last.test(at) && day + 7 > days_in_month) ||
         weekdays_.nth[at].test(static_cast<std::size_t>((day - 1) / 7 + 1));
}

bool Cron::matches_day(int month, int day, int weekday, int days_in_month) const {
  if (!months_.test(static_cast<std::size_t>(month))) {
    return false;
  }
  const bool by_day = days_.restricted && matches_day_of_month(day, weekday, days_in_month);
  const bool by_weekday = weekdays_.restricted && matches_weekday(day, weekday, days_in_month);
  return by_day || by_weekday || (!days_.restricted && !weekdays_.restricted);
}

std::int32_t Cron::next_second(std::int32_t second) const {
  for (std::int32_t hour = second / 3'600; hour < 24; ++hour) {
    if (!hours_.test(static_cast<std::size_t>(hour))) {
      continue;
    }
    const std::int32_t first = std::max(second, hour * 3'600);
    for (std::int32_t minute = first / 60 % 60; minute < 60; ++minute) {
      if (!minutes_.test(static_cast<std::size_t>(minute))) {
        continue;
      }
      const std::int32_t begin = hour * 3'600 + minute * 60;
      for (std::int32_t at = std::max(first, begin); at < begin + 60; ++at) {
        if (seconds_.test(static_cast<std::size_t>(at - begin))) {
          return at;
        }
      }
    }
  }
  return -1;
}

} // namespace skein::schedule
