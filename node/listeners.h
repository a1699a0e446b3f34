#pragma once

#include <atomic>
#include <functional>
#include <iterator>
#include <list>
#include <memory>
#include <mutex>

namespace skein::node {

/// Callbacks that come and go while they are called.
template <class... Args>
class Listeners {
 public:
  using Call = std::function<void(Args...)>;

  std::shared_ptr<void> add(Call call) {
    const std::lock_guard lock(mutex_);
    calls_.push_back(std::move(call));
    any_ = true;
    const auto place = std::prev(calls_.end());
    return std::shared_ptr<void>(&*place, [this, place](void*) {
      const std::lock_guard inner(mutex_);
      calls_.erase(place);
      any_ = !calls_.empty();
    });
  }

  void tell(Args... args) {
    if (!any_.load(std::memory_order_relaxed)) {
      return;
    }
    const std::lock_guard lock(mutex_);
    for (const Call& call : calls_) {
      call(args...);
    }
  }

 private:
  std::mutex mutex_;
  std::list<Call> calls_;
  std::atomic<bool> any_ = false;
};

} // namespace skein::node
