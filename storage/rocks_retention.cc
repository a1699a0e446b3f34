#include <set>

#include "core/ports/failpoint.h"
#include "storage/layout/rocks_index.h"
#include "storage/rocks_parts.h"

namespace skein::storage {
namespace {

ContentHash hash_of(std::string_view bytes) {
  ContentHash hash;
  std::copy_n(bytes.begin(), std::min(bytes.size(), hash.bytes.size()), hash.bytes.begin());
  return hash;
}

std::string_view bytes_of(const ContentHash& hash) {
  return {reinterpret_cast<const char*>(hash.bytes.data()), hash.bytes.size()};
}

/// Every final run of a partition that has been final for long enough.
Result<std::vector<RunRecord>> old_runs(const RocksDatabase& database, PartitionId partition,
                                        Instant before) {
  std::vector<RunRecord> found;
  std::optional<Error> broken;
  for (const RunState state : {RunState::succeeded, RunState::failed, RunState::cancelled}) {
    auto scanned = runs_in_state(database, partition, state, [&](const RunId& run) {
      auto record = read_record(database, run);
      if (!record) {
        broken = record.error();
        return false;
      }
      if (*record && is_final((*record)->state) && (*record)->updated_at < before) {
        found.push_back(std::move(**record));
      }
      return true;
    });
    if (!scanned || broken) {
      return broken ? *broken : scanned.error();
    }
  }
  return found;
}

/// Adds the removal of all that a run has to one write.
class Removal {
 public:
  Removal(RocksDatabase& database, RetentionReport& report)
      : database_(database), report_(report) {}

  Result<void> add(const RunRecord& record, LogIndex until, Instant now) {
    const PartitionId partition = partition_of(record.id);
    for (const Table table :
         {Table::journal, Table::checkpoint, Table::wait, Table::dedupe, Table::blob_use}) {
      if (auto removed = rows(table, partition, record.id); !removed) {
        return removed;
      }
    }
    for (const std::string& key : index_keys(record)) {
      batch_.Delete(database_.family(Table::index), key);
    }
    batch_.Delete(database_.family(Table::record),
                  slice(Key(partition, Table::record).text(record.id.get())));
    batch_.Put(database_.family(Table::retired),
               slice(Key(partition, Table::retired).text(record.id.get())),
               Key().u64(until.get()).due(now).take());
    ++report_.runs;
    return {};
  }

  rocksdb::WriteBatch& batch() { return batch_; }

 private:
  Result<void> rows(Table table, PartitionId partition, const RunId& run) {
    Scan scan(database_, table, Key(partition, table).text(run.get()));
    for (scan.first(); scan.valid(); scan.next()) {
      batch_.Delete(database_.family(table), slice(scan.key()));
      if (table == Table::blob_use) {
        batch_.Put(database_.family(Table::orphan),
                   slice(Key(kNodeRows, Table::orphan).bytes(scan.suffix())), {});
      }
      report_.entries += table == Table::journal ? 1 : 0;
      report_.checkpoints += table == Table::checkpoint ? 1 : 0;
    }
    return scan.status();
  }

  RocksDatabase& database_;
  RetentionReport& report_;
  rocksdb::WriteBatch batch_;
};

Result<std::set<ContentHash>> read_orphans(const RocksDatabase& database) {
  std::set<ContentHash> orphans;
  Scan scan(database, Table::orphan, Key(kNodeRows, Table::orphan));
  for (scan.first(); scan.valid(); scan.next()) {
    orphans.insert(hash_of(scan.suffix()));
  }
  auto ended = scan.status();
  return ended ? Result<std::set<ContentHash>>(std::move(orphans))
               : Result<std::set<ContentHash>>(ended.error());
}

/// Takes out of `orphans` what some run still refers to.
Result<void> spare_used(const RocksDatabase& database, std::set<ContentHash>& orphans) {
  for (std::uint16_t p = 0; p < kPartitions && !orphans.empty(); ++p) {
    Scan scan(database, Table::blob_use, Key(p, Table::blob_use));
    for (scan.first(); scan.valid(); scan.next()) {
      KeyReader reader(scan.suffix());
      reader.text();
      orphans.erase(hash_of(reader.rest()));
    }
    if (auto ended = scan.status(); !ended) {
      return ended;
    }
  }
  return {};
}

/// Stops the watch on blobs at the end of a sweep, however it ends.
class BlobWatch {
 public:
  BlobWatch(RocksWriter& writer, std::mutex& committing) : writer_(writer), mutex_(committing) {
    const std::lock_guard lock(mutex_);
    writer_.watch_blobs(&seen_);
  }
  ~BlobWatch() {
    const std::lock_guard lock(mutex_);
    writer_.watch_blobs(nullptr);
  }
  BlobWatch(const BlobWatch&) = delete;
  BlobWatch& operator=(const BlobWatch&) = delete;
  /// REQUIRES: the mutex is held.
  bool seen(const ContentHash& hash) const { return seen_.contains(hash); }

 private:
  RocksWriter& writer_;
  std::mutex& mutex_;
  std::set<ContentHash> seen_;
};

} // namespace

/// Runs one partition's old runs into the ground, some per write, so that commits wait little.
Result<void> RocksStore::Parts::retire(PartitionId partition, const RetentionPolicy& policy,
                                       Instant now, RetentionReport& report) {
  auto old = old_runs(*database, partition, now + Millis{-policy.keep_final.count});
  if (!old) {
    return old.error();
  }
  for (std::size_t next = 0; next < old->size();) {
    const std::lock_guard lock(committing);
    auto tail = read_tail(*database, partition);
    if (!tail) {
      return tail.error();
    }
    Removal removal(*database, report);
    for (std::size_t n = 0; n < policy.runs_per_write && next < old->size(); ++n, ++next) {
      if (auto added = removal.add((*old)[next], tail->last, now); !added) {
        return added;
      }
      writer->forget((*old)[next].id);
    }
    failpoint("retention.before_write");
    if (auto written = database->write(removal.batch()); !written) {
      return written;
    }
    failpoint("retention.after_write");
  }
  return {};
}

Result<void> RocksStore::Parts::sweep(RetentionReport& report) {
  const BlobWatch watch(*writer, committing);
  auto orphans = read_orphans(*database);
  if (!orphans) {
    return orphans.error();
  }
  if (orphans->empty()) {
    return {};
  }
  std::set<ContentHash> unused = *orphans;
  if (auto spared = spare_used(*database, unused); !spared) {
    return spared;
  }
  const std::lock_guard lock(committing);
  rocksdb::WriteBatch batch;
  for (const ContentHash& hash : *orphans) {
    batch.Delete(database->family(Table::orphan),
                 slice(Key(kNodeRows, Table::orphan).bytes(bytes_of(hash))));
    if (unused.contains(hash) && !watch.seen(hash)) {
      batch.Delete(database->family(Family::blobs), slice(bytes_of(hash)));
      ++report.blobs;
    }
  }
  failpoint("retention.before_sweep");
  if (auto written = database->write(batch); !written) {
    return written;
  }
  failpoint("retention.after_sweep");
  return {};
}

Result<RetentionReport> RocksStore::collect(const RetentionPolicy& policy, Instant now) {
  RetentionReport report;
  for (std::uint16_t p = 0; p < kPartitions; ++p) {
    if (auto retired = parts_->retire(PartitionId(p), policy, now, report); !retired) {
      return retired.error();
    }
  }
  auto swept = parts_->sweep(report);
  return swept ? Result<RetentionReport>(report) : Result<RetentionReport>(swept.error());
}

} // namespace skein::storage
