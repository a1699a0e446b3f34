#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>

namespace skein::tools {

/// Waits for a callback that must come exactly once.
template <class T>
class Promise {
 public:
  void operator()(T value) {
    const std::lock_guard lock(mutex_);
    ++calls_;
    value_ = std::move(value);
    arrived_.notify_all();
  }

  T wait() {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [&] { return value_.has_value(); });
    return *value_;
  }

  int calls() {
    const std::lock_guard lock(mutex_);
    return calls_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::optional<T> value_;
  int calls_ = 0;
};

} // namespace skein::tools
