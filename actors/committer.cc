#include "actors/committer.h"

#include <pthread.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/ports/failpoint.h"

namespace skein::actors {
namespace {

constexpr Millis kQuick{1}; ///< as far as a clock of milliseconds tells

} // namespace

Committer::Committer(Store& store, const Clock& clock)
    : store_(store), clock_(clock), thread_([this] { run(); }) {}

Committer::~Committer() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Committer::submit(Batch batch, Answer answer) {
  std::unique_lock lock(mutex_);
  const bool here = !writing_ && queue_.empty() && quick_ && is_alone(batch);
  queue_.push_back({std::move(batch), std::move(answer)});
  if (here) {
    write(lock);
  } else {
    changed_.notify_one();
  }
}

void Committer::submit_all(std::vector<Item> together) {
  if (together.size() < 2) {
    return Commits::submit_all(std::move(together));
  }
  {
    const std::lock_guard lock(mutex_);
    std::move(together.begin(), together.end(), std::back_inserter(queue_));
  }
  changed_.notify_one();
}

bool Committer::is_alone(const Batch& batch) const {
  return alone_ && batch.appends.size() == 1 && batch.appends.front().entry.run == *alone_;
}

// Who hears the answer may submit the next at once, and finds nobody writing.
void Committer::write(std::unique_lock<std::mutex>& lock) noexcept {
  writing_ = true;
  std::vector<Item> items;
  items.swap(queue_);
  if (items.size() > 1 || items.front().batch.appends.size() != 1) {
    alone_.reset();
  } else if (!is_alone(items.front().batch)) {
    alone_ = items.front().batch.appends.front().entry.run;
  }
  lock.unlock();
  const Instant begun = clock_.now();
  std::vector<Batch> batches = batches_of(items, begun);
  std::vector<Result<void>> written = commit(batches);
  const bool quick = clock_.now() - begun <= kQuick;
  failpoint("run.after_sync");
  lock.lock();
  writing_ = false;
  quick_ = quick;
  if (!queue_.empty()) {
    changed_.notify_one();
  }
  lock.unlock();
  for (std::size_t i = 0; i < items.size(); ++i) {
    items[i].answer(written[i], std::move(batches[i]));
  }
  lock.lock();
}

// What cannot be written for one run alone must not make the others fall with it.
std::vector<Result<void>> Committer::commit(std::span<const Batch> batches) {
  const Result<void> all = store_.commit(batches);
  std::vector<Result<void>> each(batches.size(), all);
  const bool of_one = !all && all.error().code != Code::storage_full &&
                      all.error().code != Code::storage_io && batches.size() > 1;
  for (std::size_t i = 0; of_one && i < batches.size(); ++i) {
    each[i] = store_.commit(batches.subspan(i, 1));
  }
  return each;
}

std::vector<Batch> Committer::batches_of(std::vector<Item>& items, Instant now) {
  last_time_ = std::max(last_time_, now);
  for (const Item& item : items) {
    if (item.batch.seal) {
      continue; // its time is part of what was sealed, and of no other batch
    }
    last_time_ = std::max(last_time_, item.batch.at);
  }
  std::vector<Batch> batches;
  batches.reserve(items.size());
  for (Item& item : items) {
    if (!item.batch.seal) {
      item.batch.at = last_time_;
    }
    batches.push_back(std::move(item.batch));
  }
  return batches;
}

void Committer::run() {
  pthread_setname_np(pthread_self(), "committer");
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return !writing_ && (!queue_.empty() || ending_); });
    if (queue_.empty()) {
      return;
    }
    write(lock);
  }
}

} // namespace skein::actors
