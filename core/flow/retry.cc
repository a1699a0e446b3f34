#include "core/flow/retry.h"

#include <algorithm>
#include <array>

#include "core/base/random.h"

namespace skein::flow {
namespace {

struct Group {
  std::string_view name;
  std::array<Code, 3> codes;
};

constexpr std::array kGroups{
    Group{"timeout", {Code::step_timeout, Code::tool_timeout, Code::step_timeout}},
    Group{"unavailable", {Code::tool_unavailable, Code::http_transport, Code::http_status}},
    Group{"rate_limited", {Code::http_status, Code::http_status, Code::http_status}},
};

bool matches(std::string_view wanted, const Failure& failure) {
  if (wanted == failure.code) {
    return true;
  }
  for (const CodeRow& row : all_codes()) {
    if (row.name == wanted && to_string(row.code) == failure.code) {
      return true;
    }
  }
  for (const Group& group : kGroups) {
    if (group.name == wanted) {
      return std::any_of(group.codes.begin(), group.codes.end(),
                         [&](Code code) { return to_string(code) == failure.code; });
    }
  }
  return false;
}

std::int64_t undisturbed(const RetryPolicy& policy, std::uint32_t attempt) {
  const std::int64_t initial = policy.initial.count;
  switch (policy.backoff) {
    case RetryPolicy::Backoff::constant:
      return initial;
    case RetryPolicy::Backoff::linear:
      return initial * attempt;
    case RetryPolicy::Backoff::exponential:
      break;
  }
  std::int64_t delay = initial;
  for (std::uint32_t i = 1; i < attempt && delay < policy.max.count; ++i) {
    delay *= 2;
  }
  return delay;
}

} // namespace

bool retries(const RetryPolicy& policy, const Failure& failure, std::uint32_t attempt) {
  if (attempt >= policy.max_attempts) {
    return false;
  }
  if (policy.retry_on.empty()) {
    return failure.retryable;
  }
  return std::any_of(policy.retry_on.begin(), policy.retry_on.end(),
                     [&](const std::string& wanted) { return matches(wanted, failure); });
}

Millis delay_before_next(const RetryPolicy& policy, std::uint32_t attempt, std::uint64_t seed,
                         std::string_view place) {
  const std::int64_t delay = std::min(undisturbed(policy, attempt), policy.max.count);
  const std::uint64_t spread = policy.jitter_permille;
  const auto drawn =
      static_cast<std::int64_t>(below(random_at(seed, place, attempt), 2 * spread + 1));
  return Millis{delay * (1'000 - static_cast<std::int64_t>(spread) + drawn) / 1'000};
}

} // namespace skein::flow
