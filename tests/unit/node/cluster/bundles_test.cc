#include "node/cluster/bundles.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace skein::node {
namespace {

class BundlesTest : public testing::Test {
 protected:
  void add(std::uint16_t partition, const std::string& bytes = "b") {
    bundles_.add({PartitionId(partition), {}, 0, 1, bytes},
                 [this, partition](bool stored) { told_[partition] = stored; });
  }
  void answer(bool stored = true) {
    const auto told = under_way_.front();
    under_way_.erase(under_way_.begin());
    told(stored);
  }

  std::vector<std::vector<std::uint16_t>> sent_;
  std::vector<Bundles::Told> under_way_;
  std::map<std::uint16_t, bool> told_;
  Bundles bundles_{10, [this](std::vector<schemas::LogPart> parts, Bundles::Told told) {
                     sent_.emplace_back();
                     for (const schemas::LogPart& part : parts) {
                       sent_.back().push_back(part.partition.get());
                     }
                     under_way_.push_back(std::move(told));
                   }};
};

using Sent = std::vector<std::vector<std::uint16_t>>;

TEST_F(BundlesTest, a_lone_batch_goes_at_once_and_what_comes_meanwhile_goes_together) {
  for (std::uint16_t p = 1; p <= 6; ++p) {
    add(p);
  }
  EXPECT_EQ(sent_, (Sent{{1}, {2}}));
  answer();
  EXPECT_EQ(sent_, (Sent{{1}, {2}, {3, 5}}));
  EXPECT_TRUE(told_.at(1));
  answer(false);
  answer();
  EXPECT_FALSE(told_.at(2));
  EXPECT_EQ(sent_.back(), (std::vector<std::uint16_t>{4, 6}));
  EXPECT_TRUE(told_.at(3) && told_.at(5));
}

TEST_F(BundlesTest, a_message_has_no_more_than_it_may_and_never_nothing) {
  add(2);
  add(4);
  add(6, std::string(100, 'x'));
  add(8, std::string(6, 'x'));
  add(10, std::string(6, 'x'));
  while (!under_way_.empty()) {
    answer();
  }
  EXPECT_EQ(sent_, (Sent{{2}, {4}, {6}, {8}, {10}}));
}

TEST_F(BundlesTest, what_waits_when_it_is_dropped_is_told_and_never_sent) {
  for (std::uint16_t p = 1; p <= 4; ++p) {
    add(p);
  }
  bundles_.drop();
  EXPECT_EQ(told_, (std::map<std::uint16_t, bool>{{3, false}, {4, false}}));
  answer();
  answer();
  EXPECT_EQ(sent_, (Sent{{1}, {2}}));
  add(5);
  EXPECT_EQ(sent_.back(), std::vector<std::uint16_t>{5});
}

TEST_F(BundlesTest, what_follows_from_one_write_goes_together_once_the_last_of_it_is_there) {
  auto wave = bundles_.wave(PartitionId(0));
  auto copy = wave;
  add(0);
  wave.reset();
  add(2);
  EXPECT_EQ(sent_, Sent());
  add(1);
  EXPECT_EQ(sent_, (Sent{{1}})) << "the other lane does not wait for it";
  copy.reset();
  EXPECT_EQ(sent_, (Sent{{1}, {0, 2}}));
  bundles_.wave(PartitionId(0)).reset();
  EXPECT_EQ(sent_.size(), 2u) << "nothing followed";
}

TEST_F(BundlesTest, a_wave_that_hangs_holds_nothing_for_long) {
  const auto wave = bundles_.wave(PartitionId(0));
  add(0);
  bundles_.tick();
  EXPECT_EQ(sent_, Sent());
  bundles_.tick();
  EXPECT_EQ(sent_, (Sent{{0}}));
  answer();
  add(2);
  EXPECT_EQ(sent_, (Sent{{0}})) << "what came since does wait";
}

TEST(Bundles, a_wave_may_outlive_them) {
  std::size_t sent = 0;
  Bundles::Wave wave;
  {
    Bundles bundles(10,
                    [&](const std::vector<schemas::LogPart>&, const Bundles::Told&) { ++sent; });
    wave = bundles.wave(PartitionId(1));
    bundles.add({PartitionId(1), {}, 0, 1, "b"}, [](bool) {});
  }
  wave.reset();
  EXPECT_EQ(sent, 0u);
}

} // namespace
} // namespace skein::node
