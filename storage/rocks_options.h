#pragma once

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "storage/rocks_store.h"

namespace skein::storage {

/// RocksDB's own log: warnings and errors go on to spdlog, the rest nowhere. Remembers what was
/// said about files, since a status often does not name the file that it is about.
class RocksLog : public rocksdb::Logger {
 public:
  RocksLog() : rocksdb::Logger(rocksdb::InfoLogLevel::WARN_LEVEL) {}
  using rocksdb::Logger::Logv;
  void LogHeader(const char*, va_list) override {}
  void Logv(const char*, va_list) override {}
  void Logv(rocksdb::InfoLogLevel level, const char* format, va_list args) override;
  /// The last line that told of dropped or damaged bytes, or "".
  std::string damage() const;

 private:
  mutable std::mutex mutex_;
  std::string damage_;
};

/// Notes when the write-ahead log could not be synced: from then on nobody knows what is on the
/// disk, whatever later calls say. Keeps RocksDB from polling a full disk every five seconds: the
/// next write asks at once.
class DiskWatch : public rocksdb::EventListener {
 public:
  bool ShouldBeNotifiedOnFileIO() override { return true; }
  void OnIOError(const rocksdb::IOErrorInfo& error) override;
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status,
                            bool* automatic) override {
    *automatic = false;
  }
  bool failed() const { return failed_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> failed_ = false;
};

/// Options of the database and of its families, in the order of Family.
struct RocksOptions {
  rocksdb::DBOptions database;
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
};

/// Options pinned by this program; reliability comes before speed wherever they meet
/// (docs/decisions/0020-rocksdb-options.md).
RocksOptions options_of(const Options& options, std::shared_ptr<RocksLog> log,
                        std::shared_ptr<DiskWatch> watch);

} // namespace skein::storage
