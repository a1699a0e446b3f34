#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "core/value/json.h"
#include "unit/core/flow/flow_files.h"

namespace skein::flow {
namespace {

using testing::ElementsAre;

/// Describes what it gives, and is never called.
class Described final : public Tool {
 public:
  explicit Described(const char* name, const char* output) {
    description_.name = name;
    description_.output_schema = *parse_json(output);
  }
  const ToolDescription& description() const override { return description_; }
  Result<void> check(const Value&) const override { return {}; }
  std::unique_ptr<ToolHandle> start(const ToolCall&, ToolDone) override { return nullptr; }

 private:
  ToolDescription description_;
};

class TwoTools final : public ToolBox {
 public:
  Tool* find(std::string_view name) const override {
    return name == "count" ? &count_ : name == "any" ? &any_ : nullptr;
  }
  std::vector<std::string_view> names() const override { return {"any", "count"}; }

 private:
  mutable Described any_{"any", "true"};
  mutable Described count_{"count", R"({
    "type": "object", "additionalProperties": false,
    "properties": {"lines": {"type": "integer"}, "text": {"type": "string"}, "parsed": true,
                   "entries": {"type": "array", "items": {"type": "object", "properties":
                     {"name": {"type": "string"}}, "additionalProperties": false}}}})"};
};

constexpr const char* kInput = R"(
  input:
    schema:
      type: object
      properties:
        name: { type: string }
        size: { type: integer }
        maybe: { type: [string, "null"] }
        deep: { properties: { a: { type: boolean } }, additionalProperties: false }
        free: { type: object }
      additionalProperties: false
)";

/// What is wrong with one expression behind two steps of known results, without its place.
std::vector<std::string> complaints(const std::string& expression, bool lenient = false) {
  const TwoTools tools;
  const std::string text = file_of(
      "    - { id: a, tool: count }\n"
      "    - { id: my-b, tool: count }\n"
      "    - { id: c, tool: any }\n"
      "    - { id: d, tool: count, on_error: [ { continue: true, output: { x: 1 } } ] }\n"
      "    - { id: e, set: { x: 1 } }\n"
      "    - { id: f, parallel: { branches: { left: [ { id: g, tool: any } ] } } }\n"
      "    - { id: h, wait: { duration: 1s } }\n"
      "    - { id: i, wait: { signal: go } }\n"
      "    - { id: j, approval: {} }\n"
      "    - id: z\n"
      "      respond: >-\n"
      "        ${" +
          expression + "}\n",
      kInput);
  LoadOptions options;
  options.tools = &tools;
  options.lenient = lenient;
  std::vector<std::string> shown;
  for (const std::string& finding : findings(text, options)) {
    shown.push_back(finding.substr(finding.find("respond: ") + 9));
  }
  return shown;
}

TEST(LoaderTypes, a_step_has_a_status_an_output_an_error_and_an_attempt) {
  EXPECT_THAT(complaints("steps.a.outptu"),
              ElementsAre("unknown name \"steps.a.outptu\" (did you mean \"steps.a.output\"?) at "
                          "1:9"));
  EXPECT_THAT(complaints("steps['my-b'].state"),
              ElementsAre("unknown name \"steps.my-b.state\" at 1:15"));
  EXPECT_THAT(complaints("steps.a.error.mesage"),
              ElementsAre("unknown name \"steps.a.error.mesage\" (did you mean "
                          "\"steps.a.error.message\"?) at 1:15"));
  EXPECT_THAT(complaints("steps.a.status + 1"),
              ElementsAre("no such overload: + does not take (string, int) at 1:16"));
}

TEST(LoaderTypes, a_run_has_an_id_a_flow_and_a_time) {
  EXPECT_THAT(complaints("run.foo"), ElementsAre("unknown name \"run.foo\" at 1:5"));
  EXPECT_THAT(complaints("run.id + run.flow + string(run.created_at)"), ElementsAre());
}

TEST(LoaderTypes, what_a_tool_describes_is_what_its_output_has) {
  EXPECT_THAT(complaints("steps.a.output.liens"),
              ElementsAre("unknown name \"steps.a.output.liens\" (did you mean "
                          "\"steps.a.output.lines\"?) at 1:16"));
  EXPECT_THAT(complaints("steps.a.output[\"liens\"]"),
              ElementsAre("unknown name \"steps.a.output.liens\" (did you mean "
                          "\"steps.a.output.lines\"?) at 1:15"));
  EXPECT_THAT(complaints("steps.a.output.text + 1"),
              ElementsAre("no such overload: + does not take (string, int) at 1:21"));
  EXPECT_THAT(complaints("steps.a.output.entries[0].nmae"),
              ElementsAre("unknown name \"steps.a.output.entries[].nmae\" (did you mean "
                          "\"steps.a.output.entries[].name\"?) at 1:27"));
  EXPECT_THAT(complaints("steps.a.output.entries.map(e, e.nmae)"),
              ElementsAre("unknown name \"e.nmae\" (did you mean \"e.name\"?) at 1:33"));
  EXPECT_THAT(complaints("cel.bind(o, steps.a.output, o.liens)"),
              ElementsAre("unknown name \"o.liens\" (did you mean \"o.lines\"?) at 1:31"));
}

