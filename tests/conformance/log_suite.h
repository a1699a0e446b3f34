#pragma once

#include "conformance/store_suite.h"
#include "schemas/log_codec.h"

/// What every Store must do as one of several that hold the same log.
namespace skein::test {

TEST_P(StoreSuite, timers_of_partitions_that_are_not_asked_for_are_not_there) {
  Append arm = entry_of("a", 1);
  arm.arm = {TimerRow{RunId("a"), 1, at(30)}};
  ASSERT_TRUE(commit(store(), arm));
  PartitionSet others = kEveryPartition;
  others.reset(partition_of(RunId("a")).get());
  EXPECT_FALSE(*store().next_timer(others));
  EXPECT_TRUE(store().due_timers(at(99), 9, others)->empty());
}

TEST_P(StoreSuite, who_leads_and_how_far_the_stream_was_read_are_written_with_a_batch) {
  Batch announced;
  announced.partition = PartitionId(3);
  announced.epoch = Epoch(5);
  announced.leader = NodeId(42);
  announced.position = {2, 17};
  ASSERT_TRUE(store().commit(std::span(&announced, 1)));
  reopen();
  const auto tail = store().tail_of(PartitionId(3));
  ASSERT_TRUE(tail);
  EXPECT_EQ(tail->epoch, Epoch(5));
  EXPECT_EQ(tail->leader, NodeId(42));
  EXPECT_EQ(tail->last, LogIndex(0));
  EXPECT_EQ(*store().stream_position(), (StreamPosition{2, 17}));
  Batch older = announced;
  older.epoch = Epoch(4);
  EXPECT_EQ(store().commit(std::span(&older, 1)).error().code, Code::run_state_conflict);
}

TEST_P(StoreSuite, a_sealed_batch_is_written_only_as_the_next_of_its_chain) {
  const auto sealed = [](std::uint64_t seq, std::uint64_t last, const ContentHash& previous) {
    Batch batch = batch_of({entry_of("a", seq)});
    batch.seal = schemas::seal(batch, {9, NodeId(42), LogIndex(last), previous}).seal;
    return batch;
  };
  const Batch first = sealed(1, 0, {});
  ASSERT_TRUE(store().commit(std::span(&first, 1)));
  const Batch torn = sealed(2, 1, content_hash("another past"));
  EXPECT_EQ(store().commit(std::span(&torn, 1)).error().code, Code::log_diverged);
  const Batch second = sealed(2, 1, first.seal->hash);
  ASSERT_TRUE(store().commit(std::span(&second, 1)));
  reopen();
  EXPECT_EQ(store().tail_of(first.partition)->hash, second.seal->hash);
}

} // namespace skein::test
