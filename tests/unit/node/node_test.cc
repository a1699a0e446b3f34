#include "node/node.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "core/value/json.h"
#include "node/fork.h"
#include "node/replay.h"
#include "schemas/yaml.h"
#include "support/folder.h"

namespace skein::node {
namespace {

class NodeTest : public ::testing::Test {
 protected:
  void SetUp() override { open(); }

  void open(bool recover = false) {
    node_.reset();
    Settings settings;
    settings.data = folder_.path() / "data";
    settings.roots = {folder_.path()};
    settings.recover = recover;
    auto opened = Node::open(settings);
    ASSERT_TRUE(opened.ok()) << to_string(opened.error());
    node_ = std::move(*opened);
  }

  flow::DefinitionPtr apply(const std::string& steps) {
    const std::string text =
        "apiVersion: skein.dev/v1\nkind: Flow\nmetadata: { name: test }\nspec:\n" + steps;
    const auto documents = schemas::read_yaml(text, "test.yaml");
    const auto definition =
        apply_flow(node_->store(), documents->front(), Instant{1}, &node_->tools());
    EXPECT_TRUE(definition.ok()) << to_string(definition.error());
    return definition.ok() ? *definition : nullptr;
  }

  RunRecord run(const flow::DefinitionPtr& definition, const std::string& id,
                Value input = Value()) {
    const auto started = node_->start({definition, std::move(input), {}, RunId(id), 7});
    EXPECT_TRUE(started.ok()) << to_string(started.error());
    return *node_->wait(RunId(id), true, {});
  }

