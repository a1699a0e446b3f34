#include "node/read_ahead.h"

#include <utility>

namespace skein::node {
namespace {

constexpr std::size_t kEntries = 512; ///< handed over at once
constexpr std::size_t kAhead = 8;     ///< such parts that wait to be taken

} // namespace

ReadAhead::ReadAhead(const Store& store, const RunId& run, std::optional<Seq> until)
    : thread_([this, &store, &run, until] { read(store, run, until); }) {}

ReadAhead::~ReadAhead() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void ReadAhead::read(const Store& store, const RunId& run, std::optional<Seq> until) {
  auto done = store.read_journal(run, Seq(1), [&](Entry&& entry) {
    return !(until && entry.seq > *until) && take(std::move(entry));
  });
  hand_over();
  const std::lock_guard lock(mutex_);
  status_ = std::move(done);
  ended_ = true;
  changed_.notify_all();
}

bool ReadAhead::take(Entry&& entry) {
  filling_.push_back(std::move(entry));
  return filling_.size() < kEntries || hand_over();
}

// Whether anyone still wants entries.
bool ReadAhead::hand_over() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return stopped_ || full_.size() < kAhead; });
  if (!filling_.empty()) {
    full_.push_back(std::exchange(filling_, {}));
  }
  auto spent = std::exchange(spent_, {});
  const bool wanted = !stopped_;
  changed_.notify_all();
  lock.unlock();
  for (auto& entries : spent) {
    entries.clear();
    filling_ = std::move(entries);
  }
  filling_.reserve(kEntries);
  return wanted;
}

std::vector<Entry> ReadAhead::next(std::vector<Entry> done) {
  std::unique_lock lock(mutex_);
  if (!done.empty()) {
    spent_.push_back(std::move(done));
  }
  changed_.wait(lock, [&] { return ended_ || !full_.empty(); });
  if (full_.empty()) {
    return {};
  }
  std::vector<Entry> entries = std::move(full_.front());
  full_.pop_front();
  changed_.notify_all();
  return entries;
}

} // namespace skein::node
