#include "storage/rocks_writer.h"

#include "core/ports/failpoint.h"
#include "core/value/json.h"
#include "storage/layout/rocks_index.h"

namespace skein::storage {
namespace {

constexpr std::size_t kEntriesPerLink = 16'384; ///< at most 5 MiB of the 16 that are read back

constexpr std::size_t kReserve = 1u << 20;
constexpr std::size_t kShrinkAbove = 16u << 20;
constexpr std::size_t kProtection = 8;
constexpr std::size_t kCheckpointsKept = 2;

std::string_view bytes_of(const ContentHash& hash) {
  return {reinterpret_cast<const char*>(hash.bytes.data()), hash.bytes.size()};
}

rocksdb::WriteBatch empty_write() { return rocksdb::WriteBatch(kReserve, 0, kProtection, 0); }

IndexedRecord indexed(const RunRecord& record) {
  Digest names = digest(record.definition);
  if (!record.labels.is_null()) {
    const Digest labels = digest(to_json(record.labels));
    names.low ^= labels.high;
    names.high ^= labels.low;
  }
  return {record.state, record.created_at, names};
}

bool only_state_differs(const IndexedRecord& a, const IndexedRecord& b) {
  return a.created == b.created && a.names == b.names;
}

Error diverged(const Batch& batch, const PartitionTail& tail) {
  return {Code::log_diverged,
          "batch " + std::to_string(batch.seal->first.get()) + " of partition " +
              std::to_string(batch.partition.get()) + " was sealed as " +
              to_string(batch.seal->hash) + ", and is not that after entry " +
              std::to_string(tail.last.get()),
          "run: skein doctor"};
}

Error not_next(const Entry& entry, std::uint64_t last) {
  return {Code::run_state_conflict,
          "entry " + std::to_string(entry.seq.get()) + " of run " + entry.run.get() +
              " is not the next: the last is " + std::to_string(last),
          ""};
}

} // namespace

RocksWriter::RocksWriter(RocksDatabase& database, NodeId node, std::uint64_t incarnation)
    : database_(database), node_(node), incarnation_(incarnation), write_(empty_write()) {
  sink_ = [this](const ContentHash& hash, std::string_view content) { put_blob(hash, content); };
}

Result<void> RocksWriter::commit(std::span<const Batch> batches) {
  for (const Batch& batch : batches) {
    if (batch.appends.empty() && !batch.leader && batch.position.is_none()) {
      continue;
    }
    if (auto added = add(batch); !added) {
      abandon();
      return added;
    }
  }
  if (write_.Count() == 0) {
    return {};
  }
  failpoint("commit.before_write");
  if (auto written = database_.write(write_); !written) {
    abandon();
    return written;
  }
  failpoint("commit.after_write");
  settle();
  return {};
}

void RocksWriter::loaded(const LoadedRun& run) {
  RunTrace trace;
  if (!run.tail.empty()) {
    trace.last_seq = run.tail.back().seq.get();
  } else if (run.checkpoint) {
    trace.last_seq = run.checkpoint->seq.get();
  }
  trace.record_read = true;
  trace.record = indexed(run.record);
  traces_.loaded(run.record.id, std::move(trace));
}

// What is written as one batch must be readable as one: a large one becomes links of the chain.
Result<void> RocksWriter::add(const Batch& batch) {
  auto tail = tail_for(batch);
  if (!tail) {
    return tail.error();
  }
  if (!batch.position.is_none()) {
    write_.Put(database_.family(Table::meta), slice(stream_position_key()),
               stream_position_value(batch.position));
  }
  if (batch.leader) {
    add_leader(batch, **tail);
  }
  std::span<const Append> rest = batch.appends;
  while (!rest.empty()) {
    // What was sealed as one link stays one.
    const auto part = rest.first(batch.seal ? rest.size() : std::min(rest.size(), kEntriesPerLink));
    if (auto added = add(batch, part, **tail); !added) {
      return added;
    }
    rest = rest.subspan(part.size());
  }
  return {};
}

void RocksWriter::add_leader(const Batch& batch, PartitionTail& tail) {
  tail.epoch = batch.epoch;
  tail.leader = batch.leader;
  write_.Put(database_.family(Table::leader), slice(leader_key(batch.partition)),
             leader_value(batch.epoch, *batch.leader));
}

Result<void> RocksWriter::add(const Batch& batch, std::span<const Append> part,
                              PartitionTail& tail) {
  header_.incarnation = batch.seal ? batch.seal->incarnation : incarnation_;
  header_.partition = batch.partition;
  header_.epoch = batch.epoch;
  header_.node = batch.seal ? batch.seal->node : node_;
  header_.first = LogIndex(tail.last.get() + 1);
  header_.at = batch.at;
  header_.previous = tail.hash;
  header_.entries.clear();
  for (const Append& append : part) {
    const auto at = static_cast<std::size_t>(&append - batch.appends.data());
    const bool encoded = batch.encoded.size() == batch.appends.size();
    if (auto added = add(batch, append, encoded ? &batch.encoded[at] : nullptr); !added) {
      return added;
    }
  }
  header_.hash = schemas::hash_of(header_);
  if (batch.seal && header_.hash != batch.seal->hash) {
    return diverged(batch, tail);
  }
  key_.start(batch.partition.get(), Table::log).u64(header_.first.get());
  put(Table::log, schemas::encode_batch(header_));
  tail.last = LogIndex(tail.last.get() + part.size());
  tail.epoch = batch.epoch;
  tail.last_epoch = batch.epoch;
  tail.at = batch.at;
  tail.hash = header_.hash;
  return {};
}

Result<void> RocksWriter::add(const Batch& batch, const Append& append,
                              const EncodedEntry* encoded) {
  const Entry& entry = append.entry;
  auto trace = trace_for(entry);
  if (!trace) {
    return trace.error();
  }
  if (partition_of(entry.run) != batch.partition) {
    return Error{
        Code::run_state_conflict,
        "run " + entry.run.get() + " is not of partition " + std::to_string(batch.partition.get()),
        ""};
  }
  current_ = &entry.run;
  key_.start(batch.partition.get(), Table::journal).text(entry.run.get()).u64(entry.seq.get());
  ContentHash hash;
  if (encoded != nullptr) {
    for (const auto& [blob, content] : encoded->blobs) {
      put_blob(blob, content);
    }
    put(Table::journal, encoded->bytes);
    hash = encoded->hash;
  } else {
    const std::string bytes = schemas::encode_entry(entry, sink_);
    put(Table::journal, bytes);
    hash = content_hash(bytes);
  }
  if (const std::string_view id = flow::sender_id(entry.event); !id.empty()) {
    write_.Put(database_.family(Table::dedupe), slice(dedupe_key(entry.run, id)),
               dedupe_value(entry.seq));
  }
  put_waiting(append);
  put_outbox(batch.partition, append);
  header_.entries.push_back({entry.run, entry.seq, hash});
  if (append.checkpoint) {
    if (auto kept = put_checkpoint(*append.checkpoint, **trace); !kept) {
      return kept;
    }
  }
  ++(*trace)->last_seq;
  return append.record ? put_record(*append.record, **trace) : Result<void>();
}

/// The newest two stay: one to recover from, one should that be unreadable. Before both there is
/// the journal.
Result<void> RocksWriter::put_checkpoint(const Checkpoint& checkpoint, RunTrace& trace) {
  failpoint("checkpoint.before_write");
  const auto at = [&](Seq seq) {
    key_.start(partition_of(*current_).get(), Table::checkpoint)
        .text(current_->get())
        .u64(seq.get());
  };
  if (!trace.checkpoints) {
    auto stored = read_checkpoint_seqs(database_, *current_);
    if (!stored) {
      return stored.error();
    }
    trace.checkpoints = std::move(*stored);
  }
  const std::string cells = schemas::encode_checkpoint(checkpoint, sink_);
  at(checkpoint.seq);
  put(Table::checkpoint, cells);
  std::vector<Seq>& kept = *trace.checkpoints;
  kept.push_back(checkpoint.seq);
  while (kept.size() > kCheckpointsKept) {
    at(kept.front());
    remove(Table::checkpoint);
    kept.erase(kept.begin());
  }
  return {};
}

Result<PartitionTail*> RocksWriter::tail_for(const Batch& batch) {
  const std::size_t number = batch.partition.get();
  if (number >= kPartitions) {
    return Error{Code::run_state_conflict, "there is no partition " + std::to_string(number), ""};
  }
  std::optional<PartitionTail>& tail = tails_[number];
  if (!tail) {
    auto read = read_tail(database_, batch.partition);
    if (!read) {
      return read.error();
    }
    tail = *read;
  }
  if (batch.epoch < tail->epoch) {
    return Error{Code::run_state_conflict,
                 "partition " + std::to_string(number) + " is at epoch " +
                     std::to_string(tail->epoch.get()) + ", the batch is of epoch " +
                     std::to_string(batch.epoch.get()),
                 ""};
  }
  touched_partitions_.push_back(batch.partition);
  return &*tail;
}

Result<RunTrace*> RocksWriter::trace_for(const Entry& entry) {
  if (!fits_key(entry.run)) {
    return Error{Code::run_state_conflict,
                 "a run id has 1 to 128 bytes and no NUL: \"" + entry.run.get() + "\"", ""};
  }
  RunTrace* trace = traces_.find(entry.run);
  if (trace == nullptr) {
    auto last = read_last_seq(database_, entry.run);
    if (!last) {
      return last.error();
    }
    trace = &traces_.insert(entry.run, RunTrace{last->get(), last->get() == 0, {}, {}, nullptr});
    if (last->get() == 0) {
      trace->checkpoints.emplace();
    }
  }
  touched_runs_.push_back(&entry.run);
  touched_.push_back(trace);
  if (entry.seq.get() != trace->last_seq + 1) {
    return not_next(entry, trace->last_seq);
  }
  return trace;
}

Result<void> RocksWriter::read_indexed(const RunId& run, RunTrace& trace) {
  if (trace.record_read) {
    return {};
  }
  auto stored = read_record(database_, run);
  if (!stored) {
    return stored.error();
  }
  trace.record = *stored ? std::optional(indexed(**stored)) : std::nullopt;
  trace.record_read = true;
  return {};
}

Result<void> RocksWriter::put_record(const RunRecord& record, RunTrace& trace) {
  if (record.id != *current_) {
    return Error{Code::run_state_conflict,
                 "a record of run " + record.id.get() + " came with an entry of " + current_->get(),
                 ""};
  }
  if (auto read = read_indexed(record.id, trace); !read) {
    return read;
  }
  if (auto indexes = reindex(record, trace); !indexes) {
    return indexes;
  }
  const std::string bytes = schemas::encode_record(record, sink_);
  key_.start(partition_of(record.id).get(), Table::record).text(record.id.get());
  put(Table::record, bytes);
  trace.record = indexed(record);
  trace.newest = &record;
  return {};
}

Result<void> RocksWriter::reindex(const RunRecord& record, const RunTrace& trace) {
  rocksdb::ColumnFamilyHandle* const family = database_.family(Table::index);
  const IndexedRecord now = indexed(record);
  if (trace.record == now) {
    return {};
  }
  if (trace.record && only_state_differs(*trace.record, now)) {
    write_.Delete(family, slice(state_index_key(record.id, trace.record->state, now.created)));
    write_.Put(family, slice(state_index_key(record.id, now.state, now.created)), {});
    return {};
  }
  if (trace.record) {
    auto old = trace.newest != nullptr ? Result<std::optional<RunRecord>>(*trace.newest)
                                       : read_record(database_, record.id);
    if (!old) {
      return old.error();
    }
    for (const std::string& key : index_keys(**old)) {
      write_.Delete(family, key);
    }
  }
  for (const std::string& key : index_keys(record)) {
    write_.Put(family, key, {});
  }
  return {};
}

/// What ends is removed before what begins is added.
void RocksWriter::put_waiting(const Append& append) {
  const auto at = [this](const TimerRow& row) {
    key_.start(partition_of(row.run).get(), Table::timer)
        .due(row.due)
        .text(row.run.get())
        .u64(row.timer);
  };
  const auto on = [this](const WaitRow& row) {
    key_.start(partition_of(row.run).get(), Table::wait)
        .text(row.run.get())
        .byte(static_cast<std::uint8_t>(row.what))
        .bytes(row.name);
  };
  for (const TimerRow& row : append.disarm) {
    at(row);
    remove(Table::timer);
  }
  for (const TimerRow& row : append.arm) {
    at(row);
    put(Table::timer, {});
  }
  for (const WaitRow& row : append.close) {
    on(row);
    remove(Table::wait);
  }
  for (const WaitRow& row : append.open) {
    on(row);
    put(Table::wait, {});
  }
}

void RocksWriter::put_outbox(PartitionId partition, const Append& append) {
  std::uint32_t position = 0;
  const std::uint64_t index = header_.first.get() + header_.entries.size();
  for (const OutboxRow& row : append.outbox) {
    const std::string bytes = schemas::encode_outbox(row);
    key_.start(partition.get(), Table::outbox).u64(index).u32(position++);
    put(Table::outbox, bytes);
  }
}

void RocksWriter::put_blob(const ContentHash& hash, std::string_view content) {
  if (blobs_.insert(hash).second) {
    write_.Put(database_.family(Family::blobs), slice(bytes_of(hash)), slice(content));
  }
  if (seen_blobs_ != nullptr) {
    seen_blobs_->insert(hash);
  }
  Key use(partition_of(*current_), Table::blob_use);
  use.text(current_->get()).bytes(bytes_of(hash));
  write_.Put(database_.family(Table::blob_use), slice(use), {});
}

void RocksWriter::put(Table table, std::string_view value) {
  write_.Put(database_.family(table), slice(key_), slice(value));
}

void RocksWriter::remove(Table table) { write_.Delete(database_.family(table), slice(key_)); }

void RocksWriter::abandon() {
  for (const RunId* const run : touched_runs_) {
    traces_.forget(*run);
  }
  for (const PartitionId partition : touched_partitions_) {
    tails_[partition.get()].reset();
  }
  touched_.clear();
  settle();
}

void RocksWriter::settle() {
  for (RunTrace* const trace : touched_) {
    trace->newest = nullptr;
  }
  touched_.clear();
  touched_runs_.clear();
  touched_partitions_.clear();
  blobs_.clear();
  traces_.age();
  if (write_.GetDataSize() > kShrinkAbove) {
    write_ = empty_write();
  } else {
    write_.Clear();
  }
}

} // namespace skein::storage
