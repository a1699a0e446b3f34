#pragma once

#include <span>
#include <vector>

#include "core/base/ids.h"

namespace skein::cluster {

/// The nodes in the order in which they should lead the partition: every node comes to the same
/// order by itself, each leads about as many partitions as any other, and a node that joins or
/// leaves moves no partitions but its own.
/// Source: rendezvous hashing (Thaler, Ravishankar 1998).
std::vector<NodeId> rank(PartitionId partition, std::span<const NodeId> nodes);

} // namespace skein::cluster
