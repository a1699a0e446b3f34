#include "stage.h"

#include "core/value/json.h"

namespace skein::actors {
namespace {

using namespace std::chrono_literals;

constexpr const char* kOneStep = "  steps: [ { id: act, tool: hand, with: {} } ]\n";

TEST_F(Stage, nothing_is_answered_or_started_before_it_is_durable) {
  start(load(kOneStep), "run-1");
  EXPECT_EQ(commits_.held(), 1u);
  EXPECT_TRUE(answers_.empty());
  EXPECT_TRUE(entries_.empty());
  commits_.commit_one(); // created
  run_all();
  EXPECT_EQ(answers_.size(), 1u);
  EXPECT_TRUE(box_.tool.calls.empty()); // its intent is not durable yet
  commits_.commit_one();                // begun
  run_all();
  ASSERT_EQ(box_.tool.calls.size(), 1u);
  EXPECT_EQ(box_.tool.calls[0].key, "run-1/act/0");
  box_.tool.answers[0](Value(1));
  settle();
  EXPECT_EQ(state_of("run-1"), RunState::succeeded);
  EXPECT_EQ(entries_, (std::vector<std::string>{"run.created", "step.begun", "step.succeeded"}));
}

TEST_F(Stage, a_pure_step_needs_no_intent) {
  start(load("  steps: [ { id: act, tool: hand, effect: pure, with: {} } ]\n"), "run-1");
  settle();
  EXPECT_EQ(entries_, (std::vector<std::string>{"run.created"}));
  EXPECT_EQ(box_.tool.calls.size(), 1u);
}

TEST_F(Stage, an_idempotent_attempt_runs_again_with_its_key_after_a_crash) {
  start(load("  steps: [ { id: act, tool: hand, effect: idempotent, with: {} } ]\n"), "run-1");
  settle();
  ASSERT_EQ(box_.tool.calls.size(), 1u);
  const std::string key = box_.tool.calls[0].key;
  crash();
  wake("run-1");
  settle();
  ASSERT_EQ(box_.tool.calls.size(), 1u);
  EXPECT_EQ(box_.tool.calls[0].key, key);
}

TEST_F(Stage, an_unsafe_attempt_is_in_doubt_after_a_crash_and_never_runs_by_itself) {
  start(load(kOneStep), "run-1");
  settle();
  crash();
  wake("run-1");
  settle();
  EXPECT_TRUE(box_.tool.calls.empty());
  EXPECT_EQ(state_of("run-1"), RunState::paused);
}

TEST_F(Stage, a_probe_that_finds_the_effect_takes_its_result) {
  start(load("  steps: [ { id: act, tool: hand, effect: verify, with: {} } ]\n"
             "  output: ${ steps.act.output }\n"),
        "run-1");
  settle();
  crash();
  box_.tool.probed = Value(42);
  wake("run-1");
  settle();
  EXPECT_TRUE(box_.tool.calls.empty());
  EXPECT_EQ(state_of("run-1"), RunState::succeeded);
  EXPECT_EQ(to_json(shown_.at(RunId("run-1")).output), "42");
}

TEST_F(Stage, a_waiting_run_leaves_memory_and_comes_back_for_a_signal) {
  start(load("  steps: [ { id: hold, wait: { signal: go } } ]\n"), "run-1");
  settle();
  EXPECT_EQ(state_of("run-1"), RunState::waiting);
  EXPECT_EQ(live(), 0u);
  send("run-1", flow::Signalled{clock_.now(), "", "go", Value()});
  EXPECT_EQ(live(), 1u);
  settle();
  EXPECT_EQ(state_of("run-1"), RunState::succeeded);
  EXPECT_EQ(live(), 0u);
}

TEST_F(Stage, a_timer_fires_once_when_it_is_due) {
  start(load("  steps: [ { id: hold, wait: { duration: 10s } } ]\n"), "run-1");
  settle();
  pass(9s);
  settle();
  EXPECT_EQ(state_of("run-1"), RunState::waiting);
  pass(1s);
  settle();
  EXPECT_EQ(state_of("run-1"), RunState::succeeded);
  const auto entries = entries_.size();
  pass(10s);
  settle();
  EXPECT_EQ(entries_.size(), entries);
}

TEST_F(Stage, runs_of_one_partition_that_go_in_step_share_their_batches) {
  box_.tool.inlined = true;
  const auto flow = load(
      "  steps:\n    - { id: a, tool: hand, effect: pure, with: {} }\n"
      "    - { id: b, tool: hand, effect: pure, with: {} }\n");
  const auto ids = neighbours(3);
  for (const std::string& id : ids) {
    start(flow, id);
  }
  EXPECT_EQ(commits_.entries_of_first(), 1u); // the first found nothing under way
  commits_.commit_one();
  run_all();
  EXPECT_EQ(commits_.entries_of_first(), 3u); // waits for what its predecessor set going
  commits_.commit_one();
  run_all();
  EXPECT_EQ(commits_.held(), 1u);
  EXPECT_EQ(commits_.entries_of_first(), 3u);
  settle();
  for (const std::string& id : ids) {
    EXPECT_EQ(state_of(id), RunState::succeeded);
  }
}

TEST_F(Stage, a_refused_commit_rebuilds_the_run_from_its_journal) {
  const auto flow = load(kOneStep);
  const auto ids = neighbours(2);
  start(flow, ids[0]);
  start(flow, ids[1]); // gathers behind the first
  commits_.refuse_one(Error{Code::storage_full, "the disk is full"});
  run_all();
  EXPECT_EQ(answers_.size(), 2u);
  for (const auto& [run, answer] : answers_) {
    EXPECT_FALSE(answer.ok()) << run;
  }
  EXPECT_EQ(live(), 0u);
  answers_.clear();
  start(flow, ids[0]); // there is room again
  settle();
  EXPECT_TRUE(answers_.begin()->second.ok());
  EXPECT_EQ(box_.tool.calls.size(), 1u);
}

TEST_F(Stage, a_refused_result_is_asked_for_again_when_there_is_room) {
  start(load("  steps: [ { id: act, tool: hand, effect: idempotent, with: {} } ]\n"), "run-1");
  settle();
  box_.tool.answers[0](Value(1));
  run_all();
  commits_.refuse_one(Error{Code::storage_full, "the disk is full"});
  run_all();
  EXPECT_EQ(state_of("run-1"), RunState::running);
  pass(2s); // the supervisor wakes it
  settle();
  ASSERT_EQ(box_.tool.calls.size(), 2u);
  EXPECT_EQ(box_.tool.calls[0].key, box_.tool.calls[1].key);
  box_.tool.answers[1](Value(1));
  settle();
  EXPECT_EQ(state_of("run-1"), RunState::succeeded);
}

TEST_F(Stage, a_lost_disk_is_told_to_the_node) {
  start(load(kOneStep), "run-1");
  commits_.refuse_one(Error{Code::storage_io, "the sync failed"});
  run_all();
  ASSERT_TRUE(broken_);
  EXPECT_EQ(broken_->code, Code::storage_io);
}

TEST_F(Stage, a_run_that_falls_again_and_again_is_paused_with_the_reason) {
  box_.tool.throws = true;
  start(load("  steps: [ { id: act, tool: hand, effect: pure, with: {} } ]\n"), "run-1");
  settle();
  EXPECT_EQ(live(), 0u);
  for (int i = 0; i < 6; ++i) {
    pass(4s);
    settle();
  }
  EXPECT_EQ(state_of("run-1"), RunState::paused);
  EXPECT_NE(shown_.at(RunId("run-1")).reason.find("fell 6 times"), std::string::npos);
}

TEST_F(Stage, a_run_that_falls_once_goes_on_where_it_was) {
  box_.tool.throws = true;
  start(load("  steps: [ { id: act, tool: hand, effect: pure, with: {} } ]\n"), "run-1");
  settle();
  box_.tool.throws = false;
  pass(100ms);
  settle();
  ASSERT_EQ(box_.tool.calls.size(), 1u);
  box_.tool.answers[0](Value());
  settle();
  EXPECT_EQ(state_of("run-1"), RunState::succeeded);
}

TEST_F(Stage, the_outbox_sends_in_order_and_again_after_the_receiver_was_away) {
  receiver_away_ = true;
  start(
      load(
          "  steps:\n    - { id: a, emit: { type: x.a } }\n    - { id: b, emit: { type: x.b } }\n"),
      "run-1");
  settle();
  EXPECT_TRUE(sent_.empty());
  EXPECT_EQ(store_.outbox(10)->size(), 2u);
  receiver_away_ = false;
  pass(1s);
  EXPECT_EQ(sent_.size(), 2u);
  EXPECT_TRUE(store_.outbox(10)->empty());
}

TEST_F(Stage, what_a_crash_left_in_the_outbox_goes_out_at_the_start) {
  receiver_away_ = true;
  start(load("  steps: [ { id: a, emit: { type: x.a } } ]\n"), "run-1");
  settle();
  crash();
  receiver_away_ = false;
  caf::anon_send(shared_->outbox, Kick{});
  run_all();
  EXPECT_EQ(sent_.size(), 1u);
}

TEST_F(Stage, what_becomes_of_a_run_is_told_with_the_entry_that_made_it_so) {
  tells_ = true;
  set_up({});
  start(load("  steps: [ { id: a, emit: { type: x.a } } ]\n"), "run-1");
  settle();
  ASSERT_EQ(sent_.size(), 2u);
  EXPECT_TRUE(sent_[1].starts_with("run-1/succeeded/")) << sent_[1];
  EXPECT_TRUE(store_.outbox(10)->empty());
}

TEST_F(Stage, more_effects_than_slots_wait_for_their_turn) {
  Limits limits;
  limits.effects_in_flight = 2;
  set_up(limits);
  start(load("  steps:\n    - id: all\n      for_each: { in: \"${ [1, 2, 3, 4, 5] }\", as: n, "
             "max_parallel: 5, "
             "steps: [ { id: act, tool: hand, effect: pure, with: {} } ] }\n"),
        "run-1");
  settle();
  EXPECT_EQ(box_.tool.calls.size(), 2u);
  box_.tool.answers[0](Value());
  settle();
  EXPECT_EQ(box_.tool.calls.size(), 3u);
}

TEST_F(Stage, runs_beyond_the_limit_wait_for_admission) {
  Limits limits;
  limits.live_runs = 1; // a partition has at least sixteen
  set_up(limits);
  const auto flow = load("  steps: [ { id: act, tool: hand, effect: pure, with: {} } ]\n");
  for (const std::string& id : neighbours(17)) {
    start(flow, id);
  }
  settle();
  EXPECT_EQ(live(), 16u);
  EXPECT_EQ(answers_.size(), 16u);
  box_.tool.answers[3](Value());
  settle();
  EXPECT_EQ(live(), 16u);
  EXPECT_EQ(answers_.size(), 17u);
}

TEST_F(Stage, a_drain_starts_nothing_new_and_a_later_start_goes_on) {
  const auto flow = load(
      "  steps:\n    - { id: a, tool: hand, effect: idempotent, with: {} }\n"
      "    - { id: b, tool: hand, effect: idempotent, with: {} }\n");
  start(flow, "run-1");
  settle();
  shared_->draining = true;
  box_.tool.answers[0](Value());
  settle();
  EXPECT_EQ(box_.tool.calls.size(), 1u); // b was not started, nor its intent recorded
  EXPECT_TRUE(shared_->busy.wait_until_idle(0ms));
  EXPECT_EQ(entries_.back(), "step.succeeded");
  crash();
  wake("run-1");
  settle();
  ASSERT_EQ(box_.tool.calls.size(), 1u);
  EXPECT_EQ(box_.tool.calls[0].step, "b");
}

TEST_F(Stage, time_within_a_run_never_goes_back) {
  start(load("  steps: [ { id: hold, wait: { signal: go } }, { id: on, wait: { signal: go } } ]\n"),
        "run-1");
  settle();
  send("run-1", flow::Signalled{Instant{5}, "", "go", Value()}); // a clock that was set back
  settle();
  Instant before{0};
  ASSERT_TRUE(store_
                  .read_journal(RunId("run-1"), Seq(1),
                                [&](const Entry& entry) {
                                  EXPECT_GE(flow::at_of(entry.event), before);
                                  before = flow::at_of(entry.event);
                                  return true;
                                })
                  .ok());
}

} // namespace
} // namespace skein::actors
