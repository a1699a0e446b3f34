#include "storage/rocks_options.h"

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/table_properties_collectors.h>
#include <spdlog/spdlog.h>

#include <cstdarg>
#include <cstdio>
#include <string_view>

namespace skein::storage {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::size_t kProtection = 8;

rocksdb::BlockBasedTableOptions table_options(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.block_size = 16 << 10;
  table.format_version = 5;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  // Index and filter blocks count against the cache, or a million runs would grow the process.
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  return table;
}

rocksdb::ColumnFamilyOptions family_options(const std::shared_ptr<rocksdb::Cache>& cache,
                                            std::size_t write_buffer) {
  rocksdb::ColumnFamilyOptions family;
  family.write_buffer_size = write_buffer;
  family.max_write_buffer_number = 3;
  family.level_compaction_dynamic_level_bytes = true;
  // What a flush writes is soon compacted, so it is written fast and compressed below.
  family.compression_per_level = {rocksdb::kNoCompression, rocksdb::kLZ4Compression};
  family.bottommost_compression = rocksdb::kZSTD;
  family.force_consistency_checks = true;
  family.memtable_protection_bytes_per_key = kProtection;
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table_options(cache)));
  return family;
}

/// All of a key but the number that it ends with. Entries of a run come in ascending order, so the
/// memtable keeps a place for each run and an insert costs a few comparisons, not a search.
class AllButNumber : public rocksdb::SliceTransform {
 public:
  const char* Name() const override { return "skein.all_but_number"; }
  rocksdb::Slice Transform(const rocksdb::Slice& key) const override {
    return {key.data(), key.size() - sizeof(std::uint64_t)};
  }
  bool InDomain(const rocksdb::Slice& key) const override {
    return key.size() > sizeof(std::uint64_t);
  }
};

rocksdb::DBOptions database_options(const Options& options) {
  rocksdb::DBOptions database;
  if (options.env != nullptr) {
    database.env = options.env;
  }
  database.create_if_missing = options.create;
  database.create_missing_column_families = true;
  // The default mode silently drops synced records behind a flipped bit; this one refuses to open.
  database.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  database.paranoid_checks = true;
  database.flush_verify_memtable_count = true;
  database.verify_sst_unique_id_in_manifest = true;
  database.track_and_verify_wals_in_manifest = false; // false alarms in 7.8
  // The log is replayed at every open, so it stays short; flushing it at open would cost more.
  database.avoid_flush_during_recovery = true;
  database.avoid_flush_during_shutdown = true;
  database.max_total_wal_size = 64 * kMiB;
  database.db_write_buffer_size = options.write_memory;
  database.max_open_files = 256;
  database.max_file_opening_threads = 1;
  database.skip_stats_update_on_db_open = true;
  database.max_background_jobs = 4;
  // One thread commits, and a memtable's insert with a hint needs that.
  database.allow_concurrent_memtable_write = false;
  database.max_manifest_file_size = 16 * kMiB;
  database.stats_dump_period_sec = 0;
  database.stats_persist_period_sec = 0;
  return database;
}

} // namespace

void RocksLog::Logv(rocksdb::InfoLogLevel level, const char* format, va_list args) {
  if (level < rocksdb::InfoLogLevel::WARN_LEVEL || level == rocksdb::InfoLogLevel::HEADER_LEVEL) {
    return;
  }
  char line[1024];
  std::vsnprintf(line, sizeof line, format, args);
  const std::string_view text(line);
  // The open's own last line only says that there was damage; the lines before it say where.
  const bool summary = text.find("DB::Open() failed") != text.npos;
  if (!summary && (text.find("dropping") != text.npos || text.find("orrupt") != text.npos)) {
    const std::lock_guard lock(mutex_);
    damage_ = text;
  }
  spdlog::log(
      level == rocksdb::InfoLogLevel::WARN_LEVEL ? spdlog::level::debug : spdlog::level::warn,
      "rocksdb: {}", text);
}

std::string RocksLog::damage() const {
  const std::lock_guard lock(mutex_);
  return damage_;
}

void DiskWatch::OnIOError(const rocksdb::IOErrorInfo& error) {
  const bool sync = error.operation == rocksdb::FileOperationType::kSync ||
                    error.operation == rocksdb::FileOperationType::kFsync ||
                    error.operation == rocksdb::FileOperationType::kRangeSync;
  if (sync && error.file_path.ends_with(".log")) {
    failed_.store(true, std::memory_order_relaxed);
  }
}

RocksOptions options_of(const Options& options, std::shared_ptr<RocksLog> log,
                        std::shared_ptr<DiskWatch> watch) {
  const auto cache = rocksdb::NewLRUCache(32 * kMiB, 2);
  RocksOptions all{database_options(options), {}};
  all.database.info_log = std::move(log);
  all.database.listeners.push_back(std::move(watch));

  rocksdb::ColumnFamilyOptions state = family_options(cache, options.write_memory / 10);
  // Timers, waits and outbox are queues: their tombstones must not pile up in front.
  state.table_properties_collector_factories.push_back(
      rocksdb::NewCompactOnDeletionCollectorFactory(128, 64));
  rocksdb::ColumnFamilyOptions blobs = family_options(cache, options.write_memory / 10);
  blobs.compression_per_level.clear();
  blobs.compression = rocksdb::kZSTD;
  all.families.emplace_back(rocksdb::kDefaultColumnFamilyName, state);
  rocksdb::ColumnFamilyOptions history = family_options(cache, options.write_memory * 4 / 10);
  history.memtable_insert_with_hint_prefix_extractor = std::make_shared<AllButNumber>();
  all.families.emplace_back("history", history);
  all.families.emplace_back("runs", family_options(cache, options.write_memory * 2 / 10));
  all.families.emplace_back("blobs", blobs);
  return all;
}

} // namespace skein::storage
