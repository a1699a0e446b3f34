#include "core/log/replica.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <variant>
#include <vector>

namespace skein::log {
namespace {

constexpr auto kA = 11u;
constexpr auto kB = 22u;

LeaderAnnounced announced(std::uint64_t epoch, std::uint64_t node) {
  return {Epoch(epoch), NodeId(node), {}};
}

/// The next of a chain, as its leader seals it.
Link next_of(const Replica& replica, std::uint64_t count, std::uint64_t epoch, std::uint64_t node) {
  Link link;
  link.epoch = Epoch(epoch);
  link.node = NodeId(node);
  link.first = LogIndex(replica.last.get() + 1);
  link.count = count;
  link.previous = replica.hash;
  link.hash = content_hash(to_string(replica.hash) + std::to_string(count) + std::to_string(epoch));
  return link;
}

TEST(Replica, a_batch_counts_only_after_its_leader_was_announced) {
  Replica replica;
  const Link link = next_of(replica, 3, 1, kA);
  EXPECT_EQ(read(replica, link), Verdict::unannounced);
  EXPECT_EQ(read(replica, announced(1, kA)), Verdict::counts);
  EXPECT_EQ(read(replica, link), Verdict::counts);
  EXPECT_EQ(replica.last, LogIndex(3));
  EXPECT_EQ(replica.hash, link.hash);
}

TEST(Replica, the_first_announcement_of_an_epoch_wins) {
  Replica replica;
  EXPECT_EQ(read(replica, announced(1, kA)), Verdict::counts);
  EXPECT_EQ(read(replica, announced(1, kB)), Verdict::stale);
  EXPECT_EQ(replica.leader, NodeId(kA));
  EXPECT_EQ(read(replica, announced(1, kA)), Verdict::repeat);
}

TEST(Replica, what_an_old_leader_sends_after_its_successor_was_announced_is_stale) {
  Replica replica;
  read(replica, announced(1, kA));
  const Link ghost = next_of(replica, 2, 1, kA);
  read(replica, announced(2, kB));
  const Replica before = replica;
  EXPECT_EQ(read(replica, ghost), Verdict::stale);
  EXPECT_EQ(replica.last, before.last);
  EXPECT_EQ(read(replica, next_of(replica, 2, 2, kA)), Verdict::unannounced); // a forged node
  EXPECT_EQ(read(replica, next_of(replica, 2, 3, kB)), Verdict::unannounced);
  EXPECT_EQ(read(replica, next_of(replica, 2, 2, kB)), Verdict::counts);
}

TEST(Replica, a_batch_that_comes_twice_counts_once) {
  Replica replica;
  read(replica, announced(1, kA));
  const Link first = next_of(replica, 2, 1, kA);
  EXPECT_EQ(read(replica, first), Verdict::counts);
  EXPECT_EQ(read(replica, first), Verdict::repeat);
  const Link second = next_of(replica, 2, 1, kA);
  EXPECT_EQ(read(replica, second), Verdict::counts);
  EXPECT_EQ(read(replica, first), Verdict::repeat);
}

TEST(Replica, a_hole_in_the_stream_stops_what_follows_until_it_is_sent_again) {
  Replica replica;
  read(replica, announced(1, kA));
  Replica ahead = replica;
  const Link lost = next_of(ahead, 2, 1, kA);
  read(ahead, lost);
  const Link after = next_of(ahead, 1, 1, kA);
  EXPECT_EQ(read(replica, after), Verdict::gap);
  EXPECT_TRUE(replica.is_behind());
  EXPECT_EQ(read(replica, lost), Verdict::counts);
  EXPECT_TRUE(replica.is_behind());
  EXPECT_EQ(read(replica, after), Verdict::counts);
  EXPECT_FALSE(replica.is_behind());
}

TEST(Replica, a_node_that_reads_of_a_leader_with_more_than_it_has_knows_that_it_is_behind) {
  Replica replica;
  EXPECT_EQ(read(replica, LeaderAnnounced{Epoch(1), NodeId(kA), LogIndex(40)}), Verdict::counts);
  EXPECT_TRUE(replica.is_behind());
  Replica other;
  other.last = LogIndex(41);
  EXPECT_EQ(read(other, LeaderAnnounced{Epoch(1), NodeId(kA), LogIndex(40)}), Verdict::counts);
  EXPECT_FALSE(other.is_behind()) << "the one who announced was not at the end";
}

TEST(Replica, a_batch_with_another_past_is_never_taken) {
  Replica replica;
  read(replica, announced(1, kA));
  read(replica, next_of(replica, 2, 1, kA));
  Link other = next_of(replica, 1, 1, kA);
  other.previous = content_hash("another past");
  EXPECT_EQ(read(replica, other), Verdict::forked);
  Link same_place = next_of(replica, 1, 1, kA);
  same_place.first = LogIndex(2);
  same_place.hash = content_hash("the same place, something else");
  EXPECT_EQ(read(replica, same_place), Verdict::forked);
  Link overlapping = next_of(replica, 5, 1, kA);
  overlapping.first = LogIndex(2);
  EXPECT_EQ(read(replica, overlapping), Verdict::forked);
  EXPECT_EQ(replica.last, LogIndex(2));
}

// A stream of several leaders with ghosts and repeats: whoever reads it again from any earlier
// place, from what it had reached, comes to the same.
TEST(Replica, batches_that_a_later_leader_has_not_gone_on_from_are_found) {
  Replica common;
  read(common, announced(1, kA));
  read(common, next_of(common, 2, 1, kA));
  Replica ours = common;
  EXPECT_EQ(read(ours, next_of(ours, 3, 1, kA)), Verdict::counts); // nobody else was shown it
  read(ours, announced(2, kB));
  Replica theirs = common;
  read(theirs, announced(2, kB));
  const Link first = next_of(theirs, 1, 2, kB);
  read(theirs, first);
  EXPECT_EQ(read(ours, first), Verdict::diverged);
  EXPECT_EQ(ours.last, LogIndex(5)) << "it is replaced as a whole, by a copy";
  for (int i = 0; i < 3; ++i) {
    const Link later = next_of(theirs, 1, 2, kB);
    read(theirs, later);
    EXPECT_EQ(read(ours, later), Verdict::diverged) << i;
  }
}

TEST(Replica, of_two_that_hold_something_else_the_later_epoch_counts) {
  Replica ours;
  read(ours, announced(1, kA));
  read(ours, next_of(ours, 3, 1, kA));
  const Replica before = ours;
  const auto holding = [](std::uint64_t last, std::uint64_t epoch, const ContentHash& hash) {
    return Holding{LogIndex(last), hash, Epoch(5), Epoch(epoch)};
  };
  EXPECT_EQ(read(ours, holding(2, 2, content_hash("b"))), Verdict::diverged);
  ours = before;
  EXPECT_EQ(read(ours, holding(3, 2, content_hash("b"))), Verdict::diverged);
  ours = before;
  EXPECT_EQ(read(ours, holding(4, 2, content_hash("b"))), Verdict::counts);
  EXPECT_TRUE(ours.is_behind());
  ours = before;
  EXPECT_EQ(read(ours, holding(3, 1, ours.hash)), Verdict::counts);
  EXPECT_FALSE(ours.is_behind());
  EXPECT_EQ(read(ours, holding(3, 1, content_hash("b"))), Verdict::forked);
  read(ours, announced(6, kB));
  read(ours, next_of(ours, 1, 6, kB));
  EXPECT_EQ(read(ours, holding(9, 1, content_hash("b"))), Verdict::counts);
  EXPECT_FALSE(ours.is_behind()) << "what it has more is of before";
}

TEST(Replica, reading_again_from_an_older_place_changes_nothing) {
  using Read = std::variant<LeaderAnnounced, Link>;
  std::mt19937_64 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<Read> stream;
    Replica truth;
    std::vector<Link> sent;
    for (int i = 0; i < 60; ++i) {
      const auto dice = random() % 10;
      if (dice < 2 || !truth.leader) {
        const auto take = announced(truth.epoch.get() + random() % 3, random() % 2 ? kA : kB);
        stream.emplace_back(take);
        read(truth, take);
      } else if (dice < 4 && !sent.empty()) {
        stream.emplace_back(sent[random() % sent.size()]); // a repeat, or a ghost
        read(truth, std::get<Link>(stream.back()));
      } else {
        const Link link = next_of(truth, 1 + random() % 3, truth.epoch.get(), truth.leader->get());
        sent.push_back(link);
        if (random() % 5 != 0) { // else it is lost, or comes later
          stream.emplace_back(link);
          read(truth, link);
        }
      }
    }
    const std::size_t stop = random() % stream.size();
    const auto reach = [&](Replica from, std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        std::visit([&](const auto& what) { read(from, what); }, stream[i]);
      }
      return from;
    };
    const Replica there = reach({}, 0, stop);
    const Replica again = reach(there, random() % (stop + 1), stream.size());
    EXPECT_EQ(again.last, truth.last);
    EXPECT_EQ(again.hash, truth.hash);
    EXPECT_EQ(again.epoch, truth.epoch);
    EXPECT_EQ(again.leader, truth.leader);
  }
}

} // namespace
} // namespace skein::log
