#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace skein::schedule {

/// One field of a cron expression: what it is called, and which numbers it may hold.
struct Field {
  std::string_view name;
  int least = 0;
  int most = 0;
  std::span<const std::string_view> names; ///< of least, least + 1, …; upper case
};

struct Span {
  int from = 0;
  int to = 0;
  int step = 1;
};

/// "MON" and "1". Errors: schedule_invalid.
Result<int> parse_number(const Field& field, std::string_view text);
/// "*", "1-5", "*/2", "7". Errors: schedule_invalid.
Result<Span> parse_span(const Field& field, std::string_view text);
/// The parts between commas.
std::vector<std::string_view> split_list(std::string_view text);

Error wrong_field(const Field& field, std::string_view text, const std::string& why);

} // namespace skein::schedule
