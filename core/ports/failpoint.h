#pragma once

#include <atomic>

namespace skein {

/// Called at each named failpoint where one is installed; null in every shipped binary.
/// Names are dotted, by place: "journal.after_sync", "effect.after_intent".
using FailpointHook = void (*)(const char* name);
inline std::atomic<FailpointHook> failpoint_hook{nullptr};

/// A place where a test may end the process. Costs one relaxed load.
inline void failpoint(const char* name) {
  if (const FailpointHook hook = failpoint_hook.load(std::memory_order_relaxed)) {
    hook(name);
  }
}

} // namespace skein
