#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "storage/layout/rocks_key.h"
#include "support/folder.h"
#include "unit/storage/workload.h"

namespace skein::test {
namespace {

using storage::RocksStore;
using Call = FaultFileSystem::Call;

/// Runs `body` in a child process and answers its exit code.
template <class Body>
int in_child(const Body& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(body());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(DiskFailure, a_full_disk_refuses_and_goes_on_once_there_is_space) {
  for (std::uint64_t space = 0; space < 40'000; space += 1'700) {
    const Folder folder;
    FaultyDisk faulty(folder.path() / "db", space);
    Workload work;
    auto store = faulty.open();
    ASSERT_TRUE(store);
    faulty.disk->limit_space(space);
    auto refused = work.run(**store, 1'000);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::storage_full) << to_string(refused.error());
    EXPECT_EQ(work.step(**store).error().code, Code::storage_full);
    faulty.disk->limit_space(std::nullopt);
    auto resumed = work.run(**store, 5);
    ASSERT_TRUE(resumed) << to_string(resumed.error());
    EXPECT_EQ(work.lost(**store), "");
    faulty.disk->cut_power();
    store = Error{Code::interrupted, ""};
    faulty.disk->restore_power(false);
    store = faulty.open();
    ASSERT_TRUE(store) << to_string(store.error());
    EXPECT_EQ(work.lost(**store), "");
    EXPECT_TRUE((*store)->examine(nullptr, false)->healthy());
  }
}

TEST(DiskFailure, a_failed_sync_of_the_log_ends_the_store_and_a_new_one_goes_on) {
  for (const Call call : {Call::sync, Call::append}) {
    const Folder folder;
    FaultyDisk faulty(folder.path() / "db", 1);
    Workload work;
    auto store = faulty.open();
    ASSERT_TRUE(store);
    faulty.disk->fail(call, 5, ".log");
    auto failed = work.run(**store, 1'000);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, Code::storage_io);
    EXPECT_EQ(work.step(**store).error().code, Code::storage_io);
    EXPECT_EQ((*store)->apply_resource("Flow", "f", "x", at(0)).error().code, Code::storage_io);
    store = Error{Code::interrupted, ""};
    store = faulty.open();
    ASSERT_TRUE(store) << to_string(store.error());
    EXPECT_EQ(work.lost(**store), "");
  }
}

TEST(DiskFailure, a_failed_read_is_an_error_and_not_an_absent_row) {
  const Folder folder;
  FaultyDisk faulty(folder.path() / "db", 1);
  Workload work;
  {
    auto store = faulty.open();
    ASSERT_TRUE(store);
    ASSERT_TRUE(work.run(**store, 600));
  }
  auto store = faulty.open();
  ASSERT_TRUE(store);
  faulty.disk->fail(Call::read, 1, ".sst");
  bool failed = false;
  for (int i = 0; i < 10 && !failed; ++i) {
    auto last = (*store)->last_seq(RunId("run-" + std::to_string(i)));
    failed = !last;
    EXPECT_TRUE(failed || last->get() > 0);
  }
  EXPECT_TRUE(failed);
  EXPECT_EQ(work.lost(**store), "");
}

TEST(DiskFailure, a_slow_sync_delays_a_commit_and_no_reader) {
  const Folder folder;
  FaultyDisk faulty(folder.path() / "db", 1);
  Workload work;
  auto store = faulty.open();
  ASSERT_TRUE(store);
  ASSERT_TRUE(work.step(**store));
  std::string lost = "never asked";
  faulty.disk->on_sync([&] { lost = work.lost(**store); });
  EXPECT_TRUE(work.step(**store));
  EXPECT_EQ(lost, "");
  faulty.disk->on_sync({});
}

/// A process that holds the lock of a directory until it is let go.
class OtherOwner {
 public:
  explicit OtherOwner(const std::filesystem::path& directory) {
    const std::string lock_file = directory / "LOCK";
    int ready[2];
    EXPECT_EQ(::pipe(ready), 0);
    child_ = ::fork();
    if (child_ == 0) {
      struct flock lock {};
      lock.l_type = F_WRLCK;
      const int file = ::open(lock_file.c_str(), O_RDWR);
      const char held = ::fcntl(file, F_SETLK, &lock) == 0 ? 'y' : 'n';
      (void)!::write(ready[1], &held, 1);
      ::pause();
      ::_exit(0);
    }
    char held = 'n';
    EXPECT_EQ(::read(ready[0], &held, 1), 1);
    EXPECT_EQ(held, 'y');
    ::close(ready[0]);
    ::close(ready[1]);
  }
  ~OtherOwner() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  OtherOwner(const OtherOwner&) = delete;
  OtherOwner& operator=(const OtherOwner&) = delete;
  pid_t pid() const { return child_; }

 private:
  pid_t child_;
};

TEST(DiskFailure, a_directory_in_use_is_refused_with_the_process_that_has_it) {
  const Folder folder;
  const auto directory = folder.path() / "db";
  ASSERT_TRUE(RocksStore::open(directory));
  {
    const OtherOwner other(directory);
    auto refused = RocksStore::open(directory);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::storage_in_use);
    EXPECT_NE(refused.error().detail.find("process " + std::to_string(other.pid())),
              std::string::npos)
        << refused.error().detail;
  }
  EXPECT_TRUE(RocksStore::open(directory)) << "the lock of a dead process is no lock";
}

TEST(DiskFailure, a_directory_that_this_process_has_open_is_refused_and_stays_locked) {
  const Folder folder;
  auto store = RocksStore::open(folder.path() / "db");
  ASSERT_TRUE(store);
  for (int i = 0; i < 2; ++i) {
    auto again = RocksStore::open(folder.path() / "db");
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Code::storage_in_use);
  }
  EXPECT_TRUE(commit(**store, entry_of("a", 1)));
}

TEST(DiskFailure, a_directory_without_permission_is_refused) {
  const Folder folder;
  const auto directory = folder.path() / "db";
  std::filesystem::create_directories(directory);
  std::filesystem::permissions(directory, std::filesystem::perms::none);
  EXPECT_EQ(in_child([&] {
              constexpr uid_t kNobody = 65534;
              if (::geteuid() == 0 && (::setgroups(0, nullptr) != 0 || ::setgid(kNobody) != 0 ||
                                       ::setuid(kNobody) != 0)) {
                return 2;
              }
              auto store = RocksStore::open(directory);
              return !store && store.error().code == Code::storage_unreadable ? 0 : 1;
            }),
            0);
  std::filesystem::permissions(directory, std::filesystem::perms::owner_all);
  std::ofstream(folder.path() / "file") << "x";
  auto file = RocksStore::open(folder.path() / "file");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, Code::storage_unreadable);
  storage::Options options;
  options.create = false;
  EXPECT_EQ(RocksStore::open(folder.path() / "none", options).error().code,
            Code::storage_unreadable);
}

TEST(DiskFailure, a_directory_keeps_its_identity_and_a_newer_format_is_refused) {
  const Folder folder;
  const auto directory = folder.path() / "db";
  auto store = RocksStore::open(directory);
  ASSERT_TRUE(store);
  const NodeId node = (*store)->node();
  const std::uint64_t incarnation = (*store)->incarnation();
  store = Error{Code::interrupted, ""};
  store = RocksStore::open(directory);
  ASSERT_TRUE(store);
  EXPECT_EQ((*store)->node(), node);
  EXPECT_EQ((*store)->incarnation(), incarnation);
  store = Error{Code::interrupted, ""};

  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const char* name : {"default", "history", "runs", "blobs"}) {
    families.emplace_back(name, rocksdb::ColumnFamilyOptions());
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* raw = nullptr;
  ASSERT_TRUE(rocksdb::DB::Open({}, directory.string(), families, &handles, &raw).ok());
  const std::string key =
      storage::Key(storage::kNodeRows, storage::Table::meta).bytes("format").take();
  ASSERT_TRUE(raw->Put({}, key, storage::Key().u32(99).take()).ok());
  for (rocksdb::ColumnFamilyHandle* const handle : handles) {
    raw->DestroyColumnFamilyHandle(handle);
  }
  delete raw;
  store = RocksStore::open(directory);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Code::wire_version);
}

} // namespace
} // namespace skein::test
