#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "gateway/message.h"

namespace skein::gateway {

/// The target of a request, taken apart and decoded once.
struct Target {
  std::vector<std::string> segments; ///< "/v1/runs/a%20b" is v1, runs, "a b"; "/" has none
  Words query;
};

/// Refuses what could mean another path further on: segments that are empty, `.` or `..`, whatever
/// they are encoded as, encoded slashes, NUL and other control characters, text that is not UTF-8,
/// bad escapes; and a name that comes twice in the query. What is encoded twice stays encoded once.
/// Errors: request_invalid.
Result<Target> parse_target(std::string_view target);

/// For a path or a query of one's own: everything but letters, digits, '-', '.', '_' and '~' as
/// %XX.
std::string percent_encoded(std::string_view text);

} // namespace skein::gateway
