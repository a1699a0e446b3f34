#include <gtest/gtest.h>

#include "stage.h"

// What happens where something goes wrong, or comes too late, between actors.
namespace skein::actors {
namespace {

using namespace std::chrono_literals;

TEST_F(Stage, an_abandoned_attempt_keeps_its_slot_until_its_tool_ends_though_its_run_is_over) {
  Limits limits;
  limits.effects_in_flight = 2;
  set_up(limits);
  start(load("  steps:\n    - id: first\n      parallel:\n        join: any\n        branches:\n"
             "          x: [ { id: a, tool: hand, effect: idempotent, with: {} } ]\n"
             "          y: [ { id: b, tool: hand, effect: idempotent, with: {} } ]\n"),
        "run-1");
  settle();
  ASSERT_EQ(box_.tool.calls.size(), 2u);
  box_.tool.answers[0](Value());
  settle();
  EXPECT_EQ(store_.find_run(RunId("run-1"))->value().state, RunState::succeeded);
  EXPECT_FALSE(shared_->busy.wait_until_idle(0ms)) << "its tool still runs";
  box_.tool.answers[1](Error{Code::step_cancelled, "asked to stop"});
  settle();
  EXPECT_TRUE(shared_->busy.wait_until_idle(0ms));
  start(load("  steps: [ { id: c, tool: hand, effect: idempotent, with: {} },"
             " { id: d, tool: hand, effect: idempotent, with: {}, needs: [] } ]\n"),
        "run-2");
  settle();
  EXPECT_EQ(box_.tool.calls.size(), 4u) << "both slots are free again";
}

TEST_F(Stage, a_timer_centuries_away_is_not_due_at_once_and_stops_no_other) {
  start(load("  steps: [ { id: hold, wait: { until: \"9999-12-31T00:00:00Z\" } } ]\n"), "run-1");
  settle();
  start(load("  steps: [ { id: soon, wait: { duration: 10m } } ]\n"), "run-2");
  settle();
  pass(9min);
  settle();
  EXPECT_EQ(store_.find_run(RunId("run-2"))->value().state, RunState::waiting);
  pass(2min);
  settle();
  EXPECT_EQ(store_.find_run(RunId("run-2"))->value().state, RunState::succeeded);
  EXPECT_EQ(store_.find_run(RunId("run-1"))->value().state, RunState::waiting);
}

TEST(Slots, a_long_queue_of_those_who_are_gone_does_not_nest) {
  Slots slots(1);
  int called = 0;
  slots.take([](const WorkerPtr&) {});
  for (int i = 0; i < 300'000; ++i) {
    slots.take([&](const WorkerPtr&) {
      ++called;
      slots.give_back();
    });
  }
  slots.give_back();
  EXPECT_EQ(called, 300'000);
  bool free = false;
  slots.take([&](const WorkerPtr&) { free = true; });
  EXPECT_TRUE(free);
}

TEST_F(Stage, what_only_waits_for_a_slot_was_never_begun) {
  Limits limits;
  limits.effects_in_flight = 1;
  set_up(limits);
  const auto flow = load("  steps: [ { id: act, tool: hand, effect: unsafe, with: {} } ]\n");
  start(flow, "run-1");
  settle();
  start(flow, "run-2");
  settle();
  EXPECT_EQ(box_.tool.calls.size(), 1u);
  EXPECT_EQ(std::count(entries_.begin(), entries_.end(), "step.begun"), 1);
  crash();
  wake("run-1");
  wake("run-2");
  settle();
  EXPECT_EQ(state_of("run-1"), RunState::paused) << "it may have happened";
  EXPECT_EQ(state_of("run-2"), RunState::running);
  EXPECT_EQ(box_.tool.calls.size(), 1u);
}

TEST_F(Stage, a_drain_starts_nothing_that_waits_for_a_slot) {
  Limits limits;
  limits.effects_in_flight = 1;
  set_up(limits);
  const auto flow = load("  steps: [ { id: act, tool: hand, effect: pure, with: {} } ]\n");
  start(flow, "run-1");
  start(flow, "run-2");
  settle();
  shared_->draining = true;
  box_.tool.answers[0](Value());
  settle();
  EXPECT_EQ(box_.tool.calls.size(), 1u);
  EXPECT_TRUE(shared_->busy.wait_until_idle(0ms));
}

TEST_F(Stage, a_run_in_doubt_leaves_memory_and_comes_back_to_be_settled) {
  const auto flow = load("  steps: [ { id: act, tool: hand, effect: unsafe, with: {} } ]\n");
  start(flow, "run-1");
  settle();
  crash();
  wake("run-1");
  settle();
  EXPECT_EQ(state_of("run-1"), RunState::paused);
  EXPECT_EQ(live(), 0u);
  send("run-1", flow::Settled{clock_.now(), flow::Place{}, flow::Settled::How::succeed, Value(1),
                              "operator"});
  settle();
  EXPECT_EQ(state_of("run-1"), RunState::succeeded);
  EXPECT_EQ(live(), 0u);
}

TEST_F(Stage, a_run_that_is_not_there_takes_no_place_in_memory) {
  send("run-9", flow::Signalled{clock_.now(), "", "go", Value()});
  wake("run-8");
  settle();
  EXPECT_EQ(answers_.begin()->second.error().code, Code::run_unknown);
  EXPECT_EQ(live(), 0u);
}

TEST_F(Stage, a_run_that_cannot_be_loaded_decides_nothing_and_is_asked_again) {
  const auto flow = load("  steps: [ { id: act, tool: hand, effect: idempotent, with: {} } ]\n");
  start(flow, "run-1");
  settle();
  crash();
  definitions_.clear();
  wake("run-1");
  wake("run-1");
  send("run-1", flow::CancelAsked{clock_.now(), "operator", ""});
  settle();
  EXPECT_EQ(answers_.rbegin()->second.error().code, Code::resource_unknown);
  EXPECT_EQ(box_.tool.calls.size(), 0u);
  EXPECT_EQ(live(), 0u);
  definitions_[flow->revision] = flow;
  wake("run-1");
  settle();
  EXPECT_EQ(box_.tool.calls.size(), 1u);
}

TEST_F(Stage, a_run_that_fell_and_cannot_be_loaded_at_once_is_brought_back_later) {
  const auto flow = load("  steps: [ { id: act, tool: hand, effect: idempotent, with: {} } ]\n");
  start(flow, "run-1");
  settle();
  crash();
  definitions_.clear();
  caf::anon_send(shared_->supervisor,
                 std::make_shared<const Fell>(Fell{RunId("run-1"), "its actor ended", false}));
  run_all();
  pass(100ms);
  EXPECT_EQ(box_.tool.calls.size(), 0u);
  definitions_[flow->revision] = flow;
  pass(200ms);
  EXPECT_EQ(box_.tool.calls.size(), 1u);
}

TEST_F(Stage, a_checkpoint_that_does_not_fit_is_no_more_than_a_slow_start) {
  std::string steps = "  steps:\n";
  for (int i = 0; i < 20; ++i) {
    steps += "    - { id: s" + std::to_string(i) + ", tool: hand, effect: pure, with: {} }\n";
  }
  box_.tool.inlined = true;
  start(load(steps + "    - { id: hold, wait: { signal: go } }\n"), "run-1");
  settle();
  ASSERT_GT(store_.spoil_checkpoints(RunId("run-1")), 0u);
  crash();
  send("run-1", flow::Signalled{clock_.now(), "", "go", Value()});
  settle();
  EXPECT_EQ(state_of("run-1"), RunState::succeeded);
}

TEST_F(Stage, timers_of_runs_that_wait_for_admission_are_not_sent_again) {
  const std::vector<std::string> ids = neighbours(20);
  const auto flow = load(
      "  steps: [ { id: hold, wait: { duration: 1s } },"
      " { id: act, tool: hand, effect: idempotent, with: {} } ]\n");
  for (const std::string& id : ids) {
    start(flow, id);
    settle();
  }
  Limits limits;
  limits.live_runs = 1; // 16 of a partition
  set_up(limits);
  caf::anon_send(shared_->timer, Armed{clock_.now()});
  run_all();
  pass(2s);
  settle();
  EXPECT_EQ(live(), 16u);
  EXPECT_EQ(delivered_, 20u);
  for (int i = 0; i < 10; ++i) {
    pass(6s);
    settle();
  }
  EXPECT_EQ(delivered_, 20u);
  while (!box_.tool.answers.empty()) {
    box_.tool.answers.back()(Value());
    box_.tool.answers.pop_back();
    settle();
  }
  EXPECT_EQ(state_of(ids.front()), RunState::succeeded);
  EXPECT_EQ(state_of(ids.back()), RunState::succeeded);
}

TEST_F(Stage, a_repeat_is_answered_no_sooner_than_what_it_repeats_is_durable) {
  start(load("  steps: [ { id: hold, wait: { signal: go } }, { id: on, wait: { signal: on } } ]\n"),
        "run-1");
  settle();
  answers_.clear();
  send("run-1", flow::Signalled{clock_.now(), "id-1", "go", Value()});
  send("run-1", flow::Signalled{clock_.now(), "id-1", "go", Value()});
  start(load("  steps: [ { id: hold, wait: { signal: go } } ]\n"), "run-1");
  EXPECT_EQ(answers_.size(), 0u);
  settle();
  EXPECT_EQ(answers_.size(), 3u);
}

TEST_F(Stage, a_repeat_of_what_was_refused_is_refused_as_well) {
  start(load("  steps: [ { id: hold, wait: { signal: go } } ]\n"), "run-1");
  settle();
  answers_.clear();
  send("run-1", flow::Signalled{clock_.now(), "id-1", "go", Value()});
  send("run-1", flow::Signalled{clock_.now(), "id-1", "go", Value()});
  commits_.refuse_one(Error{Code::storage_full, "the disk is full"});
  run_all();
  ASSERT_EQ(answers_.size(), 2u);
  for (const auto& [run, answer] : answers_) {
    EXPECT_FALSE(answer.ok());
  }
}

TEST_F(Stage, effects_of_a_full_disk_wait_until_their_results_fit) {
  start(load("  steps: [ { id: act, tool: hand, effect: idempotent, with: {} } ]\n"), "run-1");
  settle();
  store_.has_room = false;
  box_.tool.answers[0](Value(1));
  run_all();
  commits_.refuse_one(Error{Code::storage_full, "the disk is full"});
  run_all();
  for (int i = 0; i < 10; ++i) {
    pass(2s);
    settle();
  }
  EXPECT_EQ(box_.tool.calls.size(), 1u) << "not once for each look at the disk";
  store_.has_room = true;
  pass(2s);
  settle();
  EXPECT_EQ(box_.tool.calls.size(), 2u);
}

TEST_F(Stage, what_lists_show_is_cut_and_a_signal_has_a_name_that_fits_a_key) {
  const auto flow =
      load("  steps: [ { id: stop, fail: { code: E_X, message: \"${ input }\" } } ]\n");
  const auto hold = load("  steps: [ { id: hold, wait: { signal: \"${ input }\" } } ]\n");
  for (const auto& [id, definition] : {std::pair("run-1", flow), std::pair("run-2", hold)}) {
    send(id, flow::Created{clock_.now(),
                           "test",
                           definition->revision,
                           1,
                           7,
                           Value(std::string(20'000, 'x')),
                           Value(),
                           {}});
  }
  settle();
  EXPECT_EQ(state_of("run-1"), RunState::failed);
  EXPECT_EQ(state_of("run-2"), RunState::failed);
  for (const auto& [id, record] : shown_) {
    EXPECT_LE(record.reason.size(), 4'096u) << id.get();
    EXPECT_LE(record.failure->message.size(), 4'096u) << id.get();
  }
  EXPECT_NE(shown_.at(RunId("run-2")).reason.find("20000 bytes"), std::string::npos);
}

TEST_F(Stage, a_refused_run_asks_its_tool_to_stop) {
  start(load("  steps: [ { id: hold, wait: { signal: go } },"
             " { id: act, tool: hand, effect: idempotent, with: {}, needs: [] } ]\n"),
        "run-1");
  settle();
  ASSERT_EQ(box_.tool.calls.size(), 1u);
  send("run-1", flow::Signalled{clock_.now(), "", "go", Value()});
  commits_.refuse_one(Error{Code::storage_full, "the disk is full"});
  run_all();
  EXPECT_EQ(box_.tool.cancelled.size(), 1u);
}

} // namespace
} // namespace skein::actors
