#include "tools/file/worker.h"

namespace skein::tools {

Worker::~Worker() { close(); }

void Worker::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Worker::add(Work work) {
  const std::lock_guard lock(mutex_);
  if (!thread_.joinable()) {
    thread_ = std::thread([this] { run(); });
  }
  waiting_.push_back(std::move(work));
  changed_.notify_all();
}

void Worker::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
    if (waiting_.empty()) {
      return;
    }
    const Work work = std::move(waiting_.front());
    waiting_.pop_front();
    const bool cancelled = closing_;
    lock.unlock();
    work(cancelled);
    lock.lock();
  }
}

} // namespace skein::tools
