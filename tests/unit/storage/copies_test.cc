#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "schemas/log_codec.h"
#include "storage/rocks_store.h"
#include "support/folder.h"
#include "unit/storage/workload.h"

namespace skein::test {
namespace {

class Copies : public testing::Test {
 protected:
  Copies() {
    from_ = open("from");
    to_ = open("to");
  }

  std::unique_ptr<storage::RocksStore> open(const std::string& name) {
    auto opened = storage::RocksStore::open(folder_.path() / name);
    EXPECT_TRUE(opened) << to_string(opened.error());
    return std::move(*opened);
  }

  /// In pieces so small that rows are torn; `alter` sees each.
  Result<void> fetch(PartitionId partition, const std::function<void(std::string&)>& alter = {}) {
    auto copy = from_->copy(partition);
    if (!copy) {
      return copy.error();
    }
    for (bool first = true;; first = false) {
      auto piece = (*copy)->next(100);
      if (!piece) {
        return piece.error();
      }
      if (alter) {
        alter(*piece);
      }
      if (auto taken = to_->take_in(partition, *piece, first); !taken) {
        return taken;
      }
      if (piece->size() < 100) {
        return {};
      }
    }
  }

  Result<void> finish(PartitionId partition) {
    for (;;) {
      const auto done = to_->advance(partition);
      if (!done || *done) {
        return done ? Result<void>() : done.error();
      }
    }
  }

