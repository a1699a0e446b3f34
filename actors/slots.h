#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "core/ports/tool.h"

namespace skein::actors {

/// A place at another node where one attempt may run. Whoever lets go of it unused gives it back.
/// Thread-safety: any thread.
class Worker {
 public:
  virtual ~Worker() = default;
  /// As Tool::start, once. Errors of the result: also worker_lost, where nobody knows whether the
  /// attempt happened, and worker_refused, where it did not.
  virtual std::unique_ptr<ToolHandle> start(const ToolCall& call, ToolDone done) = 0;
};
using WorkerPtr = std::shared_ptr<Worker>;

/// How many effects run at once on this node. Whoever comes when all slots are taken is called in
/// turn later, or where another node has a place. Thread-safety: any thread.
class Slots {
 public:
  explicit Slots(std::size_t free) : free_(free) {}

  /// With the other node's place, or null where the slot is this node's.
  using Go = std::function<void(WorkerPtr)>;

  /// Calls `go` at once, or when a slot is given back or a place lent; on either caller's thread.
  void take(Go go) {
    {
      const std::lock_guard lock(mutex_);
      if (free_ == 0) {
        waiting_.push_back(std::move(go));
        return;
      }
      --free_;
    }
    go(nullptr);
  }

  /// Whether one was free, and is taken.
  bool try_take() {
    const std::lock_guard lock(mutex_);
    if (free_ == 0) {
      return false;
    }
    --free_;
    return true;
  }

  std::size_t waiting() const {
    const std::lock_guard lock(mutex_);
    return waiting_.size();
  }

  /// Lets the first that waits go there; whether one did.
  bool lend(WorkerPtr place) {
    Go next;
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.empty()) {
        return false;
      }
      next = std::move(waiting_.front());
      waiting_.pop_front();
    }
    next(std::move(place));
    return true;
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
      next(nullptr);
    }
  }

 private:
  Go next_served() {
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

  mutable std::mutex mutex_;
  std::size_t free_;
  bool serving_ = false; ///< somebody is in the loop of give_back
  std::deque<Go> waiting_;
};

} // namespace skein::actors
