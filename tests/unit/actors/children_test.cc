#include "core/run/children.h"
#include "unit/actors/stage.h"

namespace skein::actors {
namespace {

using namespace std::chrono_literals;

/// A parent whose one step is a run of a flow that waits for a signal, and answers what it brought.
class ChildrenTest : public Stage {
 protected:
  void SetUp() override {
    Stage::SetUp();
    load("  steps: [ { id: ask, wait: { signal: go } } ]\n", "child");
    parent_ = load("  steps: [ { id: sub, flow: child, with: { n: 1 } } ]\n  timeout: 1h\n");
  }

  flow::DefinitionPtr definition_named(std::string_view name) const {
    for (const auto& [revision, definition] : definitions_) {
      if (definition->name == name) {
        return definition;
      }
    }
    return nullptr;
  }

  /// A child is a run of the flow of that name that was loaded.
  Result<Child> child_of(const ChildWanted& wanted) const override {
    if (const auto definition = definition_named(wanted.step.flow)) {
      return Child{child_id(wanted.step.flow, wanted.key, wanted.attempt), definition->revision};
    }
    return Error{Code::resource_unknown, "there is no flow \"" + wanted.step.flow + "\""};
  }

  void receive(const OutboxRow& row, const Reply& reply) override {
    flow::Event event = flow::Proceeded{};
    if (row.what == OutboxRow::What::child_start) {
      const auto start = child_start_of(row);
      event = flow::Created{clock_.now(), start->flow,   start->revision,     1,           7,
                            start->input, start->labels, start->parent.get(), start->depth};
    } else {
      event = event_of(row, clock_.now());
    }
    const RunId to(row.destination);
    caf::anon_send(home_of(to), std::make_shared<Inbound>(Inbound{
                                    to, std::move(event), [reply](const Result<void>& done) {
                                      const bool known =
                                          !done && done.error().code == Code::run_exists;
                                      reply(known ? Result<void>() : done);
                                    }}));
  }

  std::string child() const {
    const std::string waits = (*store_.find_run(RunId("run-1")))->waiting_for;
    return waits.starts_with("child ") ? waits.substr(6) : "";
  }

