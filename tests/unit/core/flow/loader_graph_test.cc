#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "core/schema/schema.h"
#include "core/value/json.h"
#include "unit/core/flow/flow_files.h"

namespace skein::flow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string edges_of(const Definition& definition) {
  std::string text;
  for (const Step& step : definition.steps) {
    for (const Edge& edge : step.out) {
      text +=
          step.id + (edge.on == Edge::On::done ? "->" : "=>") + definition.steps[edge.to].id + " ";
    }
  }
  return text;
}

constexpr std::string_view kEverything = R"yaml(
    - { id: count, tool: shell, with: { command: [grep, "${ input.file }"] } }
    - id: triage
      needs: []
      when: input.urgent
      tool: http
      timeout: 2m
      in_doubt: retry
      effect: idempotent
      retry: { max_attempts: 2, backoff: linear, initial: 1s, max: 5s, jitter: 0 }
      on_error: [ { when: error.code == 'SK5003', goto: manual }, { continue: true, output: 1 } ]
    - { id: join, needs: [count, triage], set: { n: 1, all: { append: "${ steps.count }" } } }
    - { id: route, switch: [ { when: vars.n > 1, goto: fan }, { goto: items } ] }
    - id: fan
      parallel:
        branches:
          zeta: [ { id: z1, tool: log }, { id: z2, tool: log } ]
          alpha: [ { id: a1, tool: log } ]
        join: majority
        on_branch_failure: continue
    - id: items
      for_each:
        in: ${ input.items }
        as: one
        index: at
        max_parallel: 4
        max_items: 10
        on_item_failure: continue
        steps:
          - { id: inner, tool: log, with: { message: "${ one }", n: "${ at }" } }
          - id: nested
            for_each:
              in: ${ one.parts }
              steps: [ { id: deep, respond: "${ item + one + steps.inner.output }" } ]
    - { id: pause, needs: [fan, items], wait: { signal: go, timeout: 1h, on_timeout: continue } }
    - { id: ask, approval: { message: "${ steps.z2.output }", approvers: [ann, bob], required: 2 } }
    - { id: tell, emit: { type: done, data: "${ steps.items.output }" } }
    - { id: manual, fail: { message: no, code: MINE } }
)yaml";

TEST(LoaderGraph, a_flow_of_every_kind_has_the_edges_that_its_file_says) {
  const std::string text = file_of(kEverything.substr(1),
                                   "  retry: { max_attempts: 7 }\n  timeout: 30m\n"
                                   "  vars: { n: 0 }\n  output: ${ steps.tell.output }\n");
  EXPECT_THAT(findings(text), IsEmpty());
  const auto flow = load_text(text).definition;
  ASSERT_TRUE(flow);
  EXPECT_EQ(
      edges_of(*flow),
      "count->join triage=>manual triage->join join->route route=>fan route=>items fan->pause "
      "z1->z2 items->pause inner->nested pause->ask ask->tell ");
  EXPECT_EQ(flow->find("join")->in, 2u);
  EXPECT_EQ(flow->find("triage")->in, 0u);
  EXPECT_EQ(flow->find("count")->retry.max_attempts, 7u);
  EXPECT_EQ(flow->find("triage")->retry.max_attempts, 2u);
  EXPECT_EQ(flow->find("triage")->on_error.front().go_to, flow->find("manual")->index);
  EXPECT_EQ(std::get<ParallelStep>(flow->find("fan")->kind).branches[0].name, "zeta");
  EXPECT_EQ(std::get<ParallelStep>(flow->find("fan")->kind).join, 2u);
  EXPECT_EQ(flow->scopes.size(), 3u);
  EXPECT_EQ(flow->scope_of_step[flow->find("z2")->index], 0u);
  EXPECT_EQ(flow->scope_of_step[flow->find("deep")->index], 2u);
  EXPECT_EQ(flow->find("nested")->local, 1u);
  EXPECT_EQ(flow->scopes[1].steps[1], flow->find("nested")->index);
  EXPECT_EQ(flow->blocks[std::get<ForEachStep>(flow->find("items")->kind).body].owner,
            flow->find("items")->index);
}

