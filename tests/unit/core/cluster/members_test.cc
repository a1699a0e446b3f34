#include "core/cluster/members.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/cluster/placement.h"

namespace skein::cluster {
namespace {

const NodeId kA(101);
const NodeId kB(202);
const NodeId kC(303);

Instant at(std::int64_t ms) { return Instant{ms}; }

Beat beat(NodeId node, std::uint64_t life = 1) {
  Beat beat;
  beat.node = node;
  beat.life = life;
  beat.ready = true;
  return beat;
}

Looked looked(std::int64_t ms, std::optional<NodeId> leader, bool acting = false) {
  Looked looked;
  looked.at = at(ms);
  looked.leaders.fill(leader);
  if (acting) {
    looked.acting.set();
  }
  return looked;
}

std::size_t announced(const std::vector<Effect>& effects) {
  return static_cast<std::size_t>(
      std::count_if(effects.begin(), effects.end(),
                    [](const Effect& effect) { return std::holds_alternative<Announce>(effect); }));
}

std::vector<HandOver> handed(const std::vector<Effect>& effects) {
  std::vector<HandOver> over;
  for (const Effect& effect : effects) {
    if (const auto* to = std::get_if<HandOver>(&effect)) {
      over.push_back(*to);
    }
  }
  return over;
}

TEST(Placement, every_node_has_its_share_and_leaving_moves_only_what_was_its_own) {
  const std::vector<NodeId> three{kA, kB, kC};
  const std::vector<NodeId> two{kA, kB};
  std::map<NodeId, int> share;
  for (std::uint16_t p = 0; p < kPartitions; ++p) {
    const NodeId first = rank(PartitionId(p), three).front();
    ++share[first];
    if (first != kC) {
      EXPECT_EQ(rank(PartitionId(p), two).front(), first);
    }
  }
  for (const NodeId node : three) {
    EXPECT_GT(share[node], kPartitions / 6);
  }
}

TEST(Members, a_node_alone_takes_everything_once_it_has_listened) {
  Members members = join(beat(kA), {}, at(0));
  EXPECT_EQ(announced(step(members, looked(500, {}))), 0u);
  EXPECT_EQ(announced(step(members, looked(1'000, {}))), kPartitions);
  EXPECT_EQ(announced(step(members, looked(1'100, {}))), 0u) << "not again at once";
  EXPECT_EQ(announced(step(members, looked(2'000, {}))), kPartitions) << "it was not read back";
  EXPECT_TRUE(step(members, looked(2'100, kA, true)).empty());
}

TEST(Members, a_node_that_is_not_caught_up_takes_nothing) {
  Members members = join(beat(kA), {}, at(0));
  members.self.ready = false;
  EXPECT_TRUE(step(members, looked(9'000, {})).empty());
}

TEST(Members, a_partition_of_which_a_node_lacks_entries_is_left_to_others) {
  Members members = join(beat(kA), {}, at(0));
  Looked look = looked(1'000, {});
  look.behind.set(5);
  EXPECT_EQ(announced(step(members, look)), kPartitions - 1u);
}

TEST(Members, what_a_silent_node_led_is_taken_first_by_the_first_of_the_rank) {
  Members a = join(beat(kA), {}, at(0));
  Members b = join(beat(kB), {}, at(0));
  for (Members* members : {&a, &b}) {
    step(*members, Heard{beat(kA), at(10'000)});
    step(*members, Heard{beat(kB), at(10'000)});
    step(*members, Heard{beat(kC), at(8'000)});
    EXPECT_TRUE(step(*members, looked(10'900, kC)).empty()) << "2.9 s are not 3";
  }
  const std::size_t first = announced(step(a, looked(11'000, kC)));
  const std::size_t second = announced(step(b, looked(11'000, kC)));
  EXPECT_EQ(first + second, kPartitions) << "each is taken by one of them";
  EXPECT_GT(first, 0u);
  EXPECT_GT(second, 0u);
  EXPECT_EQ(announced(step(a, looked(11'300, kC))), kPartitions - first)
      << "the other did nothing: the second of the rank tries";
}

TEST(Members, what_was_its_own_a_node_takes_back_at_once_after_a_restart) {
  Members members = join(beat(kA, 2), {}, at(0));
  step(members, Heard{beat(kB), at(900)});
  step(members, Heard{beat(kC), at(900)});
  EXPECT_EQ(announced(step(members, looked(1, kA))), kPartitions);
}

TEST(Members, partitions_move_to_a_node_that_came_once_the_nodes_have_settled) {
  Members members = join(beat(kA), {}, at(0));
  step(members, Heard{beat(kB), at(10'000)});
  EXPECT_TRUE(step(members, looked(10'100, kA, true)).empty());
  step(members, Heard{beat(kB), at(12'900)});
  const auto moved = handed(step(members, looked(13'000, kA, true)));
  EXPECT_GT(moved.size(), kPartitions / 4u);
  EXPECT_LT(moved.size(), kPartitions * 3u / 4u);
  for (const HandOver& over : moved) {
    EXPECT_EQ(over.to, kB);
  }
}

TEST(Members, a_node_that_drains_gives_everything_away_at_once_and_takes_nothing) {
  Members members = join(beat(kA), {}, at(0));
  step(members, Heard{beat(kB), at(10'000)});
  members.self.draining = true;
  EXPECT_EQ(handed(step(members, looked(10'100, kA, true))).size(), kPartitions);
  EXPECT_TRUE(step(members, looked(10'200, {})).empty());
}

TEST(Members, the_younger_of_two_processes_of_one_node_yields) {
  Members younger = join(beat(kA, 8), {}, at(0));
  Members older = join(beat(kA, 7), {}, at(0));
  Beat said = beat(kA, 7);
  said.said = at(8);
  EXPECT_TRUE(step(younger, Heard{said, at(9'000)}).empty()) << "said before it ended, held up";
  said.said = at(3'008);
  EXPECT_EQ(step(younger, Heard{said, at(3'010)}), std::vector<Effect>{Yield{7}});
  EXPECT_TRUE(step(older, Heard{said, at(3'010)}).empty()) << "that is this one";
  said.life = 8;
  EXPECT_TRUE(step(older, Heard{said, at(3'010)}).empty());
}

} // namespace
} // namespace skein::cluster
