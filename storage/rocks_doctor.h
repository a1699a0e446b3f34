#pragma once

#include <rocksdb/write_batch.h>

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "schemas/codec.h"
#include "storage/doctor.h"
#include "storage/layout/rocks_rows.h"

namespace skein::storage {

/// Examines one partition after the other:
///
///   log ──names──► journal ──folds to──► records ──give──► indexes
///                                   └──► timers, waits
///
/// Each arrow is checked in both directions: what is missing, and what nothing asks for.
class Examination {
 public:
  Examination(RocksDatabase& database, Refold* refold, bool repair, const DoctorProgress& progress)
      : database_(database),
        refold_(refold),
        repair_(repair),
        progress_(progress),
        blobs_(blobs_of(database)) {}

  /// Errors: storage_io or storage_full, where a repair could not be written.
  Result<DoctorReport> run();

 private:
  /// Rows of one table as they must be: key → value.
  using Rows = std::map<std::string, std::string>;

  Result<void> examine(PartitionId partition);
  void check_log();
  void check_batch(LogIndex index, std::string_view bytes, schemas::BatchHeader& before);
  void check_ref(LogIndex index, const schemas::EntryRef& ref);
  bool is_retired(const RunId& run, LogIndex index);
  bool lost(const RunId& run);
  void check_journal();
  void check_run(const RunId& run, const std::vector<Entry>& entries);
  void check_checkpoints();
  Result<void> check_checkpoint(const RunId& run, Seq seq, std::string_view bytes);
  schemas::BlobSource noting(const RunId& run);
  void note_use(const RunId& run, const ContentHash& hash);
  void check_uses();
  void check_outbox();
  void check_records();
  void compare(Table table, const Rows& expected, std::string_view what);
  void find(Error error, std::optional<LogIndex> index = {}, std::optional<RunId> run = {},
            std::optional<Seq> seq = {}, bool repairable = false);
  void ended(const Result<void>& scan);

  RocksDatabase& database_;
  Refold* refold_;
  bool repair_;
  const DoctorProgress& progress_;
  schemas::BlobSource blobs_;
  DoctorReport report_;

  // Of the partition in progress.
  PartitionId partition_;
  std::map<RunId, std::uint64_t> named_; ///< the last entry of each run that a batch names
  Rows records_;
  Rows timers_;
  Rows waits_;
  Rows dedupes_;
  Rows indexes_;
  Rows uses_;                ///< of large contents
  std::set<RunId> unfolded_; ///< runs whose derived rows nobody can tell
  rocksdb::WriteBatch fixes_;
};

} // namespace skein::storage
