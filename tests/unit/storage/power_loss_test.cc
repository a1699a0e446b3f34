#include <gtest/gtest.h>

#include "support/folder.h"
#include "unit/storage/workload.h"

namespace skein::test {
namespace {

constexpr std::uint64_t kSteps = 90;
constexpr int kShards = 10;

/// One life: open, work until the power goes at the nth change, and come back.
/// Answers what was lost, "" for nothing.
std::string life(FaultyDisk& faulty, Workload& work, std::uint64_t cut_at, bool torn) {
  faulty.disk->cut_power_at(cut_at);
  {
    auto store = faulty.open();
    if (store) {
      work.adopt(**store);
      (void)work.run(**store, kSteps);
    }
    faulty.disk->cut_power();
  }
  faulty.disk->restore_power(torn);
  auto store = faulty.open();
  if (!store) {
    return "after a cut at change " + std::to_string(cut_at) + ": " + to_string(store.error());
  }
  if (std::string lost = work.lost(**store); !lost.empty()) {
    return lost;
  }
  auto report = (*store)->examine(nullptr, false);
  if (!report) {
    return to_string(report.error());
  }
  return report->healthy() ? "" : to_string(report->findings.front().error);
}

/// How many changes of the disk an undisturbed life makes.
std::uint64_t changes_of_a_life() {
  const Folder folder;
  FaultyDisk faulty(folder.path() / "db", 1);
  Workload work;
  auto store = faulty.open();
  EXPECT_TRUE(store);
  EXPECT_TRUE(work.run(**store, kSteps));
  return faulty.disk->changes();
}

class PowerLoss : public testing::TestWithParam<int> {};

TEST_P(PowerLoss, at_any_change_of_the_disk_loses_no_accepted_entry) {
  const std::uint64_t changes = changes_of_a_life();
  ASSERT_GT(changes, 200u);
  for (std::uint64_t cut = 1 + static_cast<std::uint64_t>(GetParam()); cut <= changes;
       cut += kShards) {
    const Folder folder;
    FaultyDisk faulty(folder.path() / "db", cut);
    Workload work;
    ASSERT_EQ(life(faulty, work, cut, cut % 2 == 1), "") << "cut at change " << cut;
  }
}
INSTANTIATE_TEST_SUITE_P(Shard, PowerLoss, testing::Range(0, kShards));

TEST(PowerLoss, again_and_again_on_one_directory_loses_no_accepted_entry) {
  const Folder folder;
  FaultyDisk faulty(folder.path() / "db", 42);
  Workload work;
  for (std::uint64_t round = 0; round < 20; ++round) {
    ASSERT_EQ(life(faulty, work, 30 + round * 17 % 120, round % 2 == 0), "") << "round " << round;
  }
  EXPECT_GT(work.steps(), 100u);
}

TEST(PowerLoss, a_disk_that_only_pretends_to_sync_the_log_is_found_out) {
  const Folder folder;
  FaultyDisk faulty(folder.path() / "db", 7);
  faulty.disk->pretend_syncs(".log");
  Workload work;
  {
    auto store = faulty.open();
    ASSERT_TRUE(store);
    ASSERT_TRUE(work.run(**store, 20));
    faulty.disk->cut_power();
  }
  faulty.disk->restore_power(false);
  auto store = faulty.open();
  ASSERT_TRUE(store) << to_string(store.error());
  EXPECT_NE(work.lost(**store), "");
}

} // namespace
} // namespace skein::test
