#pragma once

#include <rocksdb/file_system.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace skein::test {

/// A file system that forgets, fails and fills up on demand, in front of the machine's own.
///
/// Power loss: from the moment the power is cut every call fails. When it comes back, each file has
/// what was synced of it and, where `torn`, some of the rest; creations, renames and deletions
/// whose directory was not synced are undone from the last one back, as many as chance says.
///
/// Thread-safety: any thread.
class FaultFileSystem : public rocksdb::FileSystemWrapper {
 public:
  enum class Call : std::uint8_t { read, append, sync };

  explicit FaultFileSystem(std::uint64_t seed);
  const char* Name() const override { return "FaultFileSystem"; }

  /// Calls that change something, so far.
  std::uint64_t changes() const;
  /// Cuts the power at the nth such call from now, 1 for the next.
  void cut_power_at(std::uint64_t nth);
  void cut_power();
  /// Loses what is lost and answers calls again.
  void restore_power(bool torn);

  /// The nth call of the kind from now on a file that ends with `suffix` fails with an I/O error.
  void fail(Call call, std::uint64_t nth, std::string suffix = "");
  /// Syncs of files that end with `suffix` answer well and do nothing.
  void pretend_syncs(std::string suffix) { pretended_ = std::move(suffix); }
  /// Appends fail once so many more bytes are written; absent for a disk without end.
  void limit_space(std::optional<std::uint64_t> bytes);
  /// Called before every sync; a slow disk is one that waits here.
  void on_sync(std::function<void()> hook) { on_sync_ = std::move(hook); }

  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewRandomAccessFile(const std::string& path,
                                        const rocksdb::FileOptions& options,
                                        std::unique_ptr<rocksdb::FSRandomAccessFile>* file,
                                        rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewDirectory(const std::string& path, const rocksdb::IOOptions& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* directory,
                                 rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                               const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;

  // For the files that this makes.
  rocksdb::IOStatus before_append(const std::string& path, std::size_t bytes);
  void appended(const std::string& path, std::size_t bytes);
  void truncated(const std::string& path, std::uint64_t size);
  rocksdb::IOStatus before_sync(const std::string& path, bool& pretend);
  void synced(const std::string& path);
  void directory_synced(const std::string& path);
  rocksdb::IOStatus before_read(const std::string& path);
  rocksdb::IOStatus before_change();

 private:
  struct Extent {
    std::uint64_t size = 0;
    std::uint64_t synced = 0;
  };
  /// A change of a directory that its next sync makes durable.
  struct Change {
    std::string path;
    std::string from;   ///< of a rename
    std::string backup; ///< what `path` held before, or ""
  };
  struct Fault {
    Call call;
    std::uint64_t left;
    std::string suffix;
  };

  rocksdb::IOStatus change_locked();
  rocksdb::IOStatus fault_locked(Call call, const std::string& path);
  std::string keep_locked(const std::string& path);
  void undo(const Change& change);
  void lose_tails(bool torn);

  mutable std::mutex mutex_;
  std::mt19937_64 chance_;
  bool powered_ = true;
  std::uint64_t changes_ = 0;
  std::uint64_t cut_at_ = 0;
  std::uint64_t backups_ = 0;
  std::map<std::string, Extent> files_;
  std::vector<Change> pending_;
  std::vector<Fault> faults_;
  std::optional<std::uint64_t> space_;
  std::optional<std::string> pretended_;
  std::function<void()> on_sync_;
};

} // namespace skein::test
