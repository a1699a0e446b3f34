#include "node/waiters.h"

#include <chrono>

namespace skein::node {

Waiters::Place::Place(Waiters& waiters, const RunId& run) : waiters_(waiters), run_(run) {
  const std::lock_guard lock(waiters_.mutex_);
  waiters_.places_.push_back(this);
}

Waiters::Place::~Place() {
  const std::lock_guard lock(waiters_.mutex_);
  std::erase(waiters_.places_, this);
}

Result<void> Waiters::Place::wait() {
  std::unique_lock lock(waiters_.mutex_);
  waiters_.changed_.wait_for(lock, std::chrono::milliseconds(100),
                             [this] { return changed_ || waiters_.broken_; });
  changed_ = false;
  return waiters_.broken_ ? Result<void>(*waiters_.broken_) : Result<void>();
}

void Waiters::changed(const RunId& run) {
  bool waited_for = false;
  {
    const std::lock_guard lock(mutex_);
    for (Place* place : places_) {
      if (place->run_ == run) {
        place->changed_ = true;
        waited_for = true;
      }
    }
  }
  if (waited_for) {
    changed_.notify_all();
  }
}

void Waiters::broke(const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    broken_ = error;
  }
  changed_.notify_all();
}

} // namespace skein::node
