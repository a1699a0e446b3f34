#include "broker/link/keeper.h"

#include <utility>

namespace skein::broker {

Keeper::Keeper() : thread_([this] { run(); }) {}

Keeper::~Keeper() { stop(); }

void Keeper::after(std::chrono::milliseconds delay, Task task) {
  const std::lock_guard lock(mutex_);
  if (stopped_) {
    return;
  }
  waiting_.push({std::chrono::steady_clock::now() + delay, given_++, std::move(task)});
  wake_.notify_one();
}

void Keeper::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) {
    thread_.join();
  }
  waiting_ = {};
}

void Keeper::run() {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    if (waiting_.empty()) {
      wake_.wait(lock);
      continue;
    }
    if (const Time at = waiting_.top().at; at > std::chrono::steady_clock::now()) {
      wake_.wait_until(lock, at);
      continue;
    }
    Task task = waiting_.top().task;
    waiting_.pop();
    lock.unlock();
    task();
    task = nullptr;
    lock.lock();
  }
}

} // namespace skein::broker
