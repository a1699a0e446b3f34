#pragma once

#include <mutex>
#include <vector>

#include "node/events/letters.h"

namespace skein::node {

/// What the nodes keep for each other and for their next start: how far rules, schedules and the
/// outbox are. A stream of JSON, of which only the newest of each subject matter.
/// Thread-safety: any thread.
class Notes {
 public:
  Notes(Broker& broker, const Channels& channels) : broker_(broker), channels_(channels) {}

  /// Everything that is kept, oldest first; what comes later is for `take`. Errors: of the broker.
  Result<std::vector<Value>> open(std::uint32_t replicas);
  void close() { subscription_.reset(); }
  /// What came since the last time, that of this node included.
  std::vector<Value> take();

 private:
  Broker& broker_;
  const Channels& channels_;
  std::mutex mutex_;
  std::vector<Value> came_;
  Subscription subscription_;
};

} // namespace skein::node
