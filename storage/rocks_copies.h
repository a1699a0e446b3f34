#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "core/ports/replica_store.h"
#include "schemas/codec.h"
#include "storage/layout/rocks_rows.h"
#include "storage/rocks_database.h"

namespace skein::storage {

/// Partitions on their way between two databases, row by row.
///
///   rows of the partition ──► bytes ──► rows of a partition beside it ──proved──► rows of the
///   partition
///
/// A copy is its rows one after another, each as family, length of key, length of value, key
/// without its partition, value; contents follow the rows that refer to them (docs/formats.md).
/// What a copy of a later leader's past replaces is kept as a copy too: DIRECTORY/given_up/….copy.
/// From the moment at which a copy is proved, a mark says that it is to be put in place, so that a
/// crash only delays it. Thread-safety: any thread; of one partition one call at a time.
class RocksCopies {
 public:
  explicit RocksCopies(RocksDatabase& database) : database_(database) {}

  /// Ends what a crash interrupted. Errors: storage_*.
  Result<void> recover();

  Result<std::unique_ptr<PartitionCopy>> copy(PartitionId partition) const;
  Result<void> take_in(PartitionId partition, std::string_view bytes, bool first);
  /// As ReplicaStore::advance. `placed` is called once the rows are those of the copy.
  Result<bool> advance(PartitionId partition, const std::function<void()>& placed);

 private:
  enum class Phase : std::uint8_t { collecting, proving, clearing, placing, tidying };
  struct Arrival {
    Phase phase = Phase::collecting;
    std::string rest;            ///< of a row that has not come whole
    std::string cursor;          ///< where the next step goes on
    std::size_t family = 0;      ///< likewise
    schemas::BatchHeader before; ///< of what is proved so far
    bool differs = false;        ///< from what this node has itself
  };

  Result<bool> collect(PartitionId partition, Arrival& arrival);
  Result<bool> prove(PartitionId partition, Arrival& arrival);
  Result<std::size_t> prove(PartitionId partition, std::string_view value, const PartitionTail& own,
                            Arrival& arrival);
  Result<void> keep_own(PartitionId partition, LogIndex last);
  Result<void> prove_entry(PartitionId partition, const schemas::EntryRef& ref, LogIndex index);
  Result<bool> clear(PartitionId partition, Arrival& arrival);
  Result<bool> place(PartitionId partition, Arrival& arrival);
  Result<bool> erase(std::uint16_t rows, Arrival& arrival);
  Result<void> mark(PartitionId partition, bool on);

  RocksDatabase& database_;
  std::mutex mutex_; ///< guards the map, not what is in it
  std::map<PartitionId, Arrival> arrivals_;
};

} // namespace skein::storage
