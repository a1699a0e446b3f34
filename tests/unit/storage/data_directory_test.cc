#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "storage/rocks_store.h"
#include "support/folder.h"

namespace skein::storage {
namespace {

namespace fs = std::filesystem;

fs::perms mode_of(const fs::path& path) { return fs::status(path).permissions(); }

/// What the shells of most machines set: others may read.
class UsualMask {
 public:
  UsualMask() : before_(::umask(022)) {}
  ~UsualMask() { ::umask(before_); }
  UsualMask(const UsualMask&) = delete;
  UsualMask& operator=(const UsualMask&) = delete;

 private:
  mode_t before_;
};

TEST(DataDirectory, one_that_is_made_is_for_its_owner_alone) {
  const UsualMask mask;
  const test::Folder folder;
  for (const char* name : {"data", "slash/", "dot/.", "far/below/data"}) {
    const auto store = RocksStore::open(folder.path() / name);
    ASSERT_TRUE(store.ok()) << to_string(store.error());
    EXPECT_EQ(mode_of(folder.path() / name), fs::perms::owner_all) << name;
  }
  EXPECT_EQ(mode_of(folder.path() / "far/below"), fs::perms(0755));
}

TEST(DataDirectory, one_that_is_there_keeps_its_mode) {
  const UsualMask mask;
  const test::Folder folder;
  const fs::path data = folder.path() / "data";
  fs::create_directory(data);
  ASSERT_TRUE(RocksStore::open(data).ok());
  EXPECT_EQ(mode_of(data), fs::perms(0755));
}

TEST(DataDirectory, one_that_cannot_be_made_is_told_with_the_reason) {
  const auto store = RocksStore::open("/proc/nothing/here");
  ASSERT_FALSE(store.ok());
  EXPECT_EQ(store.error().code, Code::storage_unreadable);
}

} // namespace
} // namespace skein::storage
