#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/instant.h"
#include "core/base/result.h"
#include "core/schedule/cron.h"

namespace date {
class time_zone;
}

namespace skein::schedule {

/// What becomes of firings that nobody was there for.
enum class Missed : std::uint8_t {
  skip, ///< none is made up for
  one,  ///< the newest is
  all,  ///< each is, up to kMostMissed of the newest
};

inline constexpr std::size_t kMostMissed = 100;
/// A firing that is late by no more than this was not missed.
inline constexpr Millis kGrace{60'000};

/// When something is to happen, by the clock of a place.
///
/// Where clocks go forward, a time that they leave out is taken as if they had not: 02:30 becomes
/// 03:30, once. Where they go back, a time that comes twice counts the first time, unless the
/// schedule fires in every hour: then it fires in both. Source: RFC 5545, section 3.3.5.
/// Pure: the time zone database is the machine's, read once.
class Schedule {
 public:
  /// `zone`: of the IANA database; "" is UTC.
  /// Errors: schedule_invalid.
  static Result<Schedule> parse(std::string_view cron, std::string_view zone,
                                Missed missed = Missed::skip);

  /// The first firing after this instant; none within nine years.
  std::optional<Instant> next(Instant after) const;

  struct Due {
    std::vector<Instant> firings; ///< ascending, by the time they are for
    std::uint64_t passed_over = 0;
  };
  /// What is to fire of all that came after `last`, now that it is `now`.
  Due due(Instant last, Instant now) const;

  Missed missed() const { return missed_; }

 private:
  Schedule(Cron cron, const date::time_zone* zone, Missed missed)
      : cron_(cron), zone_(zone), missed_(missed) {}
  std::optional<std::int64_t> first_of_day(std::int64_t day, std::int64_t after) const;
  std::optional<std::int64_t> first_of_odd_day(std::int64_t day, std::int64_t after) const;

  Cron cron_;
  const date::time_zone* zone_;
  Missed missed_;
};

} // namespace skein::schedule
