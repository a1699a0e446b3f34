#pragma once

#include <cstdint>

namespace skein::storage {

/// 64 bits of the machine's randomness: what tells nodes, logs and runs apart, and seeds runs.
/// Thread-safety: any thread.
std::uint64_t random_word();

} // namespace skein::storage
