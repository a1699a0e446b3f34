#pragma once

#include <rocksdb/db.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "storage/layout/rocks_key.h"
#include "storage/rocks_options.h"
#include "storage/rocks_store.h"

namespace skein::storage {

/// Column families. Few, because each costs two milliseconds at every open (docs/decisions).
enum class Family : std::uint8_t {
  state,   ///< small rows that change: indexes, timers, waits, outbox, resources, meta
  history, ///< what is only ever appended: log and journal
  runs,    ///< records and checkpoints
  blobs,   ///< large contents by their hash
};
inline constexpr std::size_t kFamilies = 4;

/// The family in which a table lives.
Family family_of(Table table);

inline rocksdb::Slice slice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

/// One open database: options, errors and the rule that a failed sync ends it.
///
///   healthy --no space--> full --space is free again--> healthy
///      \--failed write or sync--> dead: every later write fails with storage_io
///
/// Thread-safety: any thread.
class RocksDatabase {
 public:
  /// Errors: as RocksStore::open.
  static Result<std::unique_ptr<RocksDatabase>> open(const std::filesystem::path& directory,
                                                     const Options& options);
  ~RocksDatabase();
  RocksDatabase(const RocksDatabase&) = delete;
  RocksDatabase& operator=(const RocksDatabase&) = delete;

  rocksdb::ColumnFamilyHandle* family(Family family) const {
    return families_[static_cast<std::size_t>(family)];
  }
  rocksdb::ColumnFamilyHandle* family(Table table) const { return family(family_of(table)); }

  /// Errors: storage_full (nothing was written), storage_io.
  Result<void> write(rocksdb::WriteBatch& batch, bool synced = true);
  /// Errors: storage_corrupt, storage_io.
  Result<std::optional<std::string>> get(Family family, std::string_view key,
                                         const rocksdb::Snapshot* at = nullptr) const;
  Result<std::optional<std::string>> get(Table table, std::string_view key,
                                         const rocksdb::Snapshot* at = nullptr) const {
    return get(family_of(table), key, at);
  }

  rocksdb::DB& db() const { return *db_; }
  /// What a failed read or write means to the caller.
  Error to_error(const rocksdb::Status& status, std::string_view doing) const;

 private:
  RocksDatabase() = default;
  Error refuse_open(const rocksdb::Status& status) const;
  Result<void> shorten_log(bool wait);
  Result<void> resume();
  void keep_flushable();
  bool is_flushable() const;
  Result<void> refuse(const rocksdb::Status& status);

  std::string directory_;
  std::shared_ptr<RocksLog> log_;
  std::shared_ptr<DiskWatch> watch_;
  rocksdb::DB* db_ = nullptr;
  std::array<rocksdb::ColumnFamilyHandle*, kFamilies> families_{};
  std::atomic<bool> full_ = false;
  std::atomic<bool> dead_ = false;
  std::mutex resuming_;
};

/// A snapshot that is let go at the end of the scope.
class View {
 public:
  explicit View(const RocksDatabase& database)
      : database_(database), snapshot_(database.db().GetSnapshot()) {}
  ~View() { database_.db().ReleaseSnapshot(snapshot_); }
  View(const View&) = delete;
  View& operator=(const View&) = delete;
  const rocksdb::Snapshot* get() const { return snapshot_; }

 private:
  const RocksDatabase& database_;
  const rocksdb::Snapshot* snapshot_;
};

/// The rows whose keys begin with one prefix, in order.
class Scan {
 public:
  Scan(const RocksDatabase& database, Table table, std::string_view prefix,
       const rocksdb::Snapshot* at = nullptr);
  Scan(const RocksDatabase& database, Family family, std::string_view prefix,
       const rocksdb::Snapshot* at = nullptr);
  Scan(const Scan&) = delete;
  Scan& operator=(const Scan&) = delete;

  void first() { iterator_->Seek(prefix_); }
  void last() { iterator_->SeekToLast(); }
  void seek(std::string_view key) { iterator_->Seek(slice(key)); }
  void seek_back(std::string_view key) { iterator_->SeekForPrev(slice(key)); }
  void next() { iterator_->Next(); }
  void previous() { iterator_->Prev(); }
  bool valid() const { return iterator_->Valid(); }
  std::string_view key() const { return iterator_->key().ToStringView(); }
  std::string_view suffix() const { return key().substr(prefix_.size()); }
  std::string_view value() const { return iterator_->value().ToStringView(); }
  /// Why the scan ended: success at the end of the rows.
  Result<void> status() const;

 private:
  const RocksDatabase& database_;
  std::string prefix_;
  std::string end_;
  rocksdb::Slice lower_;
  rocksdb::Slice upper_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

} // namespace skein::storage
