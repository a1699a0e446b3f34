#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>

namespace skein::actors {

/// How many effects run at once on this node. Whoever comes when all slots are taken is called in
/// turn later. Thread-safety: any thread.
class Slots {
 public:
  explicit Slots(std::size_t free) : free_(free) {}

  /// Calls `go` at once or when a slot is given back; on either caller's thread.
  void take(std::function<void()> go) {
    {
      const std::lock_guard lock(mutex_);
      if (free_ == 0) {
        waiting_.push_back(std::move(go));
        return;
      }
      --free_;
    }
    go();
  }

  void give_back() {
    std::function<void()> next;
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.empty()) {
        ++free_;
        return;
      }
      next = std::move(waiting_.front());
      waiting_.pop_front();
    }
    next();
  }

 private:
  std::mutex mutex_;
  std::size_t free_;
  std::deque<std::function<void()>> waiting_;
};

} // namespace skein::actors
