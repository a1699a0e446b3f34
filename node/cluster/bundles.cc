#include "node/cluster/bundles.h"

namespace skein::node {
namespace {

constexpr std::size_t kUnderWay = 2; ///< one that the broker writes, and one on the way to it

} // namespace

void Bundles::add(schemas::LogPart part, Told told) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({std::move(part), std::move(told)});
  }
  send_some();
}

void Bundles::drop() {
  std::deque<Waiting> dropped;
  {
    const std::lock_guard lock(mutex_);
    dropped.swap(waiting_);
  }
  for (const Waiting& one : dropped) {
    one.told(false);
  }
}

void Bundles::send_some() {
  std::vector<schemas::LogPart> parts;
  std::vector<Told> told;
  {
    const std::lock_guard lock(mutex_);
    if (under_way_ >= kUnderWay || waiting_.empty()) {
      return;
    }
    ++under_way_;
    for (std::size_t bytes = 0; !waiting_.empty(); waiting_.pop_front()) {
      bytes += waiting_.front().part.bytes.size();
      if (!parts.empty() && (bytes > most_ || parts.size() == schemas::kMostBundled)) {
        break;
      }
      parts.push_back(std::move(waiting_.front().part));
      told.push_back(std::move(waiting_.front().told));
    }
  }
  send_(std::move(parts), [this, told = std::move(told)](bool stored) {
    {
      const std::lock_guard lock(mutex_);
      --under_way_;
    }
    for (const Told& one : told) {
      one(stored);
    }
    send_some();
  });
}

} // namespace skein::node
