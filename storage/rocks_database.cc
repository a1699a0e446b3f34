#include "storage/rocks_database.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace skein::storage {
namespace {

constexpr std::size_t kProtection = 8;
/// Logs of earlier processes that an open may leave to be replayed again.
constexpr std::size_t kLogsKept = 8;
constexpr std::uint64_t kLogBytesKept = 4u << 20;

/// The process that holds RocksDB's lock file. The kernel knows; a pid file could be stale.
std::optional<pid_t> owner_of(const std::filesystem::path& directory) {
  const int file = ::open((directory / "LOCK").c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return std::nullopt;
  }
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  const bool asked = ::fcntl(file, F_GETLK, &lock) == 0;
  ::close(file);
  return asked && lock.l_type != F_UNLCK ? std::optional(lock.l_pid) : std::nullopt;
}

Error in_use(const std::filesystem::path& directory, std::string_view owner) {
  return {Code::storage_in_use,
          "data directory " + directory.string() + " is in use by " + std::string(owner),
          "let that process end, or give another directory with --data"};
}

Error unreadable(const std::filesystem::path& directory, std::string_view why) {
  return {Code::storage_unreadable,
          "data directory " + directory.string() + " cannot be used: " + std::string(why),
          "check its owner and permissions (ls -ld " + directory.string() + ")"};
}

Error not_there(const std::filesystem::path& directory, std::string_view why) {
  return {
      Code::storage_unreadable,
      "data directory " + directory.string() + " cannot be used: " + std::string(why),
      "name the directory that runs were stored in, with --data or SKEIN_DATA; `skein run flow` "
      "and `skein apply` make a new one"};
}

/// What a database that is being made has before it has CURRENT; and what every file system has.
bool begins_database(std::string_view file) {
  return file == "LOCK" || file == "IDENTITY" || file == "lost+found" || file.starts_with("LOG") ||
         file.starts_with("MANIFEST-") || file.ends_with(".dbtmp");
}

bool holds_rows(std::string_view file) {
  const std::string_view number = file.substr(0, file.find_first_not_of("0123456789"));
  const std::string_view rest = file.substr(number.size());
  return !number.empty() && (rest == ".log" || rest == ".sst");
}

/// Without CURRENT, RocksDB would begin an empty database over what the others of its files hold.
Result<void> check_files(rocksdb::Env& env, const std::filesystem::path& directory, bool create) {
  std::vector<std::string> files;
  if (env.FileExists((directory / "CURRENT").string()).ok() ||
      !env.GetChildren(directory.string(), &files).ok()) {
    return {};
  }
  std::erase_if(files, [](const std::string& file) { return file == "." || file == ".."; });
  std::string manifest;
  for (const std::string& file : files) {
    manifest = file.starts_with("MANIFEST-") ? std::max(manifest, file) : manifest;
  }
  if (std::ranges::any_of(files, holds_rows)) {
    return Error{Code::storage_corrupt,
                 "the database in " + directory.string() + " is damaged: its file CURRENT is gone",
                 manifest.empty() ? "keep this directory, and restore a copy of it from before"
                                  : "keep a copy of the directory, then name its newest manifest: "
                                    "echo " +
                                        manifest + " > " + (directory / "CURRENT").string()};
  }
  if (!std::ranges::all_of(files, begins_database)) {
    return not_there(directory, "it holds other files and is no data directory of Skein");
  }
  return create ? Result<void>() : not_there(directory, "nothing was ever stored in it");
}

/// Makes a directory that only its owner can enter: inputs and outputs lie in it in clear. What is
/// missing above it is made as the umask says.
Result<void> make_private(const std::filesystem::path& directory) {
  std::filesystem::path plain = directory;
  while (plain.has_parent_path() && (plain.filename().empty() || plain.filename() == ".")) {
    plain = plain.parent_path();
  }
  std::error_code failure;
  if (plain.has_parent_path()) {
    std::filesystem::create_directories(plain.parent_path(), failure);
  }
  if (failure) {
    return unreadable(directory, failure.message());
  }
  if (::mkdir(plain.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
    return unreadable(directory, std::strerror(errno));
  }
  return {};
}

/// RocksDB reports permissions as any other failure, so they are asked for first.
Result<void> check_access(const std::filesystem::path& directory, bool create) {
  std::error_code failure;
  const auto kind = std::filesystem::status(directory, failure).type();
  if (kind == std::filesystem::file_type::not_found) {
    if (!create) {
      return not_there(directory, "there is no such directory");
    }
    return make_private(directory);
  }
  if (kind == std::filesystem::file_type::none) {
    return unreadable(directory, failure.message());
  }
  if (kind != std::filesystem::file_type::directory) {
    return unreadable(directory, "it is not a directory");
  }
  if (::access(directory.c_str(), R_OK | W_OK | X_OK) != 0) {
    return unreadable(directory, std::strerror(errno));
  }
  return {};
}

} // namespace

Family family_of(Table table) {
  switch (table) {
    case Table::log:
    case Table::journal:
    case Table::arriving_content:
      return Family::history;
    case Table::record:
    case Table::checkpoint:
      return Family::runs;
    default:
      return Family::state;
  }
}

Result<std::unique_ptr<RocksDatabase>> RocksDatabase::open(const std::filesystem::path& directory,
                                                           const Options& options) {
  if (options.env == nullptr) {
    if (auto access = check_access(directory, options.create); !access) {
      return access.error();
    }
  }
  rocksdb::Env& env = options.env == nullptr ? *rocksdb::Env::Default() : *options.env;
  if (auto files = check_files(env, directory, options.create); !files) {
    return files.error();
  }
  std::unique_ptr<RocksDatabase> database(new RocksDatabase());
  database->directory_ = directory.string();
  database->log_ = std::make_shared<RocksLog>();
  database->watch_ = std::make_shared<DiskWatch>();
  const RocksOptions all = options_of(options, database->log_, database->watch_);
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  const rocksdb::Status status =
      rocksdb::DB::Open(all.database, database->directory_, all.families, &handles, &database->db_);
  if (!status.ok()) {
    return database->refuse_open(status);
  }
  std::copy(handles.begin(), handles.end(), database->families_.begin());
  database->keep_flushable();
  // Without waiting: what was replayed is in memory, and its logs stay until it is in a file.
  if (auto shortened = database->shorten_log(false); !shortened) {
    return shortened.error();
  }
  return database;
}

Error RocksDatabase::refuse_open(const rocksdb::Status& status) const {
  const std::string text = status.ToString();
  if (text.find("lock hold by current process") != text.npos) {
    // Opening the lock file here would give this process's lock away.
    return in_use(directory_, "this process");
  }
  if (text.find("While lock file") != text.npos) {
    const auto owner = owner_of(directory_);
    return in_use(directory_, owner ? "process " + std::to_string(*owner) : "another process");
  }
  if (text.find("Permission denied") != text.npos) {
    return unreadable(directory_, text);
  }
  if (status.IsInvalidArgument()) {
    return Error{Code::storage_corrupt, "the database in " + directory_ + " is damaged: " + text,
                 "run: skein doctor --data " + directory_};
  }
  if (status.IsIOError() && text.find("No such file or directory") != text.npos) {
    return Error{Code::storage_corrupt,
                 "the database in " + directory_ + " is damaged: a file of it is gone: " + text,
                 "keep this directory as it is, restore a copy of it from before, and verify that "
                 "with skein doctor"};
  }
  return to_error(status, "opening");
}

Result<void> RocksDatabase::shorten_log(bool wait) {
  rocksdb::VectorLogPtr logs;
  if (const auto status = db_->GetSortedWalFiles(logs); !status.ok()) {
    return to_error(status, "listing its logs");
  }
  std::uint64_t bytes = 0;
  for (const auto& log : logs) {
    bytes += log->SizeFileBytes();
  }
  if (logs.size() <= kLogsKept && bytes <= kLogBytesKept) {
    return {};
  }
  rocksdb::FlushOptions flush;
  flush.wait = wait;
  flush.allow_write_stall = true;
  const std::vector<rocksdb::ColumnFamilyHandle*> all(families_.begin(), families_.end());
  const auto status = db_->Flush(flush, all);
  return status.ok() ? Result<void>() : Result<void>(to_error(status, "flushing"));
}

RocksDatabase::~RocksDatabase() {
  if (db_ == nullptr) {
    return;
  }
  if (!dead_.load() && !full_.load()) {
    if (auto shortened = shorten_log(true); !shortened) {
      spdlog::warn("closing {}: {}", directory_, shortened.error().detail);
    }
  }
  for (rocksdb::ColumnFamilyHandle* family : families_) {
    db_->DestroyColumnFamilyHandle(family);
  }
  if (const auto status = db_->Close(); !status.ok()) {
    spdlog::error("closing {}: {}", directory_, status.ToString());
  }
  delete db_;
}

Result<void> RocksDatabase::write(rocksdb::WriteBatch& batch, bool synced) {
  if (dead_.load(std::memory_order_relaxed)) {
    return Error{Code::storage_io,
                 "an earlier write to " + directory_ + " failed; what the disk holds is unknown",
                 "restart the process: it goes on from what is on the disk"};
  }
  if (full_.load(std::memory_order_relaxed)) {
    if (auto resumed = resume(); !resumed) {
      return resumed;
    }
  }
  rocksdb::WriteOptions how;
  how.sync = synced;
  how.protection_bytes_per_key = kProtection;
  const rocksdb::Status status = db_->Write(how, &batch);
  return status.ok() ? Result<void>() : refuse(status);
}

/// RocksDB leaves a log that it could not append to only by flushing something, and asserts where
/// it has nothing to flush. A row that is only in memory sees to that.
void RocksDatabase::keep_flushable() {
  rocksdb::WriteOptions how;
  how.disableWAL = true;
  const auto status =
      db_->Put(how, family(Table::meta), slice(Key(kNodeRows, Table::meta).bytes("flushable")), {});
  if (!status.ok()) {
    spdlog::warn("{}: {}", directory_, status.ToString());
  }
}

bool RocksDatabase::is_flushable() const {
  for (rocksdb::ColumnFamilyHandle* const family : families_) {
    std::uint64_t rows = 0;
    if (db_->GetIntProperty(family, rocksdb::DB::Properties::kNumEntriesActiveMemTable, &rows) &&
        rows > 0) {
      return true;
    }
  }
  return false;
}

/// A full disk is the one failure that ends by itself; any other leaves the log in doubt.
Result<void> RocksDatabase::refuse(const rocksdb::Status& status) {
  if (status.IsNoSpace() && !watch_->failed() && is_flushable()) {
    full_.store(true, std::memory_order_relaxed);
    return to_error(status, "writing");
  }
  dead_.store(true, std::memory_order_relaxed);
  const Error error = to_error(status, "writing");
  spdlog::error("{}: {}", to_string(Code::storage_io), error.detail);
  return Error{Code::storage_io, error.detail,
               "restart the process once the disk is well: it goes on from what is on the disk"};
}

Result<void> RocksDatabase::resume() {
  const std::lock_guard lock(resuming_);
  if (!full_.load(std::memory_order_relaxed)) {
    return {};
  }
  const rocksdb::Status status = db_->Resume();
  if (status.IsNoSpace()) {
    return to_error(status, "writing");
  }
  if (!status.ok()) {
    return refuse(status);
  }
  full_.store(false, std::memory_order_relaxed);
  keep_flushable();
  spdlog::warn("{} has space again; writes go on", directory_);
  return {};
}

Result<std::optional<std::string>> RocksDatabase::get(Family from, std::string_view key,
                                                      const rocksdb::Snapshot* at) const {
  rocksdb::ReadOptions how;
  how.snapshot = at;
  std::string value;
  const rocksdb::Status status = db_->Get(how, family(from), slice(key), &value);
  if (status.IsNotFound()) {
    return std::optional<std::string>();
  }
  if (!status.ok()) {
    return to_error(status, "reading");
  }
  return std::optional(std::move(value));
}

Error RocksDatabase::to_error(const rocksdb::Status& status, std::string_view doing) const {
  std::string detail = std::string(doing) + " " + directory_ + ": " + status.ToString();
  if (status.IsNoSpace()) {
    return {Code::storage_full, std::move(detail), "free some space; nothing was lost"};
  }
  if (status.IsCorruption()) {
    if (const std::string damage = log_->damage(); !damage.empty()) {
      detail += " (" + damage + ")";
    }
    return {Code::storage_corrupt, std::move(detail),
            "keep a copy of the directory, then run: skein doctor --data " + directory_};
  }
  return {Code::storage_io, std::move(detail), "see the system's log for what the disk reported"};
}

Scan::Scan(const RocksDatabase& database, Table table, std::string_view prefix,
           const rocksdb::Snapshot* at)
    : Scan(database, family_of(table), prefix, at) {}

Scan::Scan(const RocksDatabase& database, Family family, std::string_view prefix,
           const rocksdb::Snapshot* at)
    : database_(database), prefix_(prefix) {
  rocksdb::ReadOptions how;
  how.snapshot = at;
  if (!prefix_.empty()) {
    end_ = after_all(prefix_);
    lower_ = slice(prefix_);
    upper_ = slice(end_);
    how.iterate_lower_bound = &lower_;
    how.iterate_upper_bound = &upper_;
  }
  iterator_.reset(database.db().NewIterator(how, database.family(family)));
}

Result<void> Scan::status() const {
  const rocksdb::Status status = iterator_->status();
  return status.ok() ? Result<void>() : Result<void>(database_.to_error(status, "reading"));
}

} // namespace skein::storage
