#pragma once

#include <functional>

#include "core/ports/store.h"

namespace skein {

/// Where what runs tell the world goes.
/// Thread-safety: any thread; must not block.
class Outlet {
 public:
  virtual ~Outlet() = default;

  /// Answers once, from any thread: it is delivered, or after an error it comes again. It comes at
  /// least once; the row's id tells repeats.
  virtual void deliver(const OutboxItem& item, std::function<void(Result<void>)> answer) = 0;
};

} // namespace skein
