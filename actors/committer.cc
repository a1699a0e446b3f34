#include "actors/committer.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>

#include "core/ports/failpoint.h"

namespace skein::actors {
namespace {

/// A lone run proposes its next entry sooner than a sleeping thread wakes up.
constexpr std::chrono::microseconds kAwake{50};

} // namespace

Committer::Committer(Store& store, const Clock& clock)
    : store_(store), clock_(clock), thread_([this] { run(); }) {}

Committer::~Committer() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  arrived_.notify_one();
  thread_.join();
}

void Committer::submit(Batch batch, Answer answer) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back({std::move(batch), std::move(answer)});
  }
  arrived_.notify_one();
}

void Committer::stay_awake(std::unique_lock<std::mutex>& lock) {
  const auto until = std::chrono::steady_clock::now() + kAwake;
  while (queue_.empty() && !ending_ && std::chrono::steady_clock::now() < until) {
    lock.unlock();
    std::this_thread::yield();
    lock.lock();
  }
}

std::vector<Committer::Item> Committer::gather() {
  std::unique_lock lock(mutex_);
  if (last_group_ == 1) {
    stay_awake(lock);
  }
  arrived_.wait(lock, [&] { return !queue_.empty() || ending_; });
  last_group_ = queue_.size();
  std::vector<Item> items;
  items.swap(queue_);
  return items;
}

void Committer::commit(std::vector<Item>& items) {
  last_time_ = std::max(last_time_, clock_.now());
  for (const Item& item : items) {
    last_time_ = std::max(last_time_, item.batch.at);
  }
  std::vector<Batch> batches;
  batches.reserve(items.size());
  for (Item& item : items) {
    item.batch.at = last_time_;
    batches.push_back(std::move(item.batch));
  }
  const Result<void> committed = store_.commit(batches);
  failpoint("run.after_sync");
  for (std::size_t i = 0; i < items.size(); ++i) {
    items[i].answer(committed, std::move(batches[i]));
  }
}

void Committer::run() {
  pthread_setname_np(pthread_self(), "committer");
  for (;;) {
    std::vector<Item> items = gather();
    if (items.empty()) {
      return;
    }
    commit(items);
  }
}

} // namespace skein::actors
