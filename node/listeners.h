#pragma once

#include <atomic>
#include <functional>
#include <iterator>
#include <list>
#include <map>
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

/// The same for callbacks that each hear of one key only, however many there are of others.
template <class Key, class... Args>
class ListenersByKey {
 public:
  using Call = std::function<void(Args...)>;

  std::shared_ptr<void> add(const Key& key, Call call) {
    const std::lock_guard lock(mutex_);
    const auto place = calls_.emplace(key, std::move(call));
    any_ = true;
    return std::shared_ptr<void>(&place->second, [this, place](void*) {
      const std::lock_guard inner(mutex_);
      calls_.erase(place);
      any_ = !calls_.empty();
    });
  }

  void tell(const Key& key, Args... args) {
    if (!any_.load(std::memory_order_relaxed)) {
      return;
    }
    const std::lock_guard lock(mutex_);
    const auto [begin, end] = calls_.equal_range(key);
    for (auto at = begin; at != end; ++at) {
      at->second(args...);
    }
  }

 private:
  std::mutex mutex_;
  std::multimap<Key, Call> calls_;
  std::atomic<bool> any_ = false;
};

} // namespace skein::node
