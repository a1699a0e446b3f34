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
  for (std::uint16_t p = 1; p <= 5; ++p) {
    add(p);
  }
  EXPECT_EQ(sent_, (Sent{{1}, {2}}));
  answer();
  EXPECT_EQ(sent_, (Sent{{1}, {2}, {3, 4, 5}}));
  EXPECT_TRUE(told_.at(1));
  answer(false);
  answer();
  EXPECT_FALSE(told_.at(2));
  EXPECT_TRUE(told_.at(3) && told_.at(4) && told_.at(5));
}

TEST_F(BundlesTest, a_message_has_no_more_than_it_may_and_never_nothing) {
  add(1);
  add(2);
  add(3, std::string(100, 'x'));
  add(4, std::string(6, 'x'));
  add(5, std::string(6, 'x'));
  while (!under_way_.empty()) {
    answer();
  }
  EXPECT_EQ(sent_, (Sent{{1}, {2}, {3}, {4}, {5}}));
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

} // namespace
} // namespace skein::node
