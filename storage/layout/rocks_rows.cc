#include "storage/layout/rocks_rows.h"

namespace skein::storage {
namespace {

Seq seq_of(std::string_view suffix) { return Seq(KeyReader(suffix).u64().value_or(0)); }

} // namespace

Error unreadable_row(std::string_view what, const RunId& run, Seq seq, const Error& cause) {
  std::string detail = std::string(what) + " of run " + run.get();
  if (seq.get() != 0) {
    detail += " at entry " + std::to_string(seq.get());
  }
  return {Code::storage_corrupt,
          detail + " cannot be read: " + to_string(cause.code) + ": " + cause.detail,
          "run: skein doctor"};
}

Error unreadable_message(PartitionId partition, LogIndex index, const Error& cause) {
  return {Code::storage_corrupt,
          "a message of the outbox, of log index " + std::to_string(index.get()) +
              " of partition " + std::to_string(partition.get()) +
              ", cannot be read: " + to_string(cause.code) + ": " + cause.detail,
          "run: skein doctor"};
}

schemas::BlobSource blobs_of(const RocksDatabase& database) {
  return [&database](const ContentHash& hash) -> Result<std::string> {
    const std::string_view key(reinterpret_cast<const char*>(hash.bytes.data()), hash.bytes.size());
    auto found = database.get(Family::blobs, key);
    if (!found) {
      return found.error();
    }
    if (!*found) {
      return Error{Code::blob_missing, "content " + to_string(hash) + " is not stored",
                   "run: skein doctor"};
    }
    return std::move(**found);
  };
}

Key stream_position_key() {
  Key key(kNodeRows, Table::meta);
  key.bytes("stream");
  return key;
}

std::string stream_position_value(const StreamPosition& position) {
  return Key().u64(position.sequence).u64(position.generation).u64(position.mark).take();
}

Key leader_key(PartitionId partition) { return {partition, Table::leader}; }

std::string leader_value(Epoch epoch, NodeId leader) {
  return Key().u64(epoch.get()).u64(leader.get()).take();
}

namespace {

Result<PartitionTail> read_last_batch(const RocksDatabase& database, PartitionId partition,
                                      const rocksdb::Snapshot* at) {
  Scan scan(database, Table::log, Key(partition, Table::log), at);
  scan.last();
  if (!scan.valid()) {
    auto ended = scan.status();
    return ended ? Result<PartitionTail>(PartitionTail{}) : Result<PartitionTail>(ended.error());
  }
  auto header = schemas::decode_batch(scan.value());
  if (!header) {
    return Error{Code::storage_corrupt,
                 "the last batch of partition " + std::to_string(partition.get()) +
                     " cannot be read: " + header.error().detail,
                 "run: skein doctor"};
  }
  const std::uint64_t last = header->first.get() + header->entries.size() - 1;
  return PartitionTail{LogIndex(last), header->epoch, header->at, header->hash, {}, header->epoch};
}

} // namespace

Result<PartitionTail> read_tail(const RocksDatabase& database, PartitionId partition,
                                const rocksdb::Snapshot* at) {
  auto tail = read_last_batch(database, partition, at);
  auto leader = database.get(Table::leader, leader_key(partition), at);
  if (!tail || !leader) {
    return tail ? leader.error() : tail.error();
  }
  if (*leader) {
    KeyReader reader(**leader);
    const Epoch epoch(reader.u64().value_or(0));
    if (epoch >= tail->epoch) {
      tail->epoch = epoch;
      tail->leader = NodeId(reader.u64().value_or(0));
    }
  }
  return tail;
}

Result<StreamPosition> read_stream_position(const RocksDatabase& database,
                                            const rocksdb::Snapshot* at) {
  auto row = database.get(Table::meta, stream_position_key(), at);
  if (!row) {
    return row.error();
  }
  KeyReader reader(*row ? std::string_view(**row) : std::string_view());
  const std::uint64_t sequence = reader.u64().value_or(0);
  const std::uint64_t generation = reader.u64().value_or(0);
  return StreamPosition{generation, sequence, reader.u64().value_or(0)};
}

Result<Seq> read_last_seq(const RocksDatabase& database, const RunId& run) {
  Scan scan(database, Table::journal, Key(partition_of(run), Table::journal).text(run.get()));
  scan.last();
  if (scan.valid()) {
    return seq_of(scan.suffix());
  }
  auto ended = scan.status();
  return ended ? Result<Seq>(Seq()) : Result<Seq>(ended.error());
}

Result<std::optional<RunRecord>> read_record(const RocksDatabase& database, const RunId& run,
                                             const rocksdb::Snapshot* at) {
  auto bytes =
      database.get(Table::record, Key(partition_of(run), Table::record).text(run.get()), at);
  if (!bytes) {
    return bytes.error();
  }
  if (!*bytes) {
    return std::optional<RunRecord>();
  }
  auto record = schemas::decode_record(**bytes, blobs_of(database));
  if (!record) {
    return unreadable_row("the record", run, Seq(), record.error());
  }
  return std::optional(std::move(*record));
}

Result<void> read_checkpoints(const RocksDatabase& database, const RunId& run,
                              const rocksdb::Snapshot* at,
                              const std::function<bool(Seq, Result<Checkpoint>)>& visit) {
  const auto blobs = blobs_of(database);
  Scan scan(database, Table::checkpoint, Key(partition_of(run), Table::checkpoint).text(run.get()),
            at);
  for (scan.last(); scan.valid(); scan.previous()) {
    if (!visit(seq_of(scan.suffix()), schemas::decode_checkpoint(scan.value(), blobs))) {
      return {};
    }
  }
  return scan.status();
}

Key dedupe_key(const RunId& run, std::string_view id) {
  const ContentHash hash = content_hash(id);
  Key key(partition_of(run), Table::dedupe);
  key.text(run.get()).bytes({reinterpret_cast<const char*>(hash.bytes.data()), hash.bytes.size()});
  return key;
}

std::string dedupe_value(Seq entry) {
  Key value;
  return value.u64(entry.get()).take();
}

Result<std::vector<Seq>> read_checkpoint_seqs(const RocksDatabase& database, const RunId& run) {
  std::vector<Seq> found;
  Scan scan(database, Table::checkpoint, Key(partition_of(run), Table::checkpoint).text(run.get()));
  for (scan.first(); scan.valid(); scan.next()) {
    found.push_back(seq_of(scan.suffix()));
  }
  auto ended = scan.status();
  return ended ? Result<std::vector<Seq>>(std::move(found))
               : Result<std::vector<Seq>>(ended.error());
}

Result<void> read_entries(const RocksDatabase& database, const RunId& run, Seq from,
                          const rocksdb::Snapshot* at, const EntryVisitor& visit) {
  const auto blobs = blobs_of(database);
  Key key(partition_of(run), Table::journal);
  Scan scan(database, Table::journal, key.text(run.get()), at);
  std::uint64_t expected = std::max<std::uint64_t>(from.get(), 1);
  for (scan.seek(key.u64(expected)); scan.valid(); scan.next(), ++expected) {
    const Seq seq = seq_of(scan.suffix());
    if (seq.get() != expected) {
      return Error{Code::storage_corrupt,
                   "entry " + std::to_string(expected) + " of run " + run.get() + " is missing",
                   "run: skein doctor"};
    }
    auto entry = schemas::decode_entry(scan.value(), blobs);
    if (!entry) {
      return unreadable_row("the journal", run, seq, entry.error());
    }
    if (!visit(std::move(*entry))) {
      return {};
    }
  }
  return scan.status();
}

} // namespace skein::storage
