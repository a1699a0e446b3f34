#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace skein::schedule {

/// A cron expression: which times of which days.
///
///   [second] minute hour day-of-month month day-of-week
///
/// Each field is a list of `*`, `?` (days only, the same), a number or name, a range, any of them
/// with `/step`; `5/15` is from 5 on. Days of the month also take `L`, `L-3`, `15W` and `LW`; days
/// of the week, where 0 and 7 are Sunday, take `5L` and `5#2`. Where neither field of days is `*`,
/// either is enough. @yearly, @annually, @monthly, @weekly, @daily, @midnight and @hourly are names
/// of the usual ones.
/// Source: cron(5) of Vixie; Quartz for L, W and #.
class Cron {
 public:
  /// Errors: schedule_invalid, naming the field; also where no day can ever match.
  static Result<Cron> parse(std::string_view text);

  /// The day of a month, 1 to 31, and the weekday it is, 0 for Sunday.
  bool matches_day(int month, int day, int weekday, int days_in_month) const;
  /// The first matching second of a day at or after this one; -1 where there is none.
  std::int32_t next_second(std::int32_t second) const;
  /// Whether it fires in every hour: then it also does in one that a day has twice.
  bool every_hour() const { return hours_.all(); }

  struct Days {
    std::bitset<32> days;     ///< 1 to 31
    std::bitset<32> from_end; ///< 0 for the last day, 3 for L-3
    std::bitset<32> near;     ///< the weekday nearest to the day
    bool last_weekday = false;
    bool restricted = false;
  };
  struct Weekdays {
    std::bitset<7> days;
    std::bitset<7> last;
    std::array<std::bitset<6>, 7> nth{}; ///< by weekday, then 1 to 5
    bool restricted = false;
  };

 private:
  bool matches_day_of_month(int day, int weekday, int days_in_month) const;
  bool matches_weekday(int day, int weekday, int days_in_month) const;
  bool can_match() const;

  std::bitset<60> seconds_;
  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<13> months_; ///< 1 to 12
  Days days_;
  Weekdays weekdays_;
};

} // namespace skein::schedule
