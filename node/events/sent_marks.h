#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

#include "core/base/ids.h"
#include "core/value/value.h"

namespace skein::node {

/// Up to where the outbox of each partition is delivered, by whichever node. A node that follows
/// has every message in its own outbox, and would send it again once it leads. Thread-safety: any
/// thread.
class SentMarks {
 public:
  /// `log`: its incarnation; what is kept of another is not of these partitions.
  explicit SentMarks(std::uint64_t log) : log_(log) {}

  /// Everything before it is delivered; 0 where nothing is known.
  LogIndex before(PartitionId partition) const;
  /// This node delivered everything before it.
  void delivered(PartitionId partition, LogIndex before);

  /// What others are to learn; none where this node delivered nothing since the last time.
  std::optional<Value> news();
  void learn(const Value& kept);

 private:
  const std::uint64_t log_;
  mutable std::mutex mutex_;
  std::map<PartitionId, LogIndex> before_;
  bool news_ = false;
};

} // namespace skein::node