  test::Folder folder_;
  std::unique_ptr<Node> node_;
};

TEST_F(NodeTest, a_flow_runs_real_tools_and_replays_without_a_difference) {
  const auto flow = apply(R"(
  steps:
    - id: count
      tool: shell
      with: { command: [echo, "${ input.n }"], sandbox: none, parse: json }
    - { id: twice, tool: transform, with: "${ steps.count.output.parsed * 2 }" }
  output: ${ steps.twice.output }
)");
  const RunRecord record = run(flow, "run-1", object({{"n", 21}}));
  EXPECT_EQ(record.state, RunState::succeeded) << record.reason;
  EXPECT_EQ(to_json(record.output), "42");
  const auto report = replay(node_->store(), RunId("run-1"));
  ASSERT_TRUE(report.ok());
  EXPECT_FALSE(report->difference);
  EXPECT_EQ(report->entries, 4u);
}

TEST_F(NodeTest, tools_work_beside_the_data_directory_and_never_in_it) {
  const auto flow = apply(R"(
  steps:
    - { id: beside, tool: file, with: { op: write, path: made, content: x } }
    - { id: within, tool: file, with: { op: write, path: "${ input.path }", content: x } }
)");
  EXPECT_EQ(run(flow, "run-1", object({{"path", "sub/made"}})).state, RunState::succeeded);
  std::filesystem::create_directory_symlink(folder_.path() / "data", folder_.path() / "link");
  for (const char* path : {"data/CURRENT", "sub/../data/new", "link/CURRENT"}) {
    const RunRecord record = run(flow, "run-" + std::string(1, path[0]), object({{"path", path}}));
    EXPECT_EQ(record.state, RunState::failed) << path;
    EXPECT_EQ(record.failure->code, to_string(Code::tool_denied)) << path;
  }
  open();
  EXPECT_TRUE(node_->store().find_run(RunId("run-1"))->has_value());
}

TEST_F(NodeTest, a_signal_that_is_sent_again_is_answered_and_happens_once) {
  const auto flow = apply(R"(
  steps:
    - { id: first, wait: { signal: go } }
    - { id: second, wait: { signal: go } }
)");
  EXPECT_EQ(run(flow, "run-1").state, RunState::waiting);
  const auto send = [&](const std::string& id) {
    return node_->tell(RunId("run-1"), flow::Signalled{Instant{2}, id, "go", Value()});
  };
  EXPECT_TRUE(send("one"));
  const auto entries = *node_->store().last_seq(RunId("run-1"));
  EXPECT_TRUE(send("one"));
  EXPECT_EQ(*node_->store().last_seq(RunId("run-1")), entries);
  EXPECT_TRUE(send("two"));
  EXPECT_EQ(node_->wait(RunId("run-1"), true, {})->state, RunState::succeeded);
  EXPECT_TRUE(send("two")); // the run has ended, and its sender is not told otherwise
  EXPECT_EQ(send("three").error().code, Code::run_state_conflict);
}

TEST_F(NodeTest, a_waiting_run_goes_on_in_another_process_after_an_answer) {
  const auto flow = apply(R"(
  steps:
    - { id: ask, approval: { message: "sure?" } }
    - { id: end, tool: transform, with: done }
)");
  EXPECT_EQ(run(flow, "run-1").state, RunState::waiting);
  open();
  const auto machine = machine_at(node_->store(), RunId("run-1"));
  ASSERT_TRUE(machine.ok());
  const auto told = node_->tell(
      RunId("run-1"), flow::Answered{Instant{2}, *machine->place_of("ask"), true, "ann", {}});
  ASSERT_TRUE(told.ok()) << to_string(told.error());
  EXPECT_EQ(node_->wait(RunId("run-1"), true, {})->state, RunState::succeeded);
}

TEST_F(NodeTest, an_attempt_that_takes_too_long_is_stopped_with_SK1303) {
  const auto flow = apply(R"(
  steps:
    - { id: slow, tool: shell, timeout: 50ms, with: { command: [sleep, "600"], sandbox: none } }
)");
  const RunRecord record = run(flow, "run-1");
  EXPECT_EQ(record.state, RunState::failed);
  EXPECT_TRUE(record.failure->code == to_string(Code::step_timeout) ||
              record.failure->code == to_string(Code::tool_timeout))
      << record.reason;
}

TEST_F(NodeTest, the_same_id_is_the_same_run_and_another_input_is_refused_with_SK3009) {
  const auto flow = apply("  steps: [ { id: one, tool: transform, with: 1 } ]\n");
  EXPECT_EQ(run(flow, "run-1", object({{"a", 1}})).state, RunState::succeeded);
  EXPECT_TRUE(node_->start({flow, object({{"a", 1}}), {}, RunId("run-1"), 7}).ok());
  const auto other = node_->start({flow, object({{"a", 2}}), {}, RunId("run-1"), 7});
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().code, Code::run_exists);
}

TEST_F(NodeTest, a_label_that_is_no_key_is_refused) {
  const auto flow = apply("  steps: [ { id: one, tool: transform, with: 1 } ]\n");
  for (const std::string& text : {std::string(300, 'x'), std::string("a\0b", 3)}) {
    const auto refused = node_->start({flow, {}, object({{"team", text}}), RunId("run-1"), 7});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Code::resource_value_invalid);
  }
  EXPECT_TRUE(node_->start({flow, {}, object({{"team", "sre"}}), RunId("run-1"), 7}).ok());
}

TEST_F(NodeTest, a_fork_decides_with_other_variables_and_leaves_its_source_alone) {
  const auto flow = apply(R"(
  vars: { limit: 10 }
  steps:
    - { id: count, tool: transform, with: 50 }
    - { id: ask, approval: {} }
    - { id: act, when: steps.count.output > vars.limit, tool: transform, with: acted }
  output: ${ steps.act.status }
)");
  EXPECT_EQ(run(flow, "run-1").state, RunState::waiting);
  const auto forked = node_->fork({RunId("run-1"), Seq(2), {}, object({{"limit", 100}}), {}});
  ASSERT_TRUE(forked.ok()) << to_string(forked.error());
  EXPECT_GE(node_->store().find_run(*forked)->value().created_at,
            node_->store().find_run(RunId("run-1"))->value().updated_at);
  for (const auto& [id, status] :
       {std::pair(RunId("run-1"), "succeeded"), std::pair(*forked, "skipped")}) {
    const auto machine = machine_at(node_->store(), id);
    ASSERT_TRUE(machine.ok()) << to_string(machine.error());
    ASSERT_TRUE(
        node_->tell(id, flow::Answered{Instant{4}, *machine->place_of("ask"), true, "ann", {}})
            .ok());
    EXPECT_EQ(to_json(node_->wait(id, true, {})->output), '"' + std::string(status) + '"');
    EXPECT_FALSE(replay(node_->store(), id)->difference);
  }
}

