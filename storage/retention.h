#pragma once

#include <cstdint>

#include "core/base/instant.h"

namespace skein::storage {

/// How long runs are kept once they are final.
struct RetentionPolicy {
  Millis keep_final{30ll * 24 * 60 * 60 * 1000}; ///< since their last update
  std::size_t runs_per_write = 64;               ///< bounds one synced write
};

struct RetentionReport {
  std::uint64_t runs = 0; ///< retired
  std::uint64_t entries = 0;
  std::uint64_t checkpoints = 0;
  std::uint64_t blobs = 0;
};

} // namespace skein::storage
