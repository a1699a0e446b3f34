#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "core/ports/broker.h"

namespace skein::broker {

/// Who wants to know whether there is a connection. Tells each watcher in order and never twice at
/// a time.
class Watchers {
 public:
  using OnChange = std::function<void(bool)>;

  Subscription add(const std::function<bool()>& is_up, OnChange on_change) {
    auto watcher = std::make_shared<Watcher>();
    watcher->call = std::move(on_change);
    {
      const std::lock_guard first_this(watcher->calling); // then what changes meanwhile
      {
        const std::lock_guard lock(mutex_);
        watchers_.push_back(watcher);
      }
      watcher->call(is_up());
    }
    return Subscription(watcher.get(), [watcher](void*) {
      const std::lock_guard waits_for_a_call(watcher->calling);
      watcher->call = nullptr;
    });
  }

  void tell_all(bool up) {
    std::vector<std::shared_ptr<Watcher>> there;
    {
      const std::lock_guard lock(mutex_);
      std::erase_if(watchers_, [](const auto& watcher) { return watcher.expired(); });
      for (const auto& weak : watchers_) {
        if (auto watcher = weak.lock()) {
          there.push_back(std::move(watcher));
        }
      }
    }
    for (const auto& watcher : there) {
      tell(*watcher, up);
    }
  }

 private:
  struct Watcher {
    std::mutex calling;
    OnChange call;
  };

  static void tell(Watcher& watcher, bool up) {
    const std::lock_guard lock(watcher.calling);
    if (watcher.call) {
      watcher.call(up);
    }
  }

  std::mutex mutex_;
  std::vector<std::weak_ptr<Watcher>> watchers_;
};

/// What must be opened again on a new connection.
template <class Reader>
class Readers {
 public:
  Subscription add(std::shared_ptr<Reader> reader) {
    const std::lock_guard lock(mutex_);
    std::erase_if(readers_, [](const auto& weak) { return weak.expired(); });
    readers_.push_back(reader);
    auto* const raw = reader.get();
    return Subscription(raw, [held = std::move(reader)](void*) { held->stop(); });
  }

  void reconnected() {
    std::vector<std::weak_ptr<Reader>> there;
    {
      const std::lock_guard lock(mutex_);
      there = readers_;
    }
    for (const auto& weak : there) {
      if (const auto reader = weak.lock()) {
        reader->reconnected();
      }
    }
  }

 private:
  std::mutex mutex_;
  std::vector<std::weak_ptr<Reader>> readers_;
};

} // namespace skein::broker
