#include "core/expression/program.h"

#include <gtest/gtest.h>

#include "core/value/json.h"
#include "unit/core/expression/variables.h"

namespace skein::expression {
namespace {

Result<Value> outcome(std::string_view text, const Variables& variables = {},
                      const Options& options = {}) {
  const auto program = Program::compile(text, variables.declarations, options);
  return program ? program->evaluate(variables) : Result<Value>(program.error());
}

std::string shown(std::string_view text, const Variables& variables = {},
                  const Options& options = {}) {
  const auto value = outcome(text, variables, options);
  return value ? to_json(*value) : to_string(value.error());
}

Variables run_of_a_flow() {
  Variables variables;
  variables.add("input", *parse_json(R"({"region":"eu","retries":3})"), StaticType::map);
  variables.add("steps.a.output", *parse_json(R"({"n":42,"names":["x","y"]})"));
  variables.add_absent("steps.b.output");
  return variables;
}

TEST(Program, evaluates_a_condition_over_dotted_names) {
  const Variables variables = run_of_a_flow();
  EXPECT_EQ(shown(R"(steps.a.output.n > 10 && input.region in ["eu", "us"])", variables), "true");
  EXPECT_EQ(shown("steps.a.output.names[1] + '!'", variables), "\"y!\"");
}

TEST(Program, says_which_variables_it_reads_each_once) {
  const Variables variables = run_of_a_flow();
  const auto program =
      Program::compile("steps.a.output.n == input.a || input.b > input.c", variables.declarations);
  ASSERT_TRUE(program.ok());
  EXPECT_EQ(std::vector<Slot>(program->slots().begin(), program->slots().end()),
            (std::vector<Slot>{0, 1}));
}

TEST(Program, fails_only_where_a_variable_without_a_value_matters) {
  const Variables variables = run_of_a_flow();
  EXPECT_EQ(shown("true || steps.b.output.ok", variables), "true");
  EXPECT_EQ(shown("steps.b.output.ok", variables), "SK1103: steps.b.output has no value at 1:9");
}

TEST(Program, names_the_place_and_the_nearest_name_of_a_mistake) {
  const Variables variables = run_of_a_flow();
  EXPECT_EQ(shown("true &&\n  steps.a.outptu.n > 1", variables),
            "SK1102: unknown name \"steps.a.outptu\" (did you mean \"steps.a.output\"?) at 2:3");
  EXPECT_EQ(shown("steps.zz.output.n > 1", variables),
            "SK1102: unknown name \"steps.zz\" at 1:1\n  hint: names that are known here: a, b");
  EXPECT_EQ(shown("[1].mapp(x, x)"),
            "SK1102: unknown function \"mapp\" (did you mean \"map\"?) at 1:5");
  EXPECT_EQ(shown("imput.region", variables),
            "SK1102: unknown name \"imput\" (did you mean \"input\"?) at 1:1");
  EXPECT_EQ(shown("input.region.startWith('e')", variables),
            "SK1102: unknown function \"startWith\" (did you mean \"startsWith\"?) at 1:14");
  EXPECT_EQ(shown("input.regoin", variables),
            "SK1103: no such key \"regoin\" (did you mean \"region\"?) at 1:7\n  hint: test it "
            "first with has(), or use the optional form .? with orValue()");
}

TEST(Program, refuses_syntax_with_the_place) {
  EXPECT_EQ(shown("1 +"), "SK1101: expected a value, found the end at 1:4");
  EXPECT_EQ(shown("a b"), "SK1101: expected an operator, found \"b\" at 1:3");
  EXPECT_EQ(shown("\"abc"), "SK1101: string without an end at 1:1");
  EXPECT_EQ(shown("1 # 2"), "SK1101: unexpected \"#\" at 1:3");
  EXPECT_EQ(shown("for + 1"), "SK1101: \"for\" is a reserved word at 1:1");
  EXPECT_EQ(shown("[1].map(x.y, x)"),
            "SK1101: the variable of map() must be a simple name at 1:11");
}

TEST(Program, finds_wrong_types_before_it_runs) {
  EXPECT_EQ(shown("1 + 'a'"), "SK1102: no such overload: + does not take (int, string) at 1:3");
  EXPECT_EQ(shown("1 == 'a'"),
            "SK1102: no such overload: == does not compare int with string at 1:3");
  EXPECT_EQ(shown("'a' && true"), "SK1102: an operand of && is string, not bool at 1:1");
  EXPECT_EQ(shown("[1, 2].all(x, x.startsWith('a'))"),
            "SK1102: no such overload: startsWith does not take (int, string) at 1:17");
  Variables variables;
  variables.add("n", Value(1), StaticType::integer);
  EXPECT_EQ(shown("n.field", variables),
            "SK1102: a value of type int has no field \"field\" at 1:3");
}

TEST(Program, finds_them_when_it_runs_where_checking_is_off) {
  Options unchecked;
  unchecked.check = false;
  EXPECT_EQ(shown("true || nobody || 1 + 'a' == 2", {}, unchecked), "true");
  EXPECT_EQ(outcome("nobody", {}, unchecked).error().code, Code::expression_evaluation);
  EXPECT_EQ(outcome("nothing(1)", {}, unchecked).error().code, Code::expression_evaluation);
}

TEST(Program, lets_the_variable_of_a_macro_hide_a_declared_one) {
  Variables variables;
  variables.add("x", Value("outer"));
  variables.add("x.y", Value("dotted"));
  EXPECT_EQ(shown("[1, 2].map(x, x + 1)", variables), "[2,3]");
  EXPECT_EQ(shown("[{'y': 1}].map(x, x.y)", variables), "[1]");
  EXPECT_EQ(shown("[1].map(x, .x)", variables), "[\"outer\"]");
  EXPECT_EQ(shown("x.y", variables), "\"dotted\"");
  EXPECT_EQ(shown("[1, 2].map(a, [3].map(b, a * b + [a].map(c, c)[0]))"), "[[4],[8]]");
}

TEST(Program, resolves_names_in_its_container_first) {
  Variables variables;
  variables.add("flow.limit", Value(1));
  variables.add("limit", Value(2));
  Options inside;
  inside.container = "flow.step";
  EXPECT_EQ(shown("limit", variables, inside), "1");
  EXPECT_EQ(shown(".limit", variables, inside), "2");
  EXPECT_EQ(shown("limit", variables), "2");
}

TEST(Program, stops_at_its_cost_limit_and_no_operator_absorbs_that) {
  Options cheap;
  cheap.limits.max_cost = 2000;
  Variables variables;
  variables.add("r", *parse_json("[1,2,3,4,5,6,7,8,9,10]"));
  const std::string nested = "r.all(a, r.all(b, r.all(c, a + b + c > 0)))";
  EXPECT_EQ(outcome(nested, variables, cheap).error().code, Code::expression_limit);
  EXPECT_EQ(outcome("(" + nested + ") || true", variables, cheap).error().code,
            Code::expression_limit);
  EXPECT_EQ(outcome("r.exists(x, " + nested + " && x < 0)", variables, cheap).error().code,
            Code::expression_limit);
  EXPECT_EQ(shown(nested, variables), "true");
}

// cel.bind(x0, seed, cel.bind(x1, step(x0), … )): each level uses the one before it twice.
std::string doubled(int levels, const std::string& seed, const std::string& before,
                    const std::string& between, const std::string& after) {
  std::string text = "x" + std::to_string(levels - 1);
  for (int i = levels - 1; i > 0; --i) {
    const std::string last = "x" + std::to_string(i - 1);
    text = "cel.bind(x" + std::to_string(i) + ", " + before + last + between + last + after + ", " +
           text + ")";
  }
  return "cel.bind(x0, " + seed + ", " + text + ")";
}

TEST(Program, pays_for_text_and_lists_that_double) {
  EXPECT_EQ(outcome(doubled(60, "'0123456789abcdef'", "", " + ", "")).error().code,
            Code::expression_limit);
  EXPECT_EQ(outcome(doubled(60, "[1]", "", " + ", "")).error().code, Code::expression_limit);
}

TEST(Program, pays_for_comparing_and_formatting_shared_lists_as_if_they_were_not_shared) {
  const std::string wide = doubled(50, "[1]", "[", ", ", "]");
  EXPECT_EQ(outcome("(" + wide + ") == (" + wide + ")").error().code, Code::expression_limit);
  EXPECT_EQ(outcome("'%s'.format([" + wide + "])").error().code, Code::expression_limit);
  EXPECT_EQ(outcome(doubled(30, "[1]", "[", ", ", "]")).error().code, Code::expression_limit);
}

TEST(Program, refuses_deep_and_long_texts_without_using_the_stack) {
  for (const auto& [open, close] :
       {std::pair("(", ")"), std::pair("[", "]"), std::pair("!(", ")"), std::pair("-(", ")"),
        std::pair("{1:", "}"), std::pair("true ? true : (", ")"), std::pair("size(", ")")}) {
    std::string text;
    for (int i = 0; i < 4000; ++i) {
      text += open;
    }
    text += "1";
    for (int i = 0; i < 4000; ++i) {
      text += close;
    }
    EXPECT_EQ(outcome(text).error().code, Code::expression_limit) << open;
  }
  std::string sum = "1";
  std::string fields = "a";
  for (int i = 0; i < 5000; ++i) {
    sum += "+1";
    fields += ".b";
  }
  EXPECT_EQ(outcome(sum).error().code, Code::expression_limit);
  EXPECT_EQ(outcome(fields).error().code, Code::expression_limit);
  EXPECT_EQ(outcome(std::string(70'000, ' ') + "1").error().code, Code::expression_limit);
}

TEST(Program, joins_hundreds_of_conditions_without_nesting) {
  std::string text = "true";
  for (int i = 0; i < 1000; ++i) {
    text += " && true";
  }
  EXPECT_EQ(shown(text), "true");
}

TEST(Program, refuses_results_that_json_could_not_bring_back) {
  Variables variables;
  variables.add("x", *parse_json(std::string(40, '[') + std::string(40, ']')));
  EXPECT_EQ(outcome(std::string(40, '[') + "x" + std::string(40, ']'), variables).error().code,
            Code::expression_limit);
  EXPECT_TRUE(outcome(std::string(20, '[') + "x" + std::string(20, ']'), variables).ok());
}

TEST(Program, matches_long_text_in_linear_time) {
  Variables variables;
  variables.add("x", Value(std::string(50'000, 'a')));
  EXPECT_EQ(shown("x.matches('(a*)*b')", variables), "false");
  EXPECT_EQ(shown("x.matches('(a*)*$')", variables), "true");
}

TEST(Program, computes_what_is_constant_but_keeps_its_failures_for_later) {
  EXPECT_EQ(shown("timestamp('2026-11-21T09:00:00Z') + duration('1h')"),
            "\"2026-11-21T10:00:00Z\"");
  EXPECT_EQ(shown("1 / 0"), "SK1103: division by zero at 1:3");
  EXPECT_EQ(shown("true || 1 / 0 > 0"), "true");
}

TEST(Program, keeps_values_alive_that_come_out_of_computed_containers) {
  EXPECT_EQ(shown("{'a': ['x' + string(size('ab'))]}.a[0]"), "\"x2\"");
  EXPECT_EQ(shown("[1, 2].map(i, {'k': [string(i)]}).map(m, m.k[0])"), R"(["1","2"])");
  EXPECT_EQ(shown("cel.bind(m, {'k': [1, 2].map(i, string(i))}, m.k)[1]"), "\"2\"");
  EXPECT_EQ(shown("optional.of([1].map(i, 'v' + string(i))).value()[0]"), "\"v1\"");
}

} // namespace
} // namespace skein::expression
