#pragma once

#include <rocksdb/write_batch.h>

#include <array>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/ports/store.h"
#include "schemas/codec.h"
#include "storage/layout/rocks_rows.h"
#include "storage/layout/run_traces.h"

namespace skein::storage {

/// Turns batches into one write of the database.
///
///   for each batch: entries → hashes → header, chained to the batch before
///   then: one write, one sync; after a failure everything remembered is read again
///
/// Keeps what it needs of recent runs and partitions in memory, so that an ordinary append reads
/// nothing. Thread-safety: none; one commit at a time.
class RocksWriter {
 public:
  RocksWriter(RocksDatabase& database, NodeId node, std::uint64_t incarnation);

  /// Errors: as Store::commit.
  Result<void> commit(std::span<const Batch> batches);

  /// From now on, notes the contents that commits refer to, so that a sweep spares them.
  void watch_blobs(std::set<ContentHash>* seen) { seen_blobs_ = seen; }
  /// What was read of a run that goes on, so that its next append reads nothing. From any thread.
  void loaded(const LoadedRun& run);
  /// Reads the run again at its next append.
  void forget(const RunId& run) { traces_.forget(run); }
  void forget_all() { traces_.forget_all(); }
  /// Reads the partition, and every run, again.
  void forget_all(PartitionId partition) {
    tails_[partition.get()].reset();
    traces_.forget_all();
  }

 private:
  Result<void> add(const Batch& batch);
  Result<void> add(const Batch& batch, std::span<const Append> part, PartitionTail& tail);
  void add_leader(const Batch& batch, PartitionTail& tail);
  Result<void> add(const Batch& batch, const Append& append, const EncodedEntry* encoded);
  Result<void> put_checkpoint(const Checkpoint& checkpoint, RunTrace& trace);
  Result<PartitionTail*> tail_for(const Batch& batch);
  Result<RunTrace*> trace_for(const Entry& entry);
  Result<void> read_indexed(const RunId& run, RunTrace& trace);
  Result<void> put_record(const RunRecord& record, RunTrace& trace);
  Result<void> reindex(const RunRecord& record, const RunTrace& trace);
  void put_waiting(const Append& append);
  void put_outbox(PartitionId partition, const Append& append);
  void put_blob(const ContentHash& hash, std::string_view content);
  void put(Table table, std::string_view value);
  void remove(Table table);
  void abandon();
  void settle();

  RocksDatabase& database_;
  NodeId node_;
  std::uint64_t incarnation_;
  std::array<std::optional<PartitionTail>, kPartitions> tails_;
  RunTraces traces_;

  // The commit in progress; kept for their memory.
  rocksdb::WriteBatch write_;
  Key key_;
  schemas::BatchHeader header_;
  schemas::BlobSink sink_;
  std::vector<RunTrace*> touched_;
  std::vector<const RunId*> touched_runs_;
  std::vector<PartitionId> touched_partitions_;
  const RunId* current_ = nullptr;
  std::set<ContentHash> blobs_;
  std::set<ContentHash>* seen_blobs_ = nullptr;
};

} // namespace skein::storage