  Folder folder_;
  Workload load_;
  std::unique_ptr<storage::RocksStore> from_;
  std::unique_ptr<storage::RocksStore> to_;
};

const PartitionId kOfA = partition_of(RunId("a"));

TEST_F(Copies, a_store_made_of_copies_has_everything_and_doctor_finds_nothing) {
  ASSERT_TRUE(load_.run(*from_, 400));
  for (std::uint16_t p = 0; p < kPartitions; ++p) {
    ASSERT_TRUE(fetch(PartitionId(p)));
    const auto done = finish(PartitionId(p));
    ASSERT_TRUE(done) << to_string(done.error());
  }
  EXPECT_EQ(load_.lost(*to_), "");
  to_.reset();
  to_ = open("to");
  EXPECT_EQ(load_.lost(*to_), "");
  const auto there = from_->examine(nullptr, false);
  const auto here = to_->examine(nullptr, false);
  ASSERT_TRUE(here && there);
  EXPECT_EQ(here->findings.size(), there->findings.size());
  EXPECT_EQ(here->entries, there->entries);
  EXPECT_EQ(here->batches, there->batches);
  EXPECT_EQ(to_->due_timers(at(1u << 30), 10'000)->size(),
            from_->due_timers(at(1u << 30), 10'000)->size());
  EXPECT_EQ(to_->outbox(10'000)->size(), from_->outbox(10'000)->size());
}

TEST_F(Copies, a_partition_that_was_copied_goes_on) {
  ASSERT_TRUE(commit(*from_, {entry_of("a", 1), entry_of("a", 2)}));
  ASSERT_TRUE(commit(*to_, entry_of("b", 1))); // what the writer remembers is of another partition
  ASSERT_TRUE(fetch(kOfA));
  ASSERT_TRUE(finish(kOfA));
  EXPECT_EQ(to_->tail_of(kOfA)->hash, from_->tail_of(kOfA)->hash);
  EXPECT_FALSE(commit(*to_, entry_of("a", 2)));
  EXPECT_TRUE(commit(*to_, entry_of("a", 3)));
}

TEST_F(Copies, a_copy_that_goes_on_from_what_is_there_replaces_it) {
  const auto sealed = [](std::uint64_t seq, const PartitionTail& tail) {
    Batch batch = batch_of({entry_of("a", seq)});
    batch.seal = schemas::seal(batch, {9, NodeId(42), tail.last, tail.hash}).seal;
    return batch;
  };
  for (std::uint64_t seq = 1; seq <= 5; ++seq) {
    const Batch next = sealed(seq, *from_->tail_of(kOfA));
    ASSERT_TRUE(from_->commit({&next, 1}));
    if (seq <= 2) {
      ASSERT_TRUE(to_->commit({&next, 1}));
    }
  }
  ASSERT_TRUE(fetch(kOfA));
  ASSERT_TRUE(finish(kOfA));
  EXPECT_EQ(to_->tail_of(kOfA)->last, LogIndex(5));
  EXPECT_EQ(to_->last_seq(RunId("a"))->get(), 5u);
}

TEST_F(Copies, a_copy_with_another_past_or_with_less_is_refused_and_nothing_is_lost) {
  ASSERT_TRUE(commit(*from_, entry_of("a", 1, "their past")));
  ASSERT_TRUE(commit(*to_, entry_of("a", 1, "our past")));
  ASSERT_TRUE(fetch(kOfA));
  EXPECT_EQ(finish(kOfA).error().code, Code::log_diverged);
  EXPECT_EQ(to_->last_seq(RunId("a"))->get(), 1u);
  ASSERT_TRUE(commit(*to_, entry_of("a", 2)));
  ASSERT_TRUE(fetch(kOfA));
  EXPECT_EQ(finish(kOfA).error().code, Code::log_diverged);
  EXPECT_EQ(to_->last_seq(RunId("a"))->get(), 2u);
}

TEST_F(Copies, what_a_later_leader_has_not_gone_on_from_is_given_up_and_kept_aside) {
  ASSERT_TRUE(commit(*to_, {entry_of("a", 1, "ours"), entry_of("a", 2, "never read by others")}));
  Batch theirs = batch_of({entry_of("a", 1, "theirs")});
  theirs.epoch = Epoch(to_->tail_of(kOfA)->last_epoch.get() + 1);
  ASSERT_TRUE(from_->commit({&theirs, 1}));
  ASSERT_TRUE(fetch(kOfA));
  ASSERT_TRUE(finish(kOfA));
  EXPECT_EQ(to_->tail_of(kOfA)->hash, from_->tail_of(kOfA)->hash);
  EXPECT_EQ(to_->last_seq(RunId("a"))->get(), 1u);
  const auto kept =
      folder_.path() / "to" / "given_up" / ("partition-" + std::to_string(kOfA.get()) + "-2.copy");
  std::ifstream file(kept, std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  EXPECT_NE(bytes.find("never read by others"), std::string::npos);
}

TEST_F(Copies, one_flipped_byte_of_a_journal_is_found) {
  ASSERT_TRUE(commit(*from_, {entry_of("a", 1, "needle in the journal"), entry_of("a", 2)}));
  std::string whole;
  const auto copy = from_->copy(kOfA);
  ASSERT_TRUE(copy);
  whole = *(*copy)->next(1u << 20);
  const std::size_t place = whole.find("needle");
  ASSERT_NE(place, std::string::npos);
  whole[place] ^= 1;
  ASSERT_TRUE(to_->take_in(kOfA, whole, true));
  const auto done = finish(kOfA);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::hash_mismatch);
  EXPECT_EQ(to_->tail_of(kOfA)->last, LogIndex(0));
  EXPECT_FALSE(*to_->find_run(RunId("a")));
}

TEST_F(Copies, bytes_that_are_no_copy_are_refused) {
  EXPECT_EQ(to_->take_in(kOfA, std::string(100, '\xff'), true).error().code, Code::wire_invalid);
  ASSERT_TRUE(to_->take_in(kOfA, std::string("\x01\x00\x00\x00\x09\x00\x00\x00\x01l", 10), true));
  EXPECT_EQ(finish(kOfA).error().code, Code::wire_invalid) << "it ends within a row";
}

TEST_F(Copies, one_that_is_cut_off_leaves_nothing_behind) {
  ASSERT_TRUE(commit(*from_, {entry_of("a", 1, std::string(3'000, 'x')), entry_of("a", 2)}));
  const auto copy = from_->copy(kOfA);
  ASSERT_TRUE(copy);
  ASSERT_TRUE(to_->take_in(kOfA, *(*copy)->next(50), true));
  to_.reset();
  to_ = open("to");
  EXPECT_EQ(to_->tail_of(kOfA)->last, LogIndex(0));
  ASSERT_TRUE(fetch(kOfA));
  ASSERT_TRUE(finish(kOfA));
  EXPECT_EQ(to_->last_seq(RunId("a"))->get(), 2u);
}

TEST_F(Copies, once_it_is_proved_a_crash_only_delays_it) {
  ASSERT_TRUE(load_.run(*from_, 200));
  for (int steps = 1; steps <= 5; ++steps) {
    to_ = open("to-" + std::to_string(steps));
    for (std::uint16_t p = 0; p < kPartitions; ++p) {
      ASSERT_TRUE(fetch(PartitionId(p)));
      for (int i = 0; i < steps; ++i) {
        ASSERT_TRUE(to_->advance(PartitionId(p)));
      }
    }
    to_.reset();
    to_ = open("to-" + std::to_string(steps));
    // Before it is proved, the next start knows nothing of it; then it ends what was begun.
    EXPECT_EQ(load_.lost(*to_) == "", steps >= 2) << steps << " steps";
    EXPECT_TRUE(to_->examine(nullptr, false)->findings.empty());
  }
}

} // namespace
} // namespace skein::test
