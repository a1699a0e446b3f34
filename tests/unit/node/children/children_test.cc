#include "node/children/children.h"

#include <gtest/gtest.h>

#include "core/run/children.h"
#include "core/value/json.h"
#include "node/fork.h"
#include "node/node.h"
#include "node/replay.h"
#include "schemas/yaml.h"
#include "support/folder.h"

namespace skein::node {
namespace {

class ChildrenTest : public ::testing::Test {
 protected:
  void SetUp() override { open(); }

  void open() {
    node_.reset();
    Settings settings;
    settings.data = folder_.path() / "data";
    settings.roots = {folder_.path()};
    auto opened = Node::open(settings);
    ASSERT_TRUE(opened.ok()) << to_string(opened.error());
    node_ = std::move(*opened);
  }

  flow::DefinitionPtr apply(const std::string& name, const std::string& spec,
                            const std::string& metadata = "") {
    const std::string text = "apiVersion: skein.dev/v1\nkind: Flow\nmetadata: { name: " + name +
                             metadata + " }\nspec:\n" + spec;
    const auto documents = schemas::read_yaml(text, name + ".yaml");
    const auto definition =
        apply_flow(node_->store(), documents->front(), Instant{1}, &node_->tools());
    EXPECT_TRUE(definition.ok()) << to_string(definition.error());
    return definition.ok() ? *definition : nullptr;
  }

  RunRecord run(const flow::DefinitionPtr& definition, const std::string& id, Value input = Value(),
                Value labels = Value()) {
    const auto started =
        node_->start({definition, std::move(input), std::move(labels), RunId(id), 7});
    EXPECT_TRUE(started.ok()) << to_string(started.error());
    return *node_->wait(RunId(id), true, {});
  }

  RunRecord child_of(const std::string& run, const std::string& step) {
    const auto machine = machine_at(node_->store(), RunId(run));
    for (const auto& view : machine->view()) {
      if (view.name == step) {
        return **node_->store().find_run(RunId(view.child));
      }
    }
    return {};
  }

  test::Folder folder_;
  std::unique_ptr<Node> node_;
};

constexpr const char* kTimes = R"(
  input:
    schema:
      type: object
      required: [n]
      properties: { n: { type: integer }, by: { type: integer, default: 2 } }
  steps: [ { id: times, tool: transform, with: "${ input.n * input.by }" } ]
)";
constexpr const char* kAsks = "  steps: [ { id: ask, wait: { signal: go } } ]\n";

TEST_F(ChildrenTest, a_step_runs_another_flow_and_takes_its_output) {
  apply("times", kTimes, ", labels: { kind: sum }");
  const auto flow = apply("order", R"(
  steps: [ { id: twice, flow: times, with: { n: "${ input.n }" } } ]
  output: "${ steps.twice.output + 1 }"
)",
                          ", labels: { kind: order, team: sre }");
  const RunRecord record = run(flow, "order-1", object({{"n", 20}}), object({{"ticket", "7"}}));
  EXPECT_EQ(record.state, RunState::succeeded) << record.reason;
  EXPECT_EQ(to_json(record.output), "41");
  const RunRecord child = child_of("order-1", "twice");
  EXPECT_EQ(child.parent, "order-1");
  EXPECT_EQ(to_json(child.labels), R"({"kind":"sum","team":"sre","ticket":"7"})");
  for (const RunId& id : {RunId("order-1"), child.id}) {
    const auto report = replay(node_->store(), id);
    ASSERT_TRUE(report.ok());
    EXPECT_FALSE(report->difference);
  }
}

TEST_F(ChildrenTest, a_child_keeps_the_revision_of_its_intent) {
  apply("asks", "  steps: [ { id: ask, wait: { signal: go } }, { id: one, respond: 1 } ]\n");
  const auto flow = apply("order", "  steps: [ { id: sub, flow: asks } ]\n");
  EXPECT_EQ(run(flow, "order-1").state, RunState::waiting);
  apply("asks", "  steps: [ { id: ask, wait: { signal: go } }, { id: two, respond: 2 } ]\n");
  const RunId child = child_of("order-1", "sub").id;
  ASSERT_TRUE(node_->tell(child, flow::Signalled{Instant{2}, "", "go", Value()}).ok());
  EXPECT_EQ(node_->wait(RunId("order-1"), false, {})->output, Value(1));
}

TEST_F(ChildrenTest, a_child_that_fails_fails_its_step_with_its_code_and_id) {
  apply("broken", "  steps: [ { id: no, fail: { message: out of luck, code: E7 } } ]\n");
  const auto flow = apply("order", "  steps: [ { id: sub, flow: broken } ]\n");
  const RunRecord record = run(flow, "order-1");
  EXPECT_EQ(record.state, RunState::failed);
  EXPECT_EQ(record.failure->code, "E7");
  EXPECT_EQ(record.failure->message,
            "run " + child_of("order-1", "sub").id.get() + ": out of luck");
}

