#include "unit/storage/fault_file_system.h"

#include <filesystem>

namespace skein::test {
namespace {

namespace fs = std::filesystem;
using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

IOStatus no_power() { return IOStatus::IOError("the power is off"); }

class FaultWritable : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FaultWritable(FaultFileSystem& disk, std::string path, std::unique_ptr<FSWritableFile> file)
      : FSWritableFileOwnerWrapper(std::move(file)), disk_(disk), path_(std::move(path)) {}

  IOStatus Append(const Slice& bytes, const IOOptions& options, IODebugContext* debug) override {
    return append(bytes, [&] { return target()->Append(bytes, options, debug); });
  }
  IOStatus Append(const Slice& bytes, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& proof, IODebugContext* debug) override {
    return append(bytes, [&] { return target()->Append(bytes, options, proof, debug); });
  }
  IOStatus Truncate(std::uint64_t size, const IOOptions& options, IODebugContext* debug) override {
    if (auto refused = disk_.before_change(); !refused.ok()) {
      return refused;
    }
    disk_.truncated(path_, size);
    return target()->Truncate(size, options, debug);
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    return sync([&] { return target()->Sync(options, debug); });
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return sync([&] { return target()->Fsync(options, debug); });
  }
  IOStatus RangeSync(std::uint64_t, std::uint64_t, const IOOptions&, IODebugContext*) override {
    return IOStatus::OK();
  }

 private:
  template <class Write>
  IOStatus append(const Slice& bytes, const Write& write) {
    if (auto refused = disk_.before_append(path_, bytes.size()); !refused.ok()) {
      return refused;
    }
    IOStatus done = write();
    if (done.ok()) {
      disk_.appended(path_, bytes.size());
    }
    return done;
  }

  template <class Sync>
  IOStatus sync(const Sync& run) {
    bool pretend = false;
    if (auto refused = disk_.before_sync(path_, pretend); !refused.ok() || pretend) {
      return refused;
    }
    IOStatus done = run();
    if (done.ok()) {
      disk_.synced(path_);
    }
    return done;
  }

  FaultFileSystem& disk_;
  std::string path_;
};

class FaultReadable : public rocksdb::FSRandomAccessFileOwnerWrapper {
 public:
  FaultReadable(FaultFileSystem& disk, std::string path, std::unique_ptr<FSRandomAccessFile> file)
      : FSRandomAccessFileOwnerWrapper(std::move(file)), disk_(disk), path_(std::move(path)) {}

  IOStatus Read(std::uint64_t offset, std::size_t size, const IOOptions& options, Slice* result,
                char* scratch, IODebugContext* debug) const override {
    auto refused = disk_.before_read(path_);
    return refused.ok()
               ? FSRandomAccessFileOwnerWrapper::Read(offset, size, options, result, scratch, debug)
               : refused;
  }

 private:
  FaultFileSystem& disk_;
  std::string path_;
};

class FaultDirectory : public rocksdb::FSDirectoryWrapper {
 public:
  FaultDirectory(FaultFileSystem& disk, std::string path,
                 std::unique_ptr<rocksdb::FSDirectory>&& directory)
      : FSDirectoryWrapper(std::move(directory)), disk_(disk), path_(std::move(path)) {}

  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return sync([&] { return FSDirectoryWrapper::Fsync(options, debug); });
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                               const rocksdb::DirFsyncOptions& why) override {
    return sync([&] { return FSDirectoryWrapper::FsyncWithDirOptions(options, debug, why); });
  }

 private:
  template <class Sync>
  IOStatus sync(const Sync& run) {
    if (auto refused = disk_.before_change(); !refused.ok()) {
      return refused;
    }
    IOStatus done = run();
    if (done.ok()) {
      disk_.directory_synced(path_);
    }
    return done;
  }

  FaultFileSystem& disk_;
  std::string path_;
};

} // namespace

FaultFileSystem::FaultFileSystem(std::uint64_t seed)
    : FileSystemWrapper(rocksdb::FileSystem::Default()), chance_(seed) {}

std::uint64_t FaultFileSystem::changes() const {
  const std::lock_guard lock(mutex_);
  return changes_;
}

void FaultFileSystem::cut_power_at(std::uint64_t nth) {
  const std::lock_guard lock(mutex_);
  cut_at_ = changes_ + nth;
}

void FaultFileSystem::cut_power() {
  const std::lock_guard lock(mutex_);
  powered_ = false;
}

void FaultFileSystem::restore_power(bool torn) {
  const std::lock_guard lock(mutex_);
  lose_tails(torn);
  // A directory's changes become durable in order, so what survives is a prefix of them.
  const std::size_t kept = torn ? chance_() % (pending_.size() + 1) : 0;
  while (pending_.size() > kept) {
    undo(pending_.back());
    pending_.pop_back();
  }
  pending_.clear();
  faults_.clear();
  cut_at_ = 0;
  powered_ = true;
}

void FaultFileSystem::fail(Call call, std::uint64_t nth, std::string suffix) {
  const std::lock_guard lock(mutex_);
  faults_.push_back(Fault{call, nth, std::move(suffix)});
}

void FaultFileSystem::limit_space(std::optional<std::uint64_t> bytes) {
  const std::lock_guard lock(mutex_);
  space_ = bytes;
}

IOStatus FaultFileSystem::NewWritableFile(const std::string& path, const FileOptions& options,
                                          std::unique_ptr<rocksdb::FSWritableFile>* file,
                                          IODebugContext* debug) {
  {
    const std::lock_guard lock(mutex_);
    if (auto refused = change_locked(); !refused.ok()) {
      return refused;
    }
    pending_.push_back(Change{path, "", fs::exists(path) ? keep_locked(path) : ""});
    fs::remove(path); // or opening it would empty what was just kept
    files_[path] = Extent{};
  }
  std::unique_ptr<rocksdb::FSWritableFile> made;
  IOStatus status = target()->NewWritableFile(path, options, &made, debug);
  if (status.ok()) {
    *file = std::make_unique<FaultWritable>(*this, path, std::move(made));
  }
  return status;
}

