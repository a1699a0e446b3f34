#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>

#include "core/base/ids.h"
#include "core/base/instant.h"

namespace skein::node {

/// What was read of the log and is not written yet: a disk that is slower than the broker must not
/// fill the memory, so that reading waits, and the broker keeps what comes meanwhile.
/// Thread-safety: any thread.
class Backlog {
 public:
  /// Waits until there is room for one batch more.
  void begin(PartitionId partition) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return under_way_ < kMost; });
    ++under_way_;
    ++of_.at(partition.get());
  }
  /// The batch is written, up to `last`, or never will be.
  void end(PartitionId partition, LogIndex last) {
    {
      const std::lock_guard lock(mutex_);
      --under_way_;
      --of_.at(partition.get());
    }
    written(partition, last);
  }
  void written(PartitionId partition, LogIndex last) {
    {
      const std::lock_guard lock(mutex_);
      LogIndex& there = last_.at(partition.get());
      there = std::max(there, last);
    }
    changed_.notify_all();
  }
  bool is_empty(PartitionId partition) const {
    const std::lock_guard lock(mutex_);
    return of_.at(partition.get()) == 0;
  }
  /// Waits until this node has written what is asked for; whether it has.
  bool wait(PartitionId partition, LogIndex index, Millis limit) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::milliseconds(limit.count),
                             [&] { return last_.at(partition.get()) >= index; });
  }

 private:
  static constexpr std::size_t kMost = 512; ///< batches

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t under_way_ = 0;
  std::array<std::size_t, kPartitions> of_{};
  std::array<LogIndex, kPartitions> last_;
};

} // namespace skein::node
