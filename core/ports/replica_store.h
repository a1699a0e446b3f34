#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/ports/store.h"

namespace skein {

/// Everything that a store has of one partition, as it was at one moment: bytes that another store
/// of the same kind takes.
class PartitionCopy {
 public:
  virtual ~PartitionCopy() = default;

  /// Of the partition, at that moment.
  virtual const PartitionTail& tail() const = 0;
  /// Up to where the log's stream was read at that moment.
  virtual StreamPosition position() const = 0;
  /// The next bytes, about as many as asked for; "" at the end. Errors: storage_*.
  virtual Result<std::string> next(std::size_t most) = 0;
};

/// What a node does to get a partition from another node that has more of it: the bytes are kept
/// aside until all are there and prove themselves, and then take the place of what was there.
///
///   take_in, take_in, … ──► advance ──► advance … true
///   kept aside              proved      in place, durable
///
/// They prove themselves by going on from what is there; or by ending with a batch of a later
/// epoch: then whoever led later has not gone on from what is there, and it is given up, but kept
/// aside. A crash before they are proved leaves everything as it was; after one later, opening the
/// store ends what was begun. Thread-safety: as Store for reads; of one partition, one call at a
/// time. REQUIRES: from the first advance to the last nothing is committed to the partition.
class ReplicaStore {
 public:
  virtual ~ReplicaStore() = default;

  virtual Result<std::unique_ptr<PartitionCopy>> copy(PartitionId partition) const = 0;

  /// The next bytes of a copy; with `first`, what was kept aside before is dropped.
  /// Errors: wire_invalid (no copy looks so), storage_*.
  virtual Result<void> take_in(PartitionId partition, std::string_view bytes, bool first) = 0;
  /// Some milliseconds of the rest; whether it is done.
  /// Errors: log_diverged, hash_mismatch (it does not prove itself; nothing has changed),
  /// storage_*.
  virtual Result<bool> advance(PartitionId partition) = 0;
};

} // namespace skein
