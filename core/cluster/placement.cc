#include "core/cluster/placement.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "core/base/hash.h"

namespace skein::cluster {
namespace {

Digest weight(PartitionId partition, NodeId node) {
  char bytes[10];
  const std::uint16_t number = partition.get();
  const std::uint64_t name = node.get();
  for (int i = 0; i < 2; ++i) {
    bytes[i] = static_cast<char>(number >> (8 * i));
  }
  for (int i = 0; i < 8; ++i) {
    bytes[2 + i] = static_cast<char>(name >> (8 * i));
  }
  return digest(std::string_view(bytes, sizeof bytes));
}

} // namespace

std::vector<NodeId> rank(PartitionId partition, std::span<const NodeId> nodes) {
  std::vector<NodeId> order(nodes.begin(), nodes.end());
  std::sort(order.begin(), order.end(), [&](NodeId a, NodeId b) {
    const Digest of_a = weight(partition, a);
    const Digest of_b = weight(partition, b);
    return of_a == of_b ? a < b : of_b < of_a;
  });
  return order;
}

} // namespace skein::cluster
