#pragma once

#include <chrono>

#include "core/ports/clock.h"

namespace skein::node {

/// The machine's clock.
class SystemClock : public Clock {
 public:
  Instant now() const override {
    return Instant{std::chrono::duration_cast<std::chrono::milliseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count()};
  }
};

} // namespace skein::node
