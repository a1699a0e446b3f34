#include <gtest/gtest.h>

#include "core/value/json.h"
#include "unit/core/expression/variables.h"

namespace skein::expression {
namespace {

Variables of_input(std::string_view json) {
  Variables variables;
  variables.add("input", *parse_json(json));
  variables.add_absent("vars");
  return variables;
}

std::string filled(std::string_view tree, std::string_view input = "{}") {
  const Variables variables = of_input(input);
  const auto made = Template::compile(*parse_json(tree), variables.declarations);
  if (!made) {
    return to_string(made.error());
  }
  const auto value = made->evaluate(variables);
  return value ? to_json(*value) : to_string(value.error());
}

TEST(Template, keeps_the_type_of_a_lone_expression) {
  EXPECT_EQ(filled(R"("${ input.n }")", R"({"n":7})"), "7");
  EXPECT_EQ(filled(R"("${input}")", R"({"a":[1,true]})"), R"({"a":[1,true]})");
  EXPECT_EQ(filled(R"(" ${ input.n }")", R"({"n":7})"), "\" 7\"");
}

TEST(Template, writes_parts_as_text_and_containers_as_json) {
  EXPECT_EQ(filled(R"("${ input.n } of ${ input.all }: ${ input.ok }, ${ null } ${ 1.5 }")",
                   R"({"n":7,"all":["a",1],"ok":true})"),
            R"("7 of [\"a\",1]: true, null 1.5")");
  EXPECT_EQ(filled(R"("at ${ timestamp(0) } for ${ duration('90s') }")"),
            R"("at 1970-01-01T00:00:00Z for 90s")");
}

TEST(Template, fills_every_string_of_a_tree) {
  EXPECT_EQ(filled(R"({"a":["x","${ input.n + 1 }",{"b":"${'q'}${'r'}"}],"c":null})", R"({"n":1})"),
            R"({"a":["x",2,{"b":"qr"}],"c":null})");
}

TEST(Template, finds_the_end_of_an_expression_by_its_tokens) {
  EXPECT_EQ(filled(R"("${ {'a': '}'}.a + \"{\" }")"), R"("}{")");
  EXPECT_EQ(filled(R"("${ {'a': {'b': 1}}.a.b }}")"), R"("1}")");
  EXPECT_EQ(filled(R"("${ '${' }")"), R"("${")");
}

TEST(Template, takes_a_doubled_dollar_for_the_characters_themselves) {
  EXPECT_EQ(filled(R"("$${ input } costs 5$ or $5")"), R"("${ input } costs 5$ or $5")");
}

TEST(Template, says_where_in_the_tree_a_mistake_is) {
  EXPECT_EQ(filled(R"({"a":["x","${ imput }"]})"),
            "SK1102: unknown name \"imput\" (did you mean \"input\"?) at 1:2 in /a/1");
  EXPECT_EQ(filled(R"({"a/b":"${ 1 + }"})"),
            "SK1101: expected a value, found the end at 1:6 in /a~1b");
  EXPECT_EQ(filled(R"({"c":"x ${ 1"})"),
            "SK1101: \"${\" without its \"}\" at 1:3 in /c\n  hint: write \"$${\" where you mean "
            "the characters themselves");
  EXPECT_EQ(filled(R"({"d":"${ input.a.b }"})", R"({"a":{}})"),
            "SK1103: no such key \"b\" at 1:10 in /d\n  hint: test it first with has(), or use the "
            "optional form .? with orValue()");
}

TEST(Template, knows_its_variables_and_whether_it_varies) {
  const Variables variables = of_input("{}");
  const auto varies = Template::compile(*parse_json(R"(["${ input.a }","${ vars.b + input.c }"])"),
                                        variables.declarations);
  ASSERT_TRUE(varies.ok());
  EXPECT_FALSE(varies->constant());
  EXPECT_EQ(varies->slots(), (std::vector<Slot>{0, 1}));
  const auto same =
      Template::compile(*parse_json(R"({"a":["$${"],"b":1})"), variables.declarations);
  ASSERT_TRUE(same.ok());
  EXPECT_TRUE(same->constant());
  EXPECT_TRUE(same->slots().empty());
  EXPECT_EQ(to_json(*same->evaluate(variables)), R"({"a":["${"],"b":1})");
}

TEST(Template, refuses_a_value_that_grows_beyond_what_a_journal_holds) {
  std::string deep = "\"${ input }\"";
  for (int i = 0; i < 40; ++i) {
    deep = "[" + deep + "]";
  }
  EXPECT_EQ(filled(deep, std::string(40, '[') + std::string(40, ']')).substr(0, 6), "SK1104");
}

} // namespace
} // namespace skein::expression
