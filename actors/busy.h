#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace skein::actors {

/// How many things are under way that a drain waits for. Thread-safety: any thread.
class Busy {
 public:
  void begin() { count_.fetch_add(1, std::memory_order_relaxed); }

  void end(std::int64_t n = 1) {
    if (count_.fetch_sub(n, std::memory_order_acq_rel) == n) {
      const std::lock_guard lock(mutex_);
      idle_.notify_all();
    }
  }

  /// Whether nothing was under way at some moment within the limit.
  bool wait_until_idle(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    return idle_.wait_for(lock, limit, [&] { return count_.load() == 0; });
  }

 private:
  std::atomic<std::int64_t> count_ = 0;
  std::mutex mutex_;
  std::condition_variable idle_;
};

} // namespace skein::actors
