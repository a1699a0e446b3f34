#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "core/ports/store.h"
#include "schemas/codec.h"
#include "storage/rocks_database.h"

/// Rows of one run and of one partition, read and decoded.
namespace skein::storage {

/// Of the row that says up to where the log's stream was read, and its value.
Key stream_position_key();
std::string stream_position_value(const StreamPosition& position);
/// Of the row that says who leads a partition, and its value.
Key leader_key(PartitionId partition);
std::string leader_value(Epoch epoch, NodeId leader);

schemas::BlobSource blobs_of(const RocksDatabase& database);

Result<PartitionTail> read_tail(const RocksDatabase& database, PartitionId partition,
                                const rocksdb::Snapshot* at = nullptr);
Result<StreamPosition> read_stream_position(const RocksDatabase& database,
                                            const rocksdb::Snapshot* at = nullptr);
Result<Seq> read_last_seq(const RocksDatabase& database, const RunId& run);
Result<std::optional<RunRecord>> read_record(const RocksDatabase& database, const RunId& run,
                                             const rocksdb::Snapshot* at = nullptr);
/// Checkpoints from the newest to the oldest until `visit` answers false; what cannot be read is
/// given as its error.
Result<void> read_checkpoints(const RocksDatabase& database, const RunId& run,
                              const rocksdb::Snapshot* at,
                              const std::function<bool(Seq, Result<Checkpoint>)>& visit);
/// Of the row that says which entry an event with this id of its sender became.
Key dedupe_key(const RunId& run, std::string_view id);
/// Its value.
std::string dedupe_value(Seq entry);

/// Ascending, whether they can be read or not.
Result<std::vector<Seq>> read_checkpoint_seqs(const RocksDatabase& database, const RunId& run);
Result<void> read_entries(const RocksDatabase& database, const RunId& run, Seq from,
                          const rocksdb::Snapshot* at, const EntryVisitor& visit);

/// Names the row that could not be decoded.
Error unreadable_row(std::string_view what, const RunId& run, Seq seq, const Error& cause);
/// The same of a message in the outbox, which came with the entry at this index of the log.
Error unreadable_message(PartitionId partition, LogIndex index, const Error& cause);

} // namespace skein::storage
