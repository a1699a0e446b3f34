#pragma once

#include <cstdint>
#include <string_view>

namespace skein {

/// Randomness that is a pure function of a run's seed and a place in the run, so a replay draws the
/// same numbers. No hidden state: the same (seed, place, n) always gives the same number. Source:
/// SplitMix64 finalizer over a counter.
std::uint64_t random_at(std::uint64_t seed, std::string_view place, std::uint64_t n);

/// A number in [0, bound), from a random one. REQUIRES: bound > 0.
std::uint64_t below(std::uint64_t random, std::uint64_t bound);

} // namespace skein