TEST(LoaderGraph, what_loads_is_what_the_schema_describes) {
  std::ifstream file(SKEIN_FLOW_SCHEMA);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto json = parse_json(text);
  ASSERT_TRUE(json) << to_string(json.error());
  const auto schema = schema::Schema::compile(*json);
  ASSERT_TRUE(schema) << to_string(schema.error());
  const auto fits = [&](const std::string& flow) {
    const auto documents = schemas::read_yaml(flow, "f.yaml");
    const auto checked = schema->check(documents->front().root.to_value());
    return checked ? std::string() : to_string(checked.error());
  };
  EXPECT_EQ(fits(file_of(kEverything.substr(1), "  timeout: 30m\n")), "");
  EXPECT_EQ(fits(file_of("    - { id: a, tool: log }\n",
                         "  on: [ { event: { type: a.*, when: event.data.x }, rate: { limit: 1, "
                         "per: 1s } }, { name: n, schedule: { cron: '@daily' } } ]\n")),
            "");
  EXPECT_NE(fits(file_of("    - { id: a, tool: log }\n", "  on: [ { event: { typ: a } } ]\n")), "");
  EXPECT_NE(fits(file_of("    - { id: a, tool: log, timeout: soon }\n")), "");
  EXPECT_NE(fits(file_of("    - { id: a, tool: log, timeout: 0s }\n")), "");
  EXPECT_EQ(fits(file_of("    - { id: a, tool: log, timeout: 1m0s }\n")), "");
  EXPECT_NE(fits(file_of("    - { id: a, set: { x: 1 }, timeout: 1s }\n")), "");
}

TEST(LoaderGraph, slots_say_what_an_expression_reads) {
  const auto flow =
      load_text(file_of("    - { id: a, tool: log }\n"
                        "    - id: b\n"
                        "      for_each:\n"
                        "        in: ${ steps.a.output }\n"
                        "        steps:\n"
                        "          - id: c\n"
                        "            for_each:\n"
                        "              in: ${ item }\n"
                        "              steps: [ { id: d, respond: '${ item + index }' } ]\n"))
          .definition;
  ASSERT_TRUE(flow);
  const auto meanings = [&](std::string_view id, const Template& text) {
    std::string all;
    for (const expression::Slot slot : text.slots()) {
      const auto& meaning =
          flow->slots[slot - static_cast<expression::Slot>(FixedSlot::first_free)];
      all += meaning.what == SlotMeaning::What::step   ? "step "
             : meaning.what == SlotMeaning::What::item ? "item "
                                                       : "index ";
      all += flow->steps[meaning.step].id + (meaning.part == StepSlot::output ? ".output " : " ");
    }
    return std::string(id) + ": " + all;
  };
  EXPECT_EQ(meanings("b", std::get<ForEachStep>(flow->find("b")->kind).in), "b: step a.output ");
  EXPECT_EQ(meanings("c", std::get<ForEachStep>(flow->find("c")->kind).in), "c: item b ");
  EXPECT_EQ(meanings("d", std::get<RespondStep>(flow->find("d")->kind).value),
            "d: item c index c ");
}

TEST(LoaderGraph, unknown_steps_get_the_nearest_name) {
  EXPECT_THAT(findings_of("    - { id: count, tool: log }\n"
                          "    - { id: b, needs: [cuont], tool: log }\n"
                          "    - { id: c, switch: { cases: [ { when: 'true', goto: coutn } ] } }\n"
                          "    - { id: d, tool: log, on_error: [ { goto: x } ] }\n"),
              ElementsAre("SK1206 f.yaml:7:24: spec.steps[1].needs[0]: there is no step \"cuont\" "
                          "(did you mean \"count\"?)",
                          "SK1206 f.yaml:8:57: spec.steps[2].switch.cases[0].goto: there is no "
                          "step \"coutn\" (did you mean \"count\"?)",
                          HasSubstr("there is no step \"x\"")));
}

TEST(LoaderGraph, a_step_needs_only_steps_of_its_own_list) {
  EXPECT_THAT(
      findings_of(
          "    - { id: a, tool: log }\n"
          "    - { id: p, parallel: { branches: { x: [ { id: b, needs: [a], tool: log } ] } } }\n"),
      ElementsAre(
          "SK1207 f.yaml:7:62: spec.steps[1].parallel.branches.x[0].needs[0]: step \"a\" is "
          "not in the same list of steps as \"b\""));
}

TEST(LoaderGraph, a_circle_is_named) {
  EXPECT_THAT(findings_of("    - { id: a, needs: [c], tool: log }\n"
                          "    - { id: b, needs: [a], tool: log }\n"
                          "    - { id: c, needs: [b], tool: log }\n"
                          "    - { id: d, tool: log }\n"),
              ElementsAre("SK1207 f.yaml:6:7: spec.steps[0]: the steps wait for each other in a "
                          "circle: b -> c -> a -> b"));
  EXPECT_THAT(findings_of("    - { id: a, needs: [a], tool: log }\n"),
              ElementsAre(HasSubstr("in a circle: a -> a")));
  EXPECT_THAT(findings_of("    - { id: a, tool: log }\n"
                          "    - { id: b, needs: [a], tool: log, on_error: [ { goto: a } ] }\n"),
              ElementsAre(HasSubstr("in a circle")));
}

