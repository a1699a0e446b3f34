#pragma once

#include <cstdint>
#include <string_view>

#include "core/flow/definition.h"
#include "core/flow/event.h"

namespace skein::flow {

/// Whether the policy asks for another attempt after this failure of attempt number `attempt`.
bool retries(const RetryPolicy& policy, const Failure& failure, std::uint32_t attempt);

/// How long to wait before attempt `attempt` + 1: a function of the seed and the place, so a replay
/// waits the same.
Millis delay_before_next(const RetryPolicy& policy, std::uint32_t attempt, std::uint64_t seed,
                         std::string_view place);

} // namespace skein::flow