TEST_F(ChildrenTest, an_input_that_does_not_fit_and_a_flow_that_is_not_there_fail_the_step) {
  apply("times", kTimes);
  const auto wrong = apply("order", "  steps: [ { id: sub, flow: times, with: { n: x } } ]\n");
  EXPECT_EQ(run(wrong, "order-1").failure->code, to_string(Code::schema_violation));
  const auto lost = apply("lost", "  steps: [ { id: sub, flow: tiems } ]\n");
  const RunRecord record = run(lost, "lost-1");
  EXPECT_EQ(record.failure->code, to_string(Code::resource_unknown));
  EXPECT_NE(record.failure->message.find("\"times\""), std::string::npos)
      << record.failure->message;
}

TEST_F(ChildrenTest, a_retry_starts_another_child) {
  apply("late", "  timeout: 20ms\n  steps: [ { id: ask, wait: { signal: go } } ]\n");
  const auto flow = apply("order", R"(
  steps:
    - { id: sub, flow: late, retry: { max_attempts: 2, initial: 1ms, retry_on: [run_timeout] } }
)");
  EXPECT_EQ(run(flow, "order-1").state, RunState::failed);
  EXPECT_EQ(child_of("order-1", "sub").id, child_id("late", "order-1/sub/0", 2));
}

TEST_F(ChildrenTest, a_placement_that_no_node_meets_fails_the_step) {
  apply("times", kTimes);
  const auto flow = apply("order", R"(
  steps:
    - { id: near, flow: times, with: { n: 1 }, placement: local }
    - { id: far, flow: times, with: { n: 1 }, placement: { labels: { zone: eu } } }
)");
  const RunRecord record = run(flow, "order-1");
  EXPECT_EQ(record.failure->code, to_string(Code::placement_unmet));
  EXPECT_EQ(record.failure->step, "far");
}

TEST_F(ChildrenTest, a_fork_keeps_what_children_brought_and_starts_the_others_under_its_own_id) {
  apply("times", kTimes);
  apply("asks", kAsks);
  const auto flow = apply("order", R"(
  steps:
    - { id: sum, flow: times, with: { n: 4 } }
    - { id: sub, flow: asks }
  output: "${ [steps.sum.output, steps.sub.output] }"
)");
  EXPECT_EQ(run(flow, "order-1").state, RunState::waiting);
  const auto last = node_->store().last_seq(RunId("order-1"));
  const auto forked = node_->fork({RunId("order-1"), *last, RunId("order-2"), {}, {}});
  ASSERT_TRUE(forked.ok()) << to_string(forked.error());
  ASSERT_TRUE(node_->resume(*forked).ok());
  EXPECT_EQ(node_->wait(*forked, true, {})->state, RunState::waiting);
  const RunId other = child_of("order-2", "sub").id;
  EXPECT_NE(other, child_of("order-1", "sub").id);
  EXPECT_EQ(child_of("order-2", "sum").parent, "order-1");
  ASSERT_TRUE(node_->tell(other, flow::Signalled{Instant{2}, "", "go", Value(5)}).ok());
  EXPECT_EQ(to_json(node_->wait(*forked, false, {})->output), "[8,5]");
  EXPECT_EQ((*node_->store().find_run(RunId("order-1")))->state, RunState::waiting);
}

TEST_F(ChildrenTest, children_and_parents_find_each_other_after_a_new_start) {
  apply("asks", kAsks);
  const auto flow = apply("order", "  steps: [ { id: sub, flow: asks } ]\n");
  EXPECT_EQ(run(flow, "order-1").state, RunState::waiting);
  const RunId child = child_of("order-1", "sub").id;
  open();
  ASSERT_TRUE(node_->tell(child, flow::Signalled{Instant{2}, "", "go", Value(5)}).ok());
  open();
  EXPECT_EQ(node_->wait(RunId("order-1"), false, {})->output, Value(5));
}

TEST(Placed, labels_are_met_by_nodes_that_have_all_of_them_and_are_there) {
  std::vector<MemberStatus> members(3);
  for (std::size_t i = 0; i < members.size(); ++i) {
    members[i].alive = true;
    members[i].leads.set(i);
    members[i].labels = object({{"zone", i == 0 ? "us" : "eu"}, {"disk", "fast"}});
  }
  members[2].alive = false;
  flow::Placement placement{flow::Placement::How::labels, {{"zone", "eu"}, {"disk", "fast"}}};
  EXPECT_EQ(placed(placement, members), PartitionSet(2));
  placement.labels.emplace_back("gpu", "yes");
  EXPECT_TRUE(placed(placement, members).none());
  EXPECT_EQ(placed({flow::Placement::How::local, {}}, members), PartitionSet(1));
  EXPECT_EQ(placed({}, members), kEveryPartition);
}

TEST(ChildId, comes_from_the_effect_and_lies_where_it_may) {
  const RunId first = child_id("pay", "run-1/sub/0", 1);
  EXPECT_EQ(first, child_id("pay", "run-1/sub/0", 1));
  EXPECT_EQ(child_id("pay", "run-1/sub/0", 2).get(), first.get() + "-2");
  EXPECT_NE(first, child_id("pay", "run-2/sub/0", 1));
  for (std::uint16_t p = 0; p < kPartitions; ++p) {
    PartitionSet only;
    only.set(p);
    EXPECT_EQ(partition_of(child_id("pay", "run-1/sub/0", 3, only)), PartitionId(p));
  }
}

} // namespace
} // namespace skein::node
