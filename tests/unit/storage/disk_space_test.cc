#include "storage/disk_space.h"

#include <gtest/gtest.h>

#include "support/folder.h"
#include "unit/storage/workload.h"

namespace skein::test {
namespace {

using storage::DiskSpace;
using storage::Room;

constexpr std::uint64_t kGiB = 1u << 30;

TEST(DiskSpace, room_shrinks_with_what_is_free_and_large_disks_count_by_bytes) {
  struct Case {
    DiskSpace space;
    Room room;
  };
  const Case cases[]{{{0, 0}, Room::all},
                     {{4 * kGiB, 4 * kGiB * 16 / 100}, Room::all},
                     {{4 * kGiB, 4 * kGiB * 14 / 100}, Room::begun_only},
                     {{4 * kGiB, 4 * kGiB * 4 / 100}, Room::none},
                     {{4096 * kGiB, 3 * kGiB}, Room::all},
                     {{4096 * kGiB, 1 * kGiB}, Room::begun_only},
                     {{4096 * kGiB, kGiB / 3}, Room::none},
                     {{kGiB, 0}, Room::none}};
  for (const auto& [space, room] : cases) {
    EXPECT_EQ(storage::room_in(space), room) << space.free << " of " << space.size;
  }
}

TEST(DiskSpace, a_directory_that_is_not_there_counts_as_unknown) {
  EXPECT_EQ(storage::space_of("/no/such/directory").size, 0u);
  EXPECT_GT(storage::space_of("/").size, 0u);
  EXPECT_EQ(storage::recent_space_of("/")().size, storage::space_of("/").size);
}

TEST(DiskSpace, a_store_admits_nothing_new_then_writes_nothing_then_goes_on) {
  const Folder folder;
  DiskSpace space{4 * kGiB, 3 * kGiB};
  storage::Options options;
  options.space = [&space] { return space; };
  auto store = storage::RocksStore::open(folder.path() / "db", options);
  ASSERT_TRUE(store);
  Workload work;
  EXPECT_TRUE((*store)->admits());
  ASSERT_TRUE(work.run(**store, 5));

  space.free = 4 * kGiB / 10;
  EXPECT_EQ((*store)->admits().error().code, Code::storage_full);
  EXPECT_TRUE(work.run(**store, 5)) << "what is begun goes on";

  space.free = 4 * kGiB / 100;
  const auto refused = work.step(**store);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::storage_full);
  EXPECT_NE(refused.error().detail.find("40 MiB of 4096 MiB"), std::string::npos)
      << refused.error().detail;
  EXPECT_EQ((*store)->apply_resource("Flow", "a", "{}", Instant{}).error().code,
            Code::storage_full);

  space.free = 3 * kGiB;
  EXPECT_TRUE((*store)->admits());
  EXPECT_TRUE(work.run(**store, 5));
  EXPECT_EQ(work.lost(**store), "");
}

} // namespace
} // namespace skein::test
