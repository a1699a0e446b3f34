#include "gateway/event_queue.h"

#include <utility>

namespace skein::gateway {

EventQueue::EventQueue(std::size_t limit, std::function<void()> wake)
    : limit_(limit), wake_(std::move(wake)) {}

bool EventQueue::add(std::string text) {
  const std::lock_guard lock(mutex_);
  if (closed_ || full_ || ending_) {
    return false;
  }
  full_ = pending_.size() + text.size() > limit_;
  if (!full_) {
    pending_ += text;
  }
  notify();
  return !full_;
}

std::size_t EventQueue::room() const {
  const std::lock_guard lock(mutex_);
  return closed_ || full_ || ending_ || pending_.size() >= limit_ ? 0 : limit_ - pending_.size();
}

bool EventQueue::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

void EventQueue::close() {
  const std::lock_guard lock(mutex_);
  ending_ = true;
  notify();
}

void EventQueue::on_change(std::function<void()> call) {
  bool now = false;
  {
    const std::lock_guard lock(mutex_);
    now = closed_;
    if (!closed_) {
      changed_ = call;
    }
  }
  if (now) {
    call();
  }
}

std::string EventQueue::take() {
  const std::lock_guard lock(mutex_);
  writing_ = !pending_.empty();
  return std::exchange(pending_, {});
}

bool EventQueue::overflowed() const {
  const std::lock_guard lock(mutex_);
  return full_;
}

bool EventQueue::ends() const {
  const std::lock_guard lock(mutex_);
  return ending_;
}

// One that overflows need not wait for the write that is under way.
void EventQueue::notify() {
  if (!closed_ && (!writing_ || full_)) {
    writing_ = true;
    wake_();
  }
}

void EventQueue::tell(bool closing) {
  std::function<void()> call;
  {
    const std::lock_guard lock(mutex_);
    if (closing) {
      closed_ = true;
      call = std::exchange(changed_, nullptr);
    } else {
      call = changed_;
    }
  }
  if (call) {
    call();
  }
}

} // namespace skein::gateway