  flow::DefinitionPtr parent_;
};

TEST_F(ChildrenTest, neither_a_parent_nor_its_waiting_child_stays_in_memory) {
  start(parent_, "run-1");
  settle();
  EXPECT_EQ(live(), 0u);
  EXPECT_EQ(state_of("run-1"), RunState::waiting);
  ASSERT_FALSE(child().empty());
  EXPECT_EQ(state_of(child()), RunState::waiting);
  EXPECT_EQ((*store_.find_run(RunId(child())))->parent, "run-1");
  EXPECT_TRUE(store_.outbox(10)->empty());
}

TEST_F(ChildrenTest, the_end_of_a_child_wakes_its_parent) {
  start(parent_, "run-1");
  settle();
  send(child(), flow::Signalled{clock_.now(), "", "go", Value(7)});
  settle();
  EXPECT_EQ(state_of("run-1"), RunState::succeeded);
  EXPECT_EQ((*store_.find_run(RunId("run-1")))->output, Value(7));
  EXPECT_EQ(live(), 0u);
}

TEST_F(ChildrenTest, a_start_that_a_crash_kept_back_goes_out_at_the_next_start) {
  receiver_away_ = true;
  start(parent_, "run-1");
  settle();
  const std::string id = child();
  EXPECT_FALSE(*store_.find_run(RunId(id)));
  crash();
  receiver_away_ = false;
  caf::anon_send(shared_->outbox, Kick{});
  settle();
  EXPECT_EQ(state_of(id), RunState::waiting);
}

TEST_F(ChildrenTest, an_end_that_a_crash_kept_back_goes_out_at_the_next_start) {
  start(parent_, "run-1");
  settle();
  receiver_away_ = true;
  send(child(), flow::Signalled{clock_.now(), "", "go", Value(7)});
  settle();
  EXPECT_EQ(state_of("run-1"), RunState::waiting);
  crash();
  receiver_away_ = false;
  caf::anon_send(shared_->outbox, Kick{});
  settle();
  EXPECT_EQ(state_of("run-1"), RunState::succeeded);
}

TEST_F(ChildrenTest, a_crash_before_the_intent_names_the_same_child) {
  start(parent_, "run-1");
  run_all();
  commits_.commit_one(); // created and dispatched, the intent is proposed and lost
  run_all();
  commits_.lose_all();
  crash();
  wake("run-1");
  settle();
  EXPECT_EQ(child(), child_id("child", "run-1/sub/0", 1).get());
  EXPECT_EQ(state_of(child()), RunState::waiting);
}

TEST_F(ChildrenTest, a_start_and_an_end_that_come_twice_happen_once) {
  start(parent_, "run-1");
  settle();
  const RunId id(child());
  const std::uint64_t before = store_.last_seq(id)->get();
  send(id.get(), flow::Created{clock_.now(), "child", definition_named("child")->revision, 1, 7,
                               Value(), Value(), "run-1", 1});
  settle();
  EXPECT_EQ(store_.last_seq(id)->get(), before);
  for (int i = 0; i < 2; ++i) {
    send("run-1", flow::ChildEnded{clock_.now(), id, Value(1), {}});
    settle();
  }
  EXPECT_EQ(state_of("run-1"), RunState::succeeded);
  EXPECT_EQ(store_.last_seq(RunId("run-1"))->get(), 3u);
}

TEST_F(ChildrenTest, a_cancelled_parent_cancels_its_child) {
  start(parent_, "run-1");
  settle();
  const std::string id = child();
  send("run-1", flow::CancelAsked{clock_.now(), "op", "enough"});
  settle();
  EXPECT_EQ(state_of("run-1"), RunState::cancelled);
  EXPECT_EQ(state_of(id), RunState::cancelled);
  EXPECT_EQ((*store_.find_run(RunId(id)))->reason, "cancelled by run run-1");
  EXPECT_TRUE(store_.outbox(10)->empty());
}

TEST_F(ChildrenTest, a_child_that_is_cancelled_by_itself_fails_the_step) {
  start(parent_, "run-1");
  settle();
  const std::string id = child();
  send(id, flow::CancelAsked{clock_.now(), "op", "enough"});
  settle();
  EXPECT_EQ(state_of("run-1"), RunState::failed);
  const auto failure = (*store_.find_run(RunId("run-1")))->failure;
  EXPECT_EQ(failure->code, to_string(Code::child_cancelled));
  EXPECT_EQ(failure->message, "run " + id + ": it was cancelled");
}

TEST_F(ChildrenTest, a_cancel_never_overtakes_the_start) {
  receiver_away_ = true;
  start(parent_, "run-1");
  settle();
  const std::string id = child();
  send("run-1", flow::CancelAsked{clock_.now(), "op", "enough"});
  settle();
  EXPECT_EQ(store_.outbox(10)->size(), 2u);
  receiver_away_ = false;
  pass(1s);
  settle();
  EXPECT_EQ(sent_, (std::vector<std::string>{id, id + "/cancel", id + "/end"}));
  EXPECT_EQ(state_of(id), RunState::cancelled);
}

TEST_F(ChildrenTest, a_flow_that_calls_itself_ends_at_the_eighth) {
  const auto deep = load("  steps: [ { id: again, flow: deep } ]\n", "deep");
  start(deep, "deep-0");
  settle();
  EXPECT_EQ(state_of("deep-0"), RunState::failed);
  EXPECT_EQ((*store_.find_run(RunId("deep-0")))->failure->code, to_string(Code::run_depth));
  EXPECT_EQ(shown_.size(), 9u);
}

TEST_F(ChildrenTest, an_unknown_flow_fails_the_step) {
  start(load("  steps: [ { id: sub, flow: nowhere } ]\n", "lost"), "run-1");
  settle();
  EXPECT_EQ((*store_.find_run(RunId("run-1")))->failure->code, to_string(Code::resource_unknown));
}

TEST_F(ChildrenTest, hundreds_of_children_come_and_go) {
  load("  steps: [ { id: say, respond: \"${ input }\" } ]\n", "echo");
  const auto many = load(R"(
  steps:
    - id: each
      for_each:
        in: "${ input }"
        max_parallel: 50
        steps: [ { id: sub, flow: echo, with: "${ {'n': item} }" } ]
  output: "${ size(steps.each.output) }"
)",
                         "many");
  send("run-1", flow::Created{clock_.now(),
                              "many",
                              many->revision,
                              1,
                              7,
                              Value::of_list(std::vector<Value>(500, Value(1))),
                              Value(),
                              {}});
  settle();
  EXPECT_EQ(state_of("run-1"), RunState::succeeded) << (*store_.find_run(RunId("run-1")))->reason;
  EXPECT_TRUE(store_.outbox(10)->empty());
  EXPECT_EQ(live(), 0u);
}

} // namespace
} // namespace skein::actors
