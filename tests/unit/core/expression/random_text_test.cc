#include <gtest/gtest.h>

#include "core/base/random.h"
#include "core/value/json.h"
#include "unit/core/expression/variables.h"

namespace skein::expression {
namespace {

constexpr std::string_view kTokens[] = {"a",
                                        "b.c",
                                        "x",
                                        "1",
                                        "0",
                                        "-1",
                                        "2u",
                                        "1.5",
                                        "'s'",
                                        "b'y'",
                                        "true",
                                        "null",
                                        "[1, 2]",
                                        "[]",
                                        "{}",
                                        "{'k': 1}",
                                        "(",
                                        ")",
                                        "[",
                                        "]",
                                        "{",
                                        "}",
                                        ",",
                                        ":",
                                        "?",
                                        ".",
                                        ".?",
                                        "[?",
                                        "&&",
                                        "||",
                                        "!",
                                        "-",
                                        "+",
                                        "*",
                                        "/",
                                        "%",
                                        "<",
                                        "==",
                                        "!=",
                                        ">=",
                                        " in ",
                                        ".size()",
                                        ".k",
                                        ".map(x, ",
                                        ".filter(x, ",
                                        ".all(i, v, ",
                                        ".exists(x, ",
                                        ".exists_one(x, ",
                                        "has(a.k)",
                                        "size(",
                                        ".transformMap(k, v, ",
                                        ".optMap(x, ",
                                        "optional.of(",
                                        "optional.none()",
                                        ".orValue(",
                                        ".or(",
                                        ".format([",
                                        "'%s %d %.3f'",
                                        ".split(",
                                        ".replace('', ",
                                        ".substring(1, ",
                                        ".indexOf(",
                                        "math.greatest(",
                                        "math.least(1, ",
                                        "timestamp(0)",
                                        "duration('1h')",
                                        ".getHours('UTC')",
                                        "cel.bind(x, ",
                                        "dyn(",
                                        "type(",
                                        "int",
                                        "string(",
                                        ".matches('(a|b)*')",
                                        "9223372036854775807",
                                        "1e300",
                                        "r'\\d'",
                                        "'''t'''",
                                        "//c\n",
                                        "for",
                                        "`q`"};

Variables some_variables() {
  Variables variables;
  variables.add("a", *parse_json(R"({"k":[1,"two",3.5,null,{"k":true}]})"));
  variables.add("b.c", Value("text"));
  variables.add_absent("x");
  return variables;
}

// Compiles and evaluates; the only promise is an answer or an error, within the limits.
std::size_t try_text(std::string_view text, const Variables& variables) {
  std::size_t evaluated = 0;
  for (const bool check : {true, false}) {
    Options options;
    options.check = check;
    options.limits.max_cost = 20'000;
    const auto program = Program::compile(text, variables.declarations, options);
    if (!program) {
      EXPECT_NE(program.error().detail.find(" at "), std::string::npos) << program.error().detail;
      continue;
    }
    ++evaluated;
    const auto value = program->evaluate(variables);
    if (value) {
      EXPECT_TRUE(parse_json(to_json(*value)).ok()) << text;
    }
  }
  const auto filled =
      Template::compile(Value("${" + std::string(text) + "}"), variables.declarations);
  return evaluated + (filled.ok() && filled->evaluate(variables).ok() ? 1 : 0);
}

TEST(RandomText, of_tokens_is_evaluated_or_refused) {
  const Variables variables = some_variables();
  std::size_t evaluated = 0;
  for (std::uint64_t seed = 0; seed < 25'000; ++seed) {
    std::string text;
    const std::uint64_t length = 1 + below(random_at(seed, "length", 0), 12);
    for (std::uint64_t i = 0; i < length; ++i) {
      text += kTokens[below(random_at(seed, "token", i), std::size(kTokens))];
    }
    SCOPED_TRACE(seed);
    evaluated += try_text(text, variables);
  }
  EXPECT_GT(evaluated, 500u);
}

TEST(RandomText, grown_by_nesting_is_evaluated_or_refused) {
  constexpr std::pair<std::string_view, std::string_view> kAround[] = {
      {"(", ")"},
      {"[", "]"},
      {"[1, ", "]"},
      {"{'k': ", "}.k"},
      {"-(", ")"},
      {"!(", ")"},
      {"size(", ")"},
      {"string(", ")"},
      {"[0, 1].map(x, ", ")"},
      {"a.k.filter(x, ", ")"},
      {"optional.of(", ").value()"},
      {"true ? (", ") : x"},
      {"(", ") == a.k[0]"},
      {"dyn(", ") + 1"},
      {"dyn(", ") + 'z'"},
      {"[dyn(", ")][0]"},
      {"'%s'.format([", "])"},
      {"a.k.exists(x, x == ", ")"},
      {"cel.bind(x, ", ", [x, x])"},
      {"(", ") in a.k"}};
  constexpr std::string_view kSeeds[] = {"1", "'s'", "a.k", "x", "true", "b.c", "1.5", "a.k[4].k"};
  const Variables variables = some_variables();
  std::size_t evaluated = 0;
  for (std::uint64_t seed = 0; seed < 10'000; ++seed) {
    std::string text(kSeeds[below(random_at(seed, "seed", 0), std::size(kSeeds))]);
    const std::uint64_t levels = below(random_at(seed, "levels", 0), 8);
    for (std::uint64_t i = 0; i < levels; ++i) {
      const auto& [before, after] =
          kAround[below(random_at(seed, "around", i), std::size(kAround))];
      text = std::string(before) + text + std::string(after);
    }
    SCOPED_TRACE(seed);
    evaluated += try_text(text, variables);
  }
  EXPECT_GT(evaluated, 5'000u);
}

TEST(RandomText, of_bytes_is_evaluated_or_refused) {
  const Variables variables = some_variables();
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    std::string text;
    const std::uint64_t length = below(random_at(seed, "length", 0), 24);
    for (std::uint64_t i = 0; i < length; ++i) {
      text += static_cast<char>(below(random_at(seed, "byte", i), seed % 2 == 0 ? 256 : 128));
    }
    SCOPED_TRACE(seed);
    try_text(text, variables);
    parse_json(text).ok();
  }
}

} // namespace
} // namespace skein::expression