IOStatus FaultFileSystem::NewRandomAccessFile(const std::string& path, const FileOptions& options,
                                              std::unique_ptr<rocksdb::FSRandomAccessFile>* file,
                                              IODebugContext* debug) {
  std::unique_ptr<rocksdb::FSRandomAccessFile> made;
  IOStatus status = target()->NewRandomAccessFile(path, options, &made, debug);
  if (status.ok()) {
    *file = std::make_unique<FaultReadable>(*this, path, std::move(made));
  }
  return status;
}

IOStatus FaultFileSystem::NewDirectory(const std::string& path, const IOOptions& options,
                                       std::unique_ptr<rocksdb::FSDirectory>* directory,
                                       IODebugContext* debug) {
  std::unique_ptr<rocksdb::FSDirectory> made;
  IOStatus status = target()->NewDirectory(path, options, &made, debug);
  if (status.ok()) {
    *directory = std::make_unique<FaultDirectory>(*this, path, std::move(made));
  }
  return status;
}

IOStatus FaultFileSystem::RenameFile(const std::string& from, const std::string& to,
                                     const IOOptions& options, IODebugContext* debug) {
  const std::lock_guard lock(mutex_);
  if (auto refused = change_locked(); !refused.ok()) {
    return refused;
  }
  pending_.push_back(Change{to, from, fs::exists(to) ? keep_locked(to) : ""});
  files_[to] = files_[from];
  files_.erase(from);
  return target()->RenameFile(from, to, options, debug);
}

IOStatus FaultFileSystem::DeleteFile(const std::string& path, const IOOptions& options,
                                     IODebugContext* debug) {
  const std::lock_guard lock(mutex_);
  if (auto refused = change_locked(); !refused.ok()) {
    return refused;
  }
  if (fs::exists(path)) {
    pending_.push_back(Change{"", path, keep_locked(path)});
  }
  return target()->DeleteFile(path, options, debug);
}

IOStatus FaultFileSystem::before_append(const std::string& path, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  if (auto refused = change_locked(); !refused.ok()) {
    return refused;
  }
  if (space_ && *space_ < bytes) {
    return IOStatus::NoSpace("no space left", path);
  }
  if (space_) {
    *space_ -= bytes;
  }
  return fault_locked(Call::append, path);
}

void FaultFileSystem::appended(const std::string& path, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  files_[path].size += bytes;
}

void FaultFileSystem::truncated(const std::string& path, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  files_[path].size = size;
  files_[path].synced = std::min(files_[path].synced, size);
}

IOStatus FaultFileSystem::before_sync(const std::string& path, bool& pretend) {
  if (on_sync_) {
    on_sync_();
  }
  const std::lock_guard lock(mutex_);
  pretend = pretended_ && path.ends_with(*pretended_);
  if (auto refused = change_locked(); !refused.ok()) {
    return refused;
  }
  return fault_locked(Call::sync, path);
}

void FaultFileSystem::synced(const std::string& path) {
  const std::lock_guard lock(mutex_);
  files_[path].synced = files_[path].size;
}

void FaultFileSystem::directory_synced(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto of = [&](const Change& change) {
    return fs::path(change.path.empty() ? change.from : change.path).parent_path() ==
           fs::path(path + "/").parent_path();
  };
  std::erase_if(pending_, of);
}

IOStatus FaultFileSystem::before_read(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return powered_ ? fault_locked(Call::read, path) : no_power();
}

IOStatus FaultFileSystem::before_change() {
  const std::lock_guard lock(mutex_);
  return change_locked();
}

IOStatus FaultFileSystem::change_locked() {
  if (powered_ && ++changes_ == cut_at_) {
    powered_ = false;
  }
  return powered_ ? IOStatus::OK() : no_power();
}

IOStatus FaultFileSystem::fault_locked(Call call, const std::string& path) {
  for (Fault& fault : faults_) {
    if (fault.call == call && fault.left > 0 && path.ends_with(fault.suffix) && --fault.left == 0) {
      return IOStatus::IOError("a fault was injected", path);
    }
  }
  return IOStatus::OK();
}

/// A second name for what a path holds, to bring it back by. Outside of the database's directory.
std::string FaultFileSystem::keep_locked(const std::string& path) {
  const fs::path backup = fs::path(path).parent_path().string() + ".kept-" +
                          std::to_string(++backups_) + "-" + fs::path(path).filename().string();
  fs::create_hard_link(path, backup);
  files_[backup.string()] = files_[path];
  return backup.string();
}

void FaultFileSystem::undo(const Change& change) {
  std::error_code missing;
  if (!change.path.empty()) {
    if (change.from.empty()) {
      fs::remove(change.path, missing);
    } else {
      fs::rename(change.path, change.from, missing);
    }
  }
  if (!change.backup.empty()) {
    fs::rename(change.backup, change.path.empty() ? change.from : change.path, missing);
  }
}

void FaultFileSystem::lose_tails(bool torn) {
  for (auto& [path, extent] : files_) {
    const std::uint64_t unsynced = extent.size - extent.synced;
    const std::uint64_t kept = torn && unsynced > 0 ? chance_() % (unsynced + 1) : 0;
    std::error_code missing;
    if (unsynced > 0 && fs::exists(path, missing)) {
      fs::resize_file(path, extent.synced + kept, missing);
    }
    extent.size = extent.synced = extent.synced + kept;
  }
}

} // namespace skein::test