TEST_F(NodeTest, a_fork_is_given_only_an_input_that_the_flow_could_start_with) {
  const auto flow = apply(R"(
  input: { schema: { properties: { n: { type: integer } } } }
  steps: [ { id: one, tool: transform, with: "${ input.n }" } ]
)");
  EXPECT_EQ(run(flow, "run-1", object({{"n", 1}, {"other", 5}})).state, RunState::succeeded);
  const auto refused = node_->fork({RunId("run-1"), Seq(1), {}, {}, object({{"n", "x"}})});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::schema_violation);
  EXPECT_EQ(node_->store().last_seq(RunId("run-1-f1"))->get(), 0u);
  const auto forked = node_->fork({RunId("run-1"), Seq(1), {}, {}, object({{"n", 2}})});
  ASSERT_TRUE(forked.ok()) << to_string(forked.error());
}

TEST_F(NodeTest, the_journal_holds_the_defaults_of_the_input) {
  const auto flow = apply(R"(
  input:
    schema:
      type: object
      required: [threshold]
      properties:
        threshold: { type: integer, default: 5 }
        deep: { properties: { a: { default: [ 1 ] } } }
  steps: [ { id: one, tool: transform, with: "${ input }" } ]
)");
  EXPECT_EQ(to_json(run(flow, "run-1", object({{"deep", Value::of_map({})}})).output),
            R"({"deep":{"a":[1]},"threshold":5})");
  EXPECT_EQ(to_json(run(flow, "run-2", object({{"threshold", 7}})).output), R"({"threshold":7})");
  Value input;
  ASSERT_TRUE(node_->store().read_journal(RunId("run-1"), Seq(1), [&](const Entry& entry) {
    input = std::get<flow::Created>(entry.event).input;
    return false;
  }));
  EXPECT_EQ(to_json(input), R"({"deep":{"a":[1]},"threshold":5})");
}

TEST_F(NodeTest, a_drained_node_refuses_what_it_is_asked_and_still_reads) {
  const auto flow = apply("  steps: [ { id: ask, approval: {} } ]\n");
  EXPECT_EQ(run(flow, "run-1").state, RunState::waiting);
  node_->drain(Millis{2'000});
  node_->drain(Millis{2'000});
  const RunId run("run-1");
  const auto begun = node_->start({flow, {}, {}, RunId("run-2"), 7});
  const auto all = node_->resume_all();
  const auto waited = node_->wait(run, false, {});
  ASSERT_FALSE(begun.ok() || all.ok() || waited.ok());
  EXPECT_EQ(begun.error().code, Code::interrupted);
  EXPECT_EQ(all.error().code, Code::interrupted);
  EXPECT_EQ(waited.error().code, Code::interrupted);
  EXPECT_EQ(node_->resume(run).error().code, Code::interrupted);
  EXPECT_EQ(node_->tell(run, flow::CancelAsked{Instant{2}, "ann", ""}).error().code,
            Code::interrupted);
  EXPECT_NE(node_->tools().find("log"), nullptr);
  EXPECT_EQ(node_->store().find_run(run)->value().state, RunState::waiting);
  EXPECT_FALSE(*node_->store().find_run(RunId("run-2")));
}

TEST_F(NodeTest, a_timer_wakes_a_waiting_run_once) {
  const auto flow =
      apply("  steps: [ { id: nap, wait: { duration: 30ms } }, { id: up, set: { a: 1 } } ]\n");
  EXPECT_EQ(run(flow, "run-1").state, RunState::succeeded);
  EXPECT_EQ(replay(node_->store(), RunId("run-1"))->entries, 2u);
  EXPECT_FALSE(*node_->store().next_timer());
}

} // namespace
} // namespace skein::node
