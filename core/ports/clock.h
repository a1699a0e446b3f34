#pragma once

#include "core/base/instant.h"

namespace skein {

/// The time of day, asked only by shells; machines read the instant that their input carries.
/// Thread-safety: any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
};

} // namespace skein
