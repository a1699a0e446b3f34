#include "core/flow/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "unit/core/flow/flow_files.h"

namespace skein::flow {
namespace {

using testing::ElementsAre;

TEST(Loader, says_what_is_wrong_around_the_spec) {
  EXPECT_THAT(
      findings("apiVersion: skein.dev/v2\nkind: Flaw\nmetadata: { name: My_Flow, lables: {} }\n"),
      ElementsAre("SK1203 f.yaml:1:13: apiVersion: must be skein.dev/v1, not \"skein.dev/v2\" (did "
                  "you mean \"skein.dev/v1\"?)",
                  "SK1203 f.yaml:2:7: kind: must be Flow, not \"Flaw\" (did you mean \"Flow\"?)",
                  "SK1205 f.yaml:3:19: metadata.name: \"My_Flow\" is no name",
                  "SK1204 f.yaml:3:28: metadata.lables: unknown key \"lables\" (did you mean "
                  "\"labels\"?)"));
  EXPECT_THAT(findings("[]"), ElementsAre("SK1205 f.yaml:1:1: must be a map, not a list"));
  EXPECT_THAT(
      findings("apiVersion: skein.dev/v1\nkind: Flow\nmetadata: { labels: { a: 1 } }\n"
               "spec: {}\n"),
      ElementsAre("SK1205 f.yaml:3:11: metadata: needs a name",
                  "SK1205 f.yaml:3:26: metadata.labels.a: must be a text, not a whole number",
                  "SK1205 f.yaml:4:7: spec: needs `steps`"));
}

TEST(Loader, refuses_what_this_version_does_not_run) {
  EXPECT_THAT(
      findings(file_of("    - { id: a, tool: log, compensate: { tool: log } }\n"
                       "    - { id: b, agent: triager }\n",
                       "  concurrency: { limit: 1 }\n")),
      ElementsAre("SK1205 f.yaml:6:39: spec.steps[0].compensate: this version does not run "
                  "`compensate` yet",
                  "SK1205 f.yaml:7:23: spec.steps[1].agent: this version does not run `agent` yet",
                  "SK1205 f.yaml:8:16: spec.concurrency: this version does not support "
                  "`concurrency` yet"));
}

TEST(Loader, names_the_key_that_was_meant) {
  EXPECT_THAT(findings_of("    - { id: a, tool: log, wiht: 1 }\n"),
              ElementsAre("SK1204 f.yaml:6:27: spec.steps[0].wiht: unknown key \"wiht\" (did you "
                          "mean \"with\"?)"));
}

TEST(Loader, only_warns_of_unknown_keys_where_that_was_asked_for) {
  const std::string text = file_of("    - { id: a, tool: log, colour: red }\n");
  EXPECT_THAT(findings(text, {.lenient = true}),
              ElementsAre("warning SK1204 f.yaml:6:27: spec.steps[0].colour: unknown key "
                          "\"colour\""));
}

TEST(Loader, a_step_has_an_id_of_its_own_and_exactly_one_kind) {
  EXPECT_THAT(findings_of("    - { tool: log }\n"
                          "    - { id: 7up, tool: log }\n"
                          "    - { id: a, tool: log, set: { x: 1 } }\n"
                          "    - { id: a, tool: log }\n"
                          "    - { id: b }\n"
                          "    - what\n"),
              ElementsAre("SK1205 f.yaml:6:7: spec.steps[0]: a step needs an id",
                          "SK1205 f.yaml:7:13: spec.steps[1].id: \"7up\" is no step id",
                          "SK1205 f.yaml:8:32: spec.steps[2].set: a step has one kind, this one "
                          "has `tool` and `set`",
                          "SK1207 f.yaml:9:13: spec.steps[3].id: step id \"a\" is used twice",
                          "SK1205 f.yaml:10:7: spec.steps[4]: a step needs one of tool, flow, set, "
                          "switch, parallel, for_each, wait, approval, emit, respond, fail",
                          "SK1205 f.yaml:11:7: spec.steps[5]: must be a map, not a text"));
}

TEST(Loader, a_timeout_leaves_time) {
  const std::string steps =
      "    - { id: a, tool: log, timeout: 0s }\n"
      "    - { id: b, wait: { signal: go, timeout: 0ms } }\n"
      "    - { id: c, approval: { timeout: 0h0m } }\n"
      "    - { id: d, wait: { duration: 0s } }\n";
  EXPECT_THAT(findings_of(steps),
              ElementsAre("SK1205 f.yaml:6:36: spec.steps[0].timeout: must be longer than nothing",
                          "SK1205 f.yaml:7:45: spec.steps[1].wait.timeout: must be longer than "
                          "nothing",
                          "SK1205 f.yaml:8:37: spec.steps[2].approval.timeout: must be longer than "
                          "nothing"));
}

TEST(Loader, values_have_types) {
  EXPECT_THAT(
      findings_of("    - id: a\n"
                  "      tool: log\n"
                  "      timeout: soon\n"
                  "      in_doubt: aks\n"
                  "      retry: { max_attempts: none, jitter: 2, retry_on: [timeuot, SK5003] }\n"
                  "      on_error: [ { continue: yes }, { output: 1, continue: true } ]\n"
                  "      effect: maybe\n"),
      ElementsAre(
          testing::StartsWith("SK1205 f.yaml:8:16: spec.steps[0].timeout: "),
          "SK1205 f.yaml:9:17: spec.steps[0].in_doubt: \"aks\" is not one of ask, retry, fail "
          "(did you mean \"ask\"?)",
          "SK1205 f.yaml:10:30: spec.steps[0].retry.max_attempts: must be a whole number from 1 to "
          "1000",
          "SK1205 f.yaml:10:44: spec.steps[0].retry.jitter: must be a number from 0 to 1",
          "SK1205 f.yaml:10:58: spec.steps[0].retry.retry_on[0]: \"timeuot\" is no error (did you "
          "mean \"timeout\"?)",
          "SK1205 f.yaml:11:31: spec.steps[0].on_error[0].continue: must be true or false, not a "
          "text",
          "SK1205 f.yaml:12:15: spec.steps[0].effect: \"maybe\" is not one of pure, idempotent, "
          "keyed, verify, unsafe"));
}

TEST(Loader, conditions_that_cannot_be_true_or_false_are_found_before_anything_runs) {
  EXPECT_THAT(
      findings_of(
          "    - { id: a, tool: log, when: 1 + 1 }\n"
          "    - { id: b, tool: log, when: \"size(input.name)\" }\n"
          "    - { id: c, switch: [ { when: \"'yes'\", goto: d } ] }\n"
          "    - { id: d, approval: { auto_approve: \"[input.cost]\" } }\n"
          "    - { id: e, tool: log, on_error: [ { when: \"{'a': 1}\", continue: true } ] }\n"
          "    - { id: f, tool: log, when: input.maybe }\n"),
      ElementsAre(
          "SK1102 f.yaml:6:33: spec.steps[0].when: the result is int, not bool at 1:3",
          "SK1102 f.yaml:7:33: spec.steps[1].when: the result is int, not bool at 1:1",
          "SK1102 f.yaml:8:34: spec.steps[2].switch[0].when: the result is string, not bool at 1:1",
          "SK1102 f.yaml:9:42: spec.steps[3].approval.auto_approve: the result is list, not bool "
          "at 1:1",
          "SK1102 f.yaml:10:47: spec.steps[4].on_error[0].when: the result is map, not bool at "
          "1:1"));
}

TEST(Loader, a_flow_that_is_not_known_is_a_warning) {
  LoadOptions options;
  options.knows_flow = [](std::string_view name) { return name == "pay"; };
  const Loaded loaded = load_text(R"(
apiVersion: skein.dev/v1
kind: Flow
metadata: { name: order }
spec:
  steps:
    - { id: a, flow: pay, placement: local }
    - { id: b, flow: order, placement: { labels: { zone: eu } } }
    - { id: c, flow: mail }
)",
                                  options);
  ASSERT_TRUE(loaded.definition);
  ASSERT_EQ(loaded.findings.size(), 1u);
  EXPECT_TRUE(loaded.findings[0].warning);
  EXPECT_EQ(loaded.findings[0].error.code, Code::resource_unknown);
}

TEST(Loader, a_flow_step_has_a_name_and_a_placement_that_can_be_read) {
  EXPECT_THAT(findings_of("    - { id: a, flow: Pay }\n"
                          "    - { id: b, flow: pay, effect: keyed, placement: near }\n"
                          "    - { id: c, flow: pay, placement: { labels: {} } }\n"
                          "    - { id: d, tool: log, placement: local }\n"),
              testing::SizeIs(5));
}

TEST(Loader, settings_of_a_tool_are_refused_on_other_kinds) {
  EXPECT_THAT(
      findings_of("    - { id: a, set: { x: 1 }, timeout: 1s }\n"),
      ElementsAre("SK1205 f.yaml:6:40: spec.steps[0].timeout: goes with `tool` and `flow` only"));
}

TEST(Loader, each_kind_needs_its_parts) {
  EXPECT_THAT(
      findings_of("    - { id: a, set: {} }\n"
                  "    - { id: b, switch: {} }\n"
                  "    - { id: c, parallel: { branches: [] } }\n"
                  "    - { id: d, for_each: { in: 3, steps: [ { id: e, set: { x: 1 } } ] } }\n"
                  "    - { id: f, for_each: { in: [], as: input, steps: [] } }\n"
                  "    - { id: g, wait: {} }\n"
                  "    - { id: h, wait: { until: tomorrow } }\n"
                  "    - { id: i, wait: { duration: 1s, timeout: 1s } }\n"
                  "    - { id: j, approval: { approvers: [x], required: 2 } }\n"
                  "    - { id: k, emit: {} }\n"
                  "    - { id: l, fail: {} }\n"),
      ElementsAre(
          "SK1205 f.yaml:6:21: spec.steps[0].set: must set at least one variable",
          "SK1205 f.yaml:7:24: spec.steps[1].switch: needs `cases`: a list of `when` and `goto`",
          "SK1205 f.yaml:8:38: spec.steps[2].parallel.branches: needs `branches`: a map of names "
          "to lists of steps",
          "SK1205 f.yaml:9:32: spec.steps[3].for_each.in: must be a list, or a ${ } that gives one",
          "SK1205 f.yaml:10:40: spec.steps[4].for_each.as: \"input\" would hide the variable of "
          "that name",
          "SK1205 f.yaml:10:54: spec.steps[4].for_each.steps: must have at least one step",
          "SK1205 f.yaml:11:22: spec.steps[5].wait: needs one of `duration`, `until` and `signal`",
          testing::StartsWith("SK1205 f.yaml:12:31: spec.steps[6].wait.until: "),
          "SK1205 f.yaml:13:47: spec.steps[7].wait.timeout: goes with `signal` only",
          "SK1205 f.yaml:14:54: spec.steps[8].approval.required: must be a whole number from 1 to "
          "1",
          "SK1205 f.yaml:15:22: spec.steps[9].emit: needs `type`: the event's type",
          "SK1205 f.yaml:16:22: spec.steps[10].fail: needs `message`"));
}

TEST(Loader, the_spec_of_another_kind_is_not_judged_as_a_flow) {
  EXPECT_THAT(findings("apiVersion: skein.dev/v1\nkind: Agent\nmetadata: { name: a }\n"
                       "spec: { model: small }\n"),
              ElementsAre("SK1203 f.yaml:2:7: kind: must be Flow, not \"Agent\""));
  EXPECT_THAT(
      findings("apiVersion: skein.dev/v1\nmetadata: { name: a }\n"),
      ElementsAre("SK1203 f.yaml:1:1: needs `kind: Flow`", "SK1205 f.yaml:1:1: needs a spec"));
}

TEST(Loader, what_cannot_be_a_list_is_found_before_a_for_each_begins) {
  const std::string steps =
      "    - { id: a, for_each: { in: \"5\", steps: [ { id: b, emit: { type: "
      "t } } ] } }\n";
  EXPECT_THAT(findings_of(steps),
              ElementsAre("SK1102 f.yaml:6:32: spec.steps[0].for_each.in: the result is int, not "
                          "list at 1:1"));
  EXPECT_THAT(findings(file_of(steps), {.lenient = true}), ElementsAre());
  EXPECT_THAT(findings_of("    - { id: a, for_each: { in: [\"${ 1 }\", x], steps: [ { id: b, "
                          "emit: { type: t } } ] } }\n"),
              ElementsAre());
}

TEST(Loader, variables_are_those_that_the_flow_declares_or_sets) {
  const std::string steps =
      "    - { id: a, set: { total: 1 } }\n"
      "    - { id: b, respond: \"${ vars.totl + vars.limit }\" }\n"
      "    - { id: c, respond: \"${ has(vars.x) || vars.?y.orValue(0) == 1 }\" }\n";
  const std::string text = file_of(steps, "  vars: { limit: 2 }\n");
  EXPECT_THAT(findings(text),
              ElementsAre("SK1102 f.yaml:7:25: spec.steps[1].respond: unknown name \"vars.totl\" "
                          "(did you mean \"vars.total\"?) at 1:7"));
  EXPECT_THAT(findings(text, {.lenient = true}), ElementsAre());
}

TEST(Loader, a_case_that_always_holds_hides_those_behind_it) {
  EXPECT_THAT(
      findings_of("    - id: a\n"
                  "      switch: [ { goto: b }, { when: input.x, goto: b }, { when: 'true' } ]\n"
                  "    - { id: b, set: { x: 1 } }\n"),
      ElementsAre("SK1205 f.yaml:7:17: spec.steps[0].switch[0]: a case without `when` "
                  "always holds: the cases behind it are never reached",
                  "SK1205 f.yaml:7:58: spec.steps[0].switch[2]: a case needs `goto`"));
}

TEST(Loader, branches_and_variables_have_names_that_expressions_can_read) {
  EXPECT_THAT(
      findings(
          file_of("    - { id: a, set: { 'x y': 1 } }\n"
                  "    - { id: b, parallel: { branches: { '1': [ { id: c, tool: log } ] } } }\n"
                  "    - { id: d, for_each: { in: [], as: x-y, index: x-y, steps: "
                  "[ { id: e, tool: log } ] } }\n",
                  "  vars: { 'n m': 1 }\n")),
      ElementsAre(testing::HasSubstr(": spec.steps[0].set.x y: \"x y\" is no name of a variable"),
                  testing::HasSubstr(": spec.steps[1].parallel.branches.1: \"1\" is no name of a "
                                     "branch"),
                  testing::HasSubstr(": spec.steps[2].for_each: `as` and `index` are both \"x-y\""),
                  testing::HasSubstr(": spec.steps[2].for_each.as: \"x-y\" is no name of a "
                                     "variable"),
                  testing::HasSubstr(": spec.steps[2].for_each.index: \"x-y\" is no name of a "
                                     "variable"),
                  testing::HasSubstr(": spec.vars.n m: \"n m\" is no name of a variable")));
}

TEST(Loader, an_input_schema_must_be_one) {
  EXPECT_THAT(findings(file_of("    - { id: a, set: { x: 1 } }\n",
                               "  input: { schema: { type: strnig } }\n")),
              ElementsAre(testing::StartsWith("SK1209 f.yaml:7:20: spec.input.schema: ")));
}

TEST(Loader, a_flow_has_at_most_two_thousand_steps) {
  Document document;
  document.file = "f.json";
  Node id;
  id.scalar = Value("x");
  Node tool;
  tool.scalar = Value("log");
  Node step;
  step.shape = Node::Shape::map;
  step.members = {{"id", {}, id}, {"tool", {}, tool}};
  Node steps;
  steps.shape = Node::Shape::list;
  for (int i = 0; i < 2'002; ++i) {
    step.members[0].value.scalar = Value("s" + std::to_string(i));
    steps.items.push_back(step);
  }
  Node spec;
  spec.shape = Node::Shape::map;
  spec.members = {{"steps", {}, steps}};
  document.root.shape = Node::Shape::map;
  document.root.members = {{"spec", {}, spec}};
  const Loaded loaded = load(document);
  ASSERT_EQ(loaded.findings.size(), 4u);
  EXPECT_EQ(loaded.findings.back().error.detail,
            "f.json:0:0: spec.steps[2000]: a flow has at most 2000 steps and 4000 lists of steps");
}

TEST(Loader, the_same_document_has_the_same_revision_whatever_its_layout) {
  const Loaded one = load_text(file_of("    - { id: a, set: { x: 1 } }\n"));
  const Loaded two = load_text(file_of("    - set: { x: 1 }\n      id: a\n"));
  const Loaded three = load_text(file_of("    - { id: a, set: { x: 2 } }\n"));
  ASSERT_TRUE(one.definition && two.definition && three.definition);
  EXPECT_EQ(one.definition->revision, two.definition->revision);
  EXPECT_NE(one.definition->revision, three.definition->revision);
}

// Every truncation and every exchanged line of a rich flow: nothing may crash the loader, and it
// never ends with neither a definition nor a reason.
TEST(Loader, damaged_files_end_in_findings_and_never_in_a_crash) {
  const std::string whole = file_of(
      "    - id: a\n"
      "      switch: [ { when: input.x, goto: c }, { goto: b } ]\n"
      "    - id: b\n"
      "      parallel:\n"
      "        branches:\n"
      "          x: [ { id: p, tool: log, with: '${ vars.n }' } ]\n"
      "        join: { n: 1 }\n"
      "    - id: c\n"
      "      for_each:\n"
      "        in: ${ input.items }\n"
      "        steps: [ { id: q, fail: '${ item }' } ]\n"
      "      on_error: [ { when: error.code == 'x', goto: d } ]\n"
      "    - id: d\n"
      "      wait: { signal: go, timeout: 1s }\n");
  std::vector<std::string> variants;
  constexpr std::array<std::string_view, 6> kOthers{"[]", "{}", "1", "- ", "x", ":"};
  for (std::size_t i = 0; i < whole.size(); ++i) {
    variants.push_back(i % 4 == 0
                           ? whole.substr(0, i)
                           : whole.substr(0, i) + whole.substr(std::min(whole.size(), i + 7)));
    variants.push_back(whole.substr(0, i) + std::string(kOthers[i % 6]) + whole.substr(i + 1));
  }
  for (const std::string& variant : variants) {
    const auto documents = schemas::read_yaml(variant, "f.yaml");
    for (std::size_t i = 0; documents && i < documents->size(); ++i) {
      const Loaded loaded = load((*documents)[i]);
      EXPECT_TRUE(loaded.definition != nullptr || !loaded.findings.empty()) << variant;
    }
  }
}

TEST(Loader, constant_inputs_are_checked_by_the_tool_itself) {
  class Only7 : public Tool {
   public:
    const ToolDescription& description() const override { return description_; }
    Result<void> check(const Value& input) const override {
      return input == Value(7) ? Result<void>() : Error{Code::tool_input_invalid, "must be seven"};
    }
    std::unique_ptr<ToolHandle> start(const ToolCall&, ToolDone) override { return nullptr; }

   private:
    ToolDescription description_;
  } tool;
  class Box : public ToolBox {
   public:
    explicit Box(Tool& tool) : tool_(tool) {}
    Tool* find(std::string_view name) const override { return name == "seven" ? &tool_ : nullptr; }
    std::vector<std::string_view> names() const override { return {"seven"}; }

   private:
    Tool& tool_;
  } box(tool);
  const LoadOptions options{.tools = &box};
  EXPECT_THAT(findings(file_of("    - { id: a, tool: seven, with: 7 }\n"
                               "    - { id: b, tool: seven, with: 8 }\n"
                               "    - { id: c, tool: seven, with: '${ 8 }' }\n"
                               "    - { id: d, tool: sevne, with: 8 }\n"),
                       options),
              ElementsAre("SK5002 f.yaml:7:35: spec.steps[1].with: must be seven",
                          "SK5001 f.yaml:9:22: spec.steps[3].tool: there is no tool \"sevne\" (did "
                          "you mean \"seven\"?)"));
}

} // namespace
} // namespace skein::flow
