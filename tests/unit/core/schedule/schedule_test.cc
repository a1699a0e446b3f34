#include "core/schedule/schedule.h"

#include <date/tz.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "core/base/random.h"

namespace skein::schedule {
namespace {

Schedule make(const std::string& cron, const std::string& zone = "", Missed missed = Missed::skip) {
  auto schedule = Schedule::parse(cron, zone, missed);
  EXPECT_TRUE(schedule) << (schedule ? "" : to_string(schedule.error()));
  return *schedule;
}

std::string next_of(const std::string& cron, const std::string& after, const std::string& zone) {
  const auto at = make(cron, zone).next(*parse_instant(after));
  return at ? to_string(*at) : "never";
}

std::vector<std::string> split(const std::string& line, char by) {
  std::vector<std::string> parts;
  std::istringstream in(line);
  for (std::string part; std::getline(in, part, by);) {
    parts.push_back(part);
  }
  return parts;
}

TEST(schedule, firings_are_those_of_independent_implementations) {
  std::ifstream file(SKEIN_CRON_ORACLE);
  std::size_t lines = 0;
  std::size_t wrong = 0;
  for (std::string line; std::getline(file, line) && wrong < 20;) {
    if (line.starts_with('#')) {
      continue;
    }
    ++lines;
    const auto fields = split(line, '\t');
    const Schedule schedule = make(fields.at(1), fields.at(2));
    Instant at{std::stoll(fields.at(3)) * 1'000};
    Instant wanted = at;
    for (const std::string& delta : split(fields.at(4), ',')) {
      wanted = wanted + Millis{std::stoll(delta) * 1'000};
      const auto next = schedule.next(at);
      EXPECT_EQ(next ? to_string(*next) : "never", to_string(wanted)) << line;
      if (!next || *next != wanted) {
        ++wrong;
        break;
      }
      at = *next;
    }
  }
  EXPECT_GT(lines, 900u);
}

// Every minute of the local clock of the days around, mapped to instants one by one.
std::set<std::int64_t> walked(const Cron& cron, const date::time_zone& zone, std::int64_t from,
                              std::int64_t to) {
  std::set<std::int64_t> all;
  for (std::int64_t day = from / 86'400 - 2; day <= to / 86'400 + 2; ++day) {
    const date::local_days local{date::days(static_cast<int>(day))};
    const date::year_month_day ymd(local);
    const auto last = date::year_month_day_last(ymd.year(), date::month_day_last(ymd.month()));
    if (!cron.matches_day(static_cast<int>(unsigned(ymd.month())),
                          static_cast<int>(unsigned(ymd.day())),
                          static_cast<int>(date::weekday(local).c_encoding()),
                          static_cast<int>(unsigned(last.day())))) {
      continue;
    }
    for (std::int32_t second = 0; second < 86'400; second += 60) {
      if (cron.next_second(second) != second) {
        continue;
      }
      const date::local_seconds at = local + std::chrono::seconds(second);
      const auto info = zone.get_info(at);
      all.insert((at.time_since_epoch() - info.first.offset).count());
      if (info.result == date::local_info::ambiguous && cron.every_hour()) {
        all.insert((at.time_since_epoch() - info.second.offset).count());
      }
    }
  }
  return all;
}

std::string random_cron(std::uint64_t seed) {
  const auto pick = [&](std::uint64_t n, std::vector<std::string> from) {
    return from[below(random_at(seed, "cron", n), from.size())];
  };
  return pick(0, {"*", "0", "*/7", "30", "1-20/3", "59"}) + " " +
         pick(1, {"*", "2", "0", "1-3", "*/5", "23", "0,2,3"}) + " " +
         pick(2, {"*", "*", "L", "1-8", "*/3", "28W", "25", "29"}) + " " +
         pick(3, {"*", "*", "3,10", "*/2"}) + " " + pick(4, {"*", "*", "0", "1-5", "7L", "0#4"});
}

TEST(schedule, next_never_leaves_out_or_adds_a_minute_that_a_walk_over_all_finds) {
  const std::vector<std::string> zones{
      "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo",
      "Asia/Kolkata",  "Pacific/Apia",     "Atlantic/Azores",     "UTC"};
  const std::vector<std::string> begins{"2026-03-26T00:00:00Z", "2026-10-22T00:00:00Z",
                                        "2011-12-28T00:00:00Z", "2018-11-02T00:00:00Z",
                                        "2026-04-02T00:00:00Z"};
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const std::string text = random_cron(seed);
    const std::string zone = zones[seed % zones.size()];
    const std::int64_t from = parse_instant(begins[seed % begins.size()])->ms / 1'000;
    const std::int64_t to = from + 6 * 86'400;
    const auto all = walked(*Cron::parse(text), *date::locate_zone(zone), from, to);
    const Schedule schedule = make(text, zone);
    auto wanted = all.upper_bound(from);
    Instant at{from * 1'000};
    for (; wanted != all.end() && *wanted <= to; ++wanted) {
      const auto next = schedule.next(at);
      ASSERT_TRUE(next) << text << " " << zone << " after " << to_string(at);
      ASSERT_EQ(to_string(*next), to_string(Instant{*wanted * 1'000}))
          << text << " " << zone << " after " << to_string(at);
      at = *next;
    }
  }
}

TEST(schedule, a_time_that_the_clocks_leave_out_comes_an_hour_later_once) {
  EXPECT_EQ(next_of("30 2 * * *", "2026-03-28T12:00:00Z", "Europe/Berlin"),
            "2026-03-29T01:30:00.000Z");
  EXPECT_EQ(next_of("15 2 * * *", "2026-10-03T12:00:00Z", "Australia/Lord_Howe"),
            "2026-10-03T15:45:00.000Z");
  EXPECT_EQ(next_of("30 * * * *", "2026-03-29T01:30:00Z", "Europe/Berlin"),
            "2026-03-29T02:30:00.000Z");
}

TEST(schedule, a_time_that_comes_twice_counts_once_unless_every_hour_does) {
  EXPECT_EQ(next_of("30 2 * * *", "2026-10-25T00:30:00Z", "Europe/Berlin"),
            "2026-10-26T01:30:00.000Z");
  EXPECT_EQ(next_of("30 * * * *", "2026-10-25T00:30:00Z", "Europe/Berlin"),
            "2026-10-25T01:30:00.000Z");
}

TEST(schedule, what_cannot_be_read_is_refused_with_the_field_that_is_wrong) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "has 0 fields"},
      {"* * * *", "has 4 fields"},
      {"60 * * * *", "minute: \"60\" is not a number from 0 to 59"},
      {"* 24 * * *", "hour: \"24\""},
      {"* * 0 * *", "day of the month: \"0\""},
      {"* * * 13 *", "month: \"13\" is not a name or a number from 1 to 12"},
      {"* * * * 8", "day of the week: \"8\""},
      {"* 22-2 * * *", "hour: \"22-2\" is a range that ends before it begins"},
      {"*/0 * * * *", "minute: \"*/0\" has a step"},
      {"*/90 * * * *", "minute: \"*/90\" has a step"},
      {"? * * * *", "minute: \"?\""},
      {"* * * * 1#6", "day of the week: \"1#6\""},
      {"* * * * L", "day of the week: \"L\""},
      {"* * L-31 * *", "day of the month"},
      {"0 0 31 2,4 *", "never fires"},
      {"1,,2 * * * *", "minute: \"\""},
      {"@dayly", "did you mean \"@daily\"?"}};
  for (const auto& [text, why] : cases) {
    const auto schedule = Schedule::parse(text, "");
    ASSERT_FALSE(schedule) << text;
    EXPECT_EQ(schedule.error().code, Code::schedule_invalid);
    EXPECT_NE(schedule.error().detail.find(why), std::string::npos) << to_string(schedule.error());
  }
  const auto zone = Schedule::parse("* * * * *", "Europe/Berln");
  ASSERT_FALSE(zone);
  EXPECT_EQ(zone.error().code, Code::schedule_invalid);
  EXPECT_NE(zone.error().detail.find("did you mean \"Europe/Berlin\"?"), std::string::npos);
}

std::size_t firings_after_an_hour_off(Missed missed, std::uint64_t& passed_over) {
  const Instant last = *parse_instant("2026-11-21T09:00:00Z");
  const auto due = make("*/10 * * * *", "", missed).due(last, last + Millis{3'630'000});
  passed_over = due.passed_over;
  return due.firings.size();
}

TEST(schedule, firings_that_were_missed_are_skipped_made_up_for_once_or_all) {
  const Instant last = *parse_instant("2026-11-21T09:00:00Z");
  std::uint64_t passed = 0;
  EXPECT_EQ(firings_after_an_hour_off(Missed::skip, passed), 1u) << "30 s late is not missed";
  EXPECT_EQ(passed, 5u);
  EXPECT_EQ(firings_after_an_hour_off(Missed::one, passed), 1u);
  EXPECT_EQ(firings_after_an_hour_off(Missed::all, passed), 6u);
  EXPECT_EQ(passed, 0u);
  const auto late = last + Millis{3'000'000 + 90'000}; // 50 minutes and a half, and one more
  EXPECT_TRUE(make("*/10 * * * *").due(last, late).firings.empty());
  const auto one = make("*/10 * * * *", "", Missed::one).due(last, late);
  ASSERT_EQ(one.firings.size(), 1u);
  EXPECT_EQ(to_string(one.firings[0]), "2026-11-21T09:50:00.000Z");
}

TEST(schedule, no_more_than_the_newest_hundred_are_made_up_for) {
  const Instant last = *parse_instant("2026-11-21T09:00:00Z");
  const auto due = make("* * * * *", "", Missed::all).due(last, last + Millis{86'400'000});
  EXPECT_EQ(due.firings.size(), kMostMissed);
  EXPECT_EQ(due.passed_over, 1'440u - kMostMissed);
  EXPECT_EQ(to_string(due.firings.back()), "2026-11-22T09:00:00.000Z");
}

} // namespace
} // namespace skein::schedule