TEST(LoaderGraph, what_follows_only_a_failure_is_never_reached) {
  EXPECT_THAT(
      findings_of("    - { id: a, fail: no }\n"
                  "    - { id: b, tool: log }\n"
                  "    - { id: c, tool: log }\n"),
      ElementsAre("SK1207 f.yaml:7:7: spec.steps[1]: step \"b\" is never reached: what comes "
                  "before it always fails",
                  "SK1207 f.yaml:8:7: spec.steps[2]: step \"c\" is never reached: what comes "
                  "before it always fails"));
  EXPECT_THAT(findings_of("    - { id: a, when: input.x, fail: no }\n"
                          "    - { id: b, tool: log }\n"),
              IsEmpty());
}

TEST(LoaderGraph, for_each_nests_six_deep) {
  std::string text = "{ id: last, tool: log }";
  for (int i = 0; i < 6; ++i) {
    text = "{ id: s" + std::to_string(i) + ", for_each: { in: [1], steps: [ " + text + " ] } }";
  }
  EXPECT_THAT(findings_of("    - " + text + "\n"), IsEmpty());
  text = "{ id: s6, for_each: { in: [1], steps: [ " + text + " ] } }";
  EXPECT_THAT(findings_of("    - " + text + "\n"),
              ElementsAre(HasSubstr("for_each is nested deeper than 6")));
}

TEST(LoaderGraph, expressions_read_only_what_has_ended) {
  EXPECT_THAT(
      findings_of("    - { id: a, tool: log, with: { x: 1, y: [ '${ steps.b.output }' ] } }\n"
                  "    - { id: b, tool: log, when: steps.b.status == 'x' }\n"
                  "    - { id: c, needs: [], tool: log, with: '${ steps.b.output }' }\n"
                  "    - id: p\n"
                  "      parallel:\n"
                  "        branches: { x: [ { id: d, respond: '${ steps.p.output }' } ] }\n"
                  "    - { id: e, for_each: { in: [1], steps: [ { id: f, tool: log } ] } }\n"
                  "    - { id: g, respond: '${ steps.f.output }' }\n"),
      ElementsAre(
          "SK1207 f.yaml:6:46: spec.steps[0].with.y[0]: steps.b runs after this step",
          "SK1207 f.yaml:7:33: spec.steps[1].when: steps.b is this very step, which has not "
          "ended yet",
          "SK1207 f.yaml:8:44: spec.steps[2].with: steps.b need not have ended before this "
          "step begins",
          "SK1207 f.yaml:11:44: spec.steps[3].parallel.branches.x[0].respond: steps.p is "
          "around this step and has not ended yet",
          "SK1207 f.yaml:13:25: spec.steps[5].respond: steps.f is inside for_each e, once "
          "per item"));
}

TEST(LoaderGraph, steps_named_by_index_are_checked_too) {
  EXPECT_THAT(
      findings_of(
          "    - { id: my-step, tool: log }\n"
          "    - { id: b, respond: '${ steps[\"my-step\"].output }' }\n"
          "    - { id: c, respond: '${ steps[\"my-stpe\"].output }' }\n"
          "    - { id: d, respond: { x: '${ steps[\"e\"].output }', y: '${ steps.bb }' } }\n"
          "    - { id: e, respond: 1 }\n"),
      ElementsAre(
          "SK1206 f.yaml:8:25: spec.steps[2].respond: there is no step \"my-stpe\" (did you "
          "mean \"my-step\"?)",
          "SK1207 f.yaml:9:30: spec.steps[3].respond.x: steps.e runs after this step",
          testing::StartsWith("SK1102 f.yaml:9:59: spec.steps[3].respond.y: ")));
}

TEST(LoaderGraph, errors_of_expressions_stand_at_their_strings) {
  EXPECT_THAT(
      findings_of("    - id: a\n"
                  "      tool: log\n"
                  "      when: inptu.x > 1\n"
                  "      with:\n"
                  "        good: ${ input.x }\n"
                  "        bad: ${ 1 + }\n"
                  "        late: ${ error.code }\n"),
      ElementsAre(testing::AllOf(testing::StartsWith("SK1102 f.yaml:8:13: spec.steps[0].when: "),
                                 HasSubstr("input")),
                  testing::StartsWith("SK1101 f.yaml:11:14: spec.steps[0].with.bad: "),
                  testing::StartsWith("SK1102 f.yaml:12:15: spec.steps[0].with.late: ")));
}

} // namespace
} // namespace skein::flow