TEST(LoaderTypes, every_kind_of_step_has_a_result_of_its_own) {
  EXPECT_THAT(complaints("steps.e.output.x"),
              ElementsAre("a value of type null_type has no field \"x\" at 1:16"));
  EXPECT_THAT(complaints("steps.f.output.lfet"),
              ElementsAre("unknown name \"steps.f.output.lfet\" (did you mean "
                          "\"steps.f.output.left\"?) at 1:16"));
  EXPECT_THAT(complaints("steps.h.output.x"),
              ElementsAre("a value of type null_type has no field \"x\" at 1:16"));
  EXPECT_THAT(complaints("steps.j.output.aproved"),
              ElementsAre("unknown name \"steps.j.output.aproved\" (did you mean "
                          "\"steps.j.output.approved\"?) at 1:16"));
}

TEST(LoaderTypes, an_input_has_what_its_schema_lets_in) {
  EXPECT_THAT(complaints("input.nmae"),
              ElementsAre("unknown name \"input.nmae\" (did you mean \"input.name\"?) at 1:7"));
  EXPECT_THAT(complaints("input.deep.b"), ElementsAre("unknown name \"input.deep.b\" at 1:12"));
  EXPECT_THAT(complaints("input.name > 1"),
              ElementsAre("no such overload: > does not take (string, int) at 1:12"));
  EXPECT_THAT(complaints("input.size == 'x'"),
              ElementsAre("no such overload: == does not compare int or uint or double with "
                          "string at 1:12"));
}

TEST(LoaderTypes, what_is_not_known_is_left_to_run) {
  for (const char* expression : {"input.free.x + 1",
                                 "input.size > 1.5",
                                 "input.size + 1",
                                 "input.name == null",
                                 "input.maybe != null",
                                 "has(input.name) ? input.name : ''",
                                 "input.?nmae.orValue(1)",
                                 "steps.a.output == null ? '' : steps.a.output.text",
                                 "steps.a.output.parsed.x.y + 1",
                                 "steps.c.output.whatever + 1",
                                 "steps.d.output.x + 1",
                                 "steps.i.output.who",
                                 "steps.f.output.left.deep",
                                 "steps['my-b'].output.lines",
                                 "steps.j.output.by[0]",
                                 "steps.a.error == null",
                                 "has(steps.j.output.comment)",
                                 "steps.a.output.lines == 1u",
                                 "context.x",
                                 "event.x",
                                 "size(steps.a.output.entries)",
                                 "steps.a.attempt > 1"}) {
    EXPECT_THAT(complaints(expression), ElementsAre()) << expression;
  }
}

TEST(LoaderTypes, a_flow_that_was_accepted_once_stays_accepted) {
  for (const char* expression : {"steps.a.outptu", "run.foo", "input.nmae", "input.name > 1"}) {
    EXPECT_THAT(complaints(expression, true), ElementsAre()) << expression;
  }
  const std::string text = file_of("    - { id: a, tool: x, retry: { initial: 10s, max: 1s } }\n");
  EXPECT_THAT(findings(text, {.lenient = true}), ElementsAre());
  EXPECT_THAT(findings(text),
              ElementsAre("SK1205 f.yaml:6:53: spec.steps[0].retry.max: is shorter than `initial`, "
                          "which is 10s"));
}

TEST(LoaderTypes, a_mistake_in_a_block_of_text_is_at_its_own_line_of_the_file) {
  const std::string text = file_of(
      "    - id: a\n"
      "      tool: shell\n"
      "      with:\n"
      "        script: |\n"
      "          cd /\n"
      "\n"
      "          echo ${HOME}\n");
  EXPECT_THAT(findings(text), ElementsAre("SK1102 f.yaml:12:16: spec.steps[0].with.script: "
                                          "unknown name \"HOME\" at 1:1"));
  EXPECT_THAT(load_text(text).findings.at(0).error.hint,
              testing::EndsWith("; write $${HOME} for the characters themselves"));
  EXPECT_THAT(load_text(file_of("    - { id: a, respond: '${x%.*}' }\n")).findings.at(0).error.hint,
              "write \"$${\" where you mean the characters themselves");
}

TEST(LoaderTypes, only_what_this_version_takes_is_offered) {
  const auto loaded = load_text(file_of("    - { id: a, tool: x, bogus: 1 }\n", "  stuff: 1\n"));
  ASSERT_EQ(loaded.findings.size(), 2u);
  EXPECT_EQ(loaded.findings[0].error.hint.find("agent"), std::string::npos);
  EXPECT_EQ(
      loaded.findings[1].error.hint,
      "keys that are known here: description, on, input, vars, timeout, retry, steps, output");
  EXPECT_THAT(findings(file_of("    - { id: a, switch: [ { goto: q } ] }\n"
                               "    - { id: b, tool: x }\n")),
              ElementsAre("SK1206 f.yaml:6:34: spec.steps[0].switch[0].goto: there is no step "
                          "\"q\""));
}

} // namespace
} // namespace skein::flow
