#include <gtest/gtest.h>

#include "stage.h"

// A partition whose leader changes.
namespace skein::actors {
namespace {

class Leadership : public Stage {
 protected:
  void SetUp() override {
    Limits limits;
    limits.leads = false;
    set_up(limits);
  }
  void lead(std::uint64_t epoch) {
    caf::anon_send(partitions_[0], Lead{Epoch(epoch)});
    shared_->led = 1;
    run_all();
  }
  void follow() {
    shared_->led = 0;
    caf::anon_send(partitions_[0], Follow{});
    run_all();
  }
  flow::DefinitionPtr one_step() {
    return load("  steps: [ { id: a, tool: hand, effect: idempotent, with: {} } ]\n");
  }
  const std::string run_ = neighbours(1).front();
};

TEST_F(Leadership, what_another_node_leads_is_refused_and_nothing_is_written) {
  start(one_step(), run_);
  ASSERT_EQ(answers_.count(run_), 1u);
  EXPECT_EQ(answers_.find(run_)->second.error().code, Code::not_leader);
  EXPECT_EQ(commits_.held(), 0u);
}

TEST_F(Leadership, runs_are_let_go_with_the_lead_and_go_on_from_their_journal_with_the_next) {
  lead(3);
  start(one_step(), run_);
  settle();
  EXPECT_EQ(box_.tool.calls.size(), 1u);
  EXPECT_EQ(store_.tail_of(PartitionId(0))->epoch, Epoch(3));
  follow();
  EXPECT_EQ(live(), 0u);
  EXPECT_EQ(box_.tool.cancelled.size(), 1u) << "what runs for a run that is another's is stopped";
  lead(5);
  wake(run_);
  settle();
  ASSERT_EQ(box_.tool.calls.size(), 2u);
  EXPECT_EQ(box_.tool.calls[0].key, box_.tool.calls[1].key);
  box_.tool.answers[1](Value(1));
  settle();
  EXPECT_EQ(state_of(run_), RunState::succeeded);
  EXPECT_EQ(store_.tail_of(PartitionId(0))->epoch, Epoch(5));
}

TEST_F(Leadership, a_batch_that_was_fenced_out_leaves_no_trace_and_one_that_counts_is_shown) {
  lead(1);
  start(one_step(), run_);
  ASSERT_EQ(commits_.held(), 1u);
  commits_.refuse_one({Code::not_leader, "an announcement was read first"});
  follow();
  settle();
  EXPECT_FALSE(*store_.find_run(RunId(run_)));
  EXPECT_EQ(answers_.find(run_)->second.error().code, Code::not_leader);
  answers_.clear();
  lead(2);
  start(one_step(), run_);
  ASSERT_EQ(commits_.held(), 1u);
  follow(); // the batch was read before the announcement: it counts
  settle();
  EXPECT_TRUE(*store_.find_run(RunId(run_)));
  EXPECT_FALSE(entries_.empty());
  EXPECT_TRUE(shared_->busy.wait_until_idle(std::chrono::milliseconds(0)));
}

} // namespace
} // namespace skein::actors
