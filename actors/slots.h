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

  /// What is called may give its slot back at once, and so on: one loop serves them all, so that a
  /// long queue of those does not nest.
  void give_back() {
    {
      const std::lock_guard lock(mutex_);
      ++free_;
      if (serving_) {
        return;
      }
      serving_ = true;
    }
    while (const auto next = next_served()) {
      next();
    }
  }

 private:
  std::function<void()> next_served() {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty() || free_ == 0) {
      serving_ = false;
      return {};
    }
    --free_;
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    return next;
  }

  std::mutex mutex_;
  std::size_t free_;
  bool serving_ = false; ///< somebody is in the loop of give_back
  std::deque<std::function<void()>> waiting_;
};

} // namespace skein::actors
