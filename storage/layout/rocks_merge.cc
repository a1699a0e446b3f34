#include "storage/layout/rocks_merge.h"

#include <queue>
#include <vector>

namespace skein::storage {
namespace {

struct Lane {
  PartitionId partition;
  std::unique_ptr<Scan> scan;
};

struct Later {
  bool operator()(const Lane& a, const Lane& b) const {
    return a.scan->suffix() > b.scan->suffix();
  }
};

using Lanes = std::priority_queue<Lane, std::vector<Lane>, Later>;

Result<Lanes> open_lanes(const RocksDatabase& database, Table table, std::string_view inner,
                         std::string_view after, const PartitionSet& of) {
  Lanes lanes;
  for (std::uint16_t p = 0; p < kPartitions; ++p) {
    if (!of.test(p)) {
      continue;
    }
    const std::string prefix = Key(p, table).bytes(inner).take();
    auto scan = std::make_unique<Scan>(database, table, prefix);
    scan->seek(prefix + std::string(after));
    if (scan->valid() && !after.empty() && scan->suffix() == after) {
      scan->next();
    }
    if (scan->valid()) {
      lanes.push(Lane{PartitionId(p), std::move(scan)});
    } else if (auto ended = scan->status(); !ended) {
      return ended.error();
    }
  }
  return lanes;
}

/// The lane with the least row; the queue gives its top away only as const.
Lane take(Lanes& lanes) {
  Lane lane = std::move(const_cast<Lane&>(lanes.top()));
  lanes.pop();
  return lane;
}

} // namespace

Result<void> merge_partitions(
    const RocksDatabase& database, Table table, std::string_view inner, std::string_view after,
    const std::function<Result<bool>(PartitionId partition, std::string_view suffix)>& visit,
    const PartitionSet& of) {
  auto lanes = open_lanes(database, table, inner, after, of);
  if (!lanes) {
    return lanes.error();
  }
  while (!lanes->empty()) {
    Lane lane = take(*lanes);
    auto more = visit(lane.partition, lane.scan->suffix());
    if (!more) {
      return more.error();
    }
    if (!*more) {
      return {};
    }
    lane.scan->next();
    if (lane.scan->valid()) {
      lanes->push(std::move(lane));
    } else if (auto ended = lane.scan->status(); !ended) {
      return ended;
    }
  }
  return {};
}

} // namespace skein::storage
