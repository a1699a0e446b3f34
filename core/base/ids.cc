#include "core/base/ids.h"

#include "core/base/hash.h"

namespace skein {

PartitionId partition_of(const RunId& run) {
  return PartitionId(static_cast<std::uint16_t>(digest(run.get()).low % kPartitions));
}

} // namespace skein
