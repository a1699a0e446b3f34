#include "core/schema/schema.h"

#include <gtest/gtest.h>

#include <string>

#include "core/value/json.h"

namespace skein::schema {
namespace {

Value json(std::string_view text) {
  auto value = parse_json(text);
  EXPECT_TRUE(value.ok()) << text;
  return value.ok() ? *value : Value();
}

Schema compiled(std::string_view text, const Options& options = {}) {
  auto schema = Schema::compile(json(text), options);
  if (!schema) {
    ADD_FAILURE() << to_string(schema.error());
    return *Schema::compile(Value(true));
  }
  return *schema;
}

/// "" where the value matches, otherwise the first reason with its pointer.
std::string reason(const Schema& schema, std::string_view value) {
  const auto found = schema.violations(json(value));
  if (!found) {
    return to_string(found.error());
  }
  return found->empty() ? "" : (*found)[0].pointer + ": " + (*found)[0].reason;
}

std::string reason(std::string_view schema, std::string_view value, const Options& options = {}) {
  return reason(compiled(schema, options), value);
}

std::string mistake(std::string_view text) {
  const auto schema = Schema::compile(json(text));
  return schema.ok() ? "" : to_string(schema.error());
}

TEST(Schema, a_whole_double_is_an_integer_and_a_broken_one_is_not) {
  EXPECT_EQ(reason(R"({"type": "integer"})", "1.0"), "");
  EXPECT_EQ(reason(R"({"type": "integer"})", "18446744073709551615"), "");
  EXPECT_EQ(reason(R"({"type": "integer"})", "1.5"), ": must be integer, is number");
  EXPECT_EQ(reason(R"({"type": ["string", "null"]})", "[]"), ": must be null or string, is array");
}

TEST(Schema, an_unknown_key_is_named_with_the_nearest_free_one) {
  const Schema schema = compiled(R"({"properties": {"command": {}, "script": {}},
                                     "additionalProperties": false})");
  EXPECT_EQ(reason(schema, R"({"comand": 1})"),
            "/comand: is an unknown key (did you mean \"command\"?)");
  EXPECT_EQ(reason(schema, R"({"zzzzzzzz": 1})"),
            "/zzzzzzzz: is an unknown key; known are command, script");
}

TEST(Schema, a_wrong_choice_is_named_with_the_nearest_one) {
  EXPECT_EQ(reason(R"({"enum": ["read", "write", 3]})", R"("raed")"),
            ": must be one of \"read\", \"write\", 3, is \"raed\" (did you mean \"read\"?)");
  EXPECT_EQ(reason(R"({"enum": ["read", "write", 3]})", "3.0"), "");
}

TEST(Schema, a_missing_key_is_reported_at_its_object) {
  EXPECT_EQ(reason(R"({"properties": {"a": {"required": ["b"]}}})", R"({"a": {}})"),
            "/a: has no \"b\", which is required");
}

TEST(Schema, pointers_escape_tilde_and_slash) {
  EXPECT_EQ(reason(R"({"additionalProperties": {"type": "null"}})", R"({"a/b~c": 1})"),
            "/a~1b~0c: must be null, is integer");
}

TEST(Schema, numbers_are_compared_exactly_across_kinds) {
  EXPECT_EQ(reason(R"({"maximum": 9007199254740992})", "9007199254740993"),
            ": must be at most 9007199254740992, is 9007199254740993");
  EXPECT_EQ(reason(R"({"exclusiveMinimum": 1})", "1.0"), ": must be above 1, is 1");
  EXPECT_EQ(reason(R"({"minimum": -3})", "-3"), "");
}

TEST(Schema, multiples_are_decided_by_decimal_digits) {
  EXPECT_EQ(reason(R"({"multipleOf": 0.0001})", "0.0075"), "");
  EXPECT_NE(reason(R"({"multipleOf": 0.0001})", "0.00751"), "");
  EXPECT_EQ(reason(R"({"multipleOf": 0.01})", "4.02"), "");
  EXPECT_EQ(reason(R"({"multipleOf": 0.5})", "1e300"), "");
  EXPECT_NE(reason(R"({"multipleOf": 3})", "18446744073709551614"), "");
}

TEST(Schema, lengths_count_characters) {
  EXPECT_EQ(reason(R"({"maxLength": 2})", R"("äö")"), "");
  EXPECT_EQ(reason(R"({"maxLength": 2})", R"("äöü")"), ": must have at most 2 characters, has 3");
}

TEST(Schema, arrays_know_their_prefix_their_rest_and_what_they_contain) {
  const Schema schema = compiled(R"({"prefixItems": [{"type": "string"}],
                                     "items": {"type": "integer"},
                                     "contains": {"const": 7}, "maxContains": 1,
                                     "uniqueItems": true})");
  EXPECT_EQ(reason(schema, R"(["a", 7, 8])"), "");
  EXPECT_EQ(reason(schema, R"(["a", 8])"),
            ": must have at least 1 items that match `contains`, has 0");
  EXPECT_EQ(reason(schema, R"(["a", "b", 7])"), "/1: must be integer, is string");
  EXPECT_EQ(reason(schema, R"(["a", 7, 8, 8.0])"), ": must not have two equal items");
}

TEST(Schema, long_arrays_with_a_repeat_are_not_unique) {
  std::string list = "[";
  for (int i = 0; i < 100; ++i) {
    list += std::to_string(i) + ",";
  }
  EXPECT_EQ(reason(R"({"uniqueItems": true})", list + "100]"), "");
  EXPECT_NE(reason(R"({"uniqueItems": true})", list + "42.0]"), "");
}

TEST(Schema, references_reach_definitions_anchors_and_embedded_resources) {
  const Schema schema = compiled(R"({
    "$id": "https://example.test/root.json",
    "$ref": "#/$defs/pair",
    "$defs": {
      "pair": {"properties": {"left": {"$ref": "#word"}, "right": {"$ref": "leaf.json"},
                              "odd": {"$ref": "#/$defs/odd~1name"}}},
      "word": {"$anchor": "word", "type": "string"},
      "leaf": {"$id": "leaf.json", "$ref": "#/$defs/digit", "$defs": {"digit": {"maximum": 9}}},
      "odd/name": {"type": "null"}
    }})");
  EXPECT_EQ(reason(schema, R"({"left": "a", "right": 9, "odd": null})"), "");
  EXPECT_EQ(reason(schema, R"({"left": 1})"), "/left: must be string, is integer");
  EXPECT_EQ(reason(schema, R"({"right": 10})"), "/right: must be at most 9, is 10");
  EXPECT_EQ(reason(schema, R"({"odd": 1})"), "/odd: must be null, is integer");
}

TEST(Schema, a_dynamic_reference_takes_the_outermost_anchor) {
  const Schema schema = compiled(R"({
    "$id": "https://example.test/strict",
    "$dynamicAnchor": "node",
    "$ref": "tree",
    "unevaluatedProperties": false,
    "$defs": {
      "tree": {"$id": "tree", "$dynamicAnchor": "node",
               "properties": {"children": {"items": {"$dynamicRef": "#node"}}, "name": true}}
    }})");
  EXPECT_EQ(reason(schema, R"({"children": [{"name": 1}]})"), "");
  EXPECT_EQ(reason(schema, R"({"children": [{"nome": 1}]})"), "/children/0/nome: is not allowed");
}

TEST(Schema, unevaluated_keywords_see_what_matching_branches_looked_at) {
  const Schema object = compiled(R"({
    "anyOf": [{"properties": {"a": {"type": "string"}}, "required": ["a"]},
              {"properties": {"b": true}, "required": ["b"]}],
    "if": {"properties": {"k": {"const": 1}}, "required": ["k"]},
    "then": {"properties": {"x": true}},
    "unevaluatedProperties": false})");
  EXPECT_EQ(reason(object, R"({"a": "s"})"), "");
  EXPECT_EQ(reason(object, R"({"a": "s", "b": 1, "k": 1, "x": 1})"), "");
  EXPECT_EQ(reason(object, R"({"a": 1, "b": 1})"), "/a: is not allowed");
  EXPECT_EQ(reason(object, R"({"b": 1, "x": 1})"), "/x: is not allowed");
  const Schema list = compiled(R"({"prefixItems": [true], "contains": {"type": "string"},
                                   "unevaluatedItems": {"type": "null"}})");
  EXPECT_EQ(reason(list, R"([1, "a", null])"), "");
  EXPECT_EQ(reason(list, R"([1, "a", 2])"), "/2: must be null, is integer");
}

TEST(Schema, alternatives_report_the_nearest_or_all) {
  EXPECT_EQ(reason(R"({"anyOf": [{"type": "null"},
                                 {"properties": {"a": {"type": "string"}}, "type": "object"}]})",
                   R"({"a": 1})"),
            "/a: must be string, is integer, in the nearest of 2 alternatives");
  EXPECT_EQ(reason(R"({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]})", "{}"),
            ": matches none of 2 alternatives (has no \"a\", which is required or has no \"b\", "
            "which is required)");
  EXPECT_EQ(reason(R"({"oneOf": [{}, {}]})", "{}"),
            ": matches 2 alternatives, but only one may match");
  EXPECT_EQ(reason(R"({"not": {"type": "string"}})", R"("a")"), ": must not match this");
}

TEST(Schema, dependents_are_asked_for_only_with_their_key) {
  const Schema schema = compiled(R"({"dependentRequired": {"card": ["address"]},
      "dependentSchemas": {"card": {"properties": {"name": {"type": "string"}}}}})");
  EXPECT_EQ(reason(schema, R"({"name": 1})"), "");
  EXPECT_EQ(reason(schema, R"({"card": 1})"), ": has \"card\" and so needs \"address\" too");
  EXPECT_EQ(reason(schema, R"({"card": 1, "address": 1, "name": 1})"),
            "/name: must be string, is integer");
}

TEST(Schema, keys_can_be_ruled_by_pattern_and_by_name) {
  const Schema schema = compiled(R"({"patternProperties": {"^n_": {"type": "integer"}},
                                     "propertyNames": {"maxLength": 3},
                                     "additionalProperties": {"type": "string"}})");
  EXPECT_EQ(reason(schema, R"({"n_a": 1, "b": "x"})"), "");
  EXPECT_EQ(reason(schema, R"({"n_a": "x"})"), "/n_a: must be integer, is string");
  EXPECT_EQ(reason(schema, R"({"long": "x"})"), "/long: must have at most 3 characters, has 4");
}

TEST(Schema, formats_are_annotations_unless_asked_for) {
  EXPECT_EQ(reason(R"({"format": "date"})", R"("2026-02-30")"), "");
  const Options strict{.assert_formats = true};
  EXPECT_EQ(reason(R"({"format": "date"})", R"("2026-02-30")", strict), ": must be a date");
  EXPECT_EQ(reason(R"({"format": "date"})", R"("2026-02-28")", strict), "");
  EXPECT_EQ(reason(R"({"format": "date-time"})", R"("2026-02-28T10:00:00.5+01:00")", strict), "");
  EXPECT_EQ(reason(R"({"format": "ipv4"})", R"("1.2.3.256")", strict), ": must be a ipv4");
  EXPECT_EQ(reason(R"({"format": "uuid"})", R"("2eb8aa08-aa98-11ea-b4aa-73b441d16380")", strict),
            "");
  EXPECT_EQ(reason(R"({"format": "regex"})", R"("a(")", strict), ": must be a regex");
  EXPECT_EQ(reason(R"({"format": "of-my-own"})", R"("x")", strict), "");
}

TEST(Schema, a_broken_schema_is_refused_with_its_place) {
  EXPECT_EQ(mistake(R"({"properties": {"a": {"type": "strnig"}}})"),
            "SK1209: the schema at /properties/a/type names no type: \"strnig\"");
  EXPECT_EQ(mistake(R"({"minLength": -1})"),
            "SK1209: the schema at /minLength must be a whole number that is not negative, is -1");
  EXPECT_EQ(mistake(R"({"allOf": []})"),
            "SK1209: the schema at /allOf must be a list of schemas that is not empty");
  EXPECT_EQ(mistake(R"({"items": 3})"),
            "SK1209: the schema at /items must be an object or a boolean, is int");
  EXPECT_NE(mistake(R"re({"pattern": "a(?=b)"})re"), "");
  EXPECT_NE(mistake(R"({"multipleOf": 0})"), "");
}

TEST(Schema, a_reference_out_of_the_document_or_into_nothing_is_refused) {
  EXPECT_EQ(
      mistake(R"({"$ref": "https://example.test/other.json"})"),
      "SK1209: the schema refers to \"https://example.test/other.json\", which is not in this "
      "document; nothing is ever fetched");
  EXPECT_EQ(mistake(R"({"items": {"$ref": "#/$defs/a"}})"),
            "SK1209: the schema at /items refers to \"#/$defs/a\", and there is nothing at that "
            "place");
  EXPECT_EQ(mistake(R"({"$ref": "#wrod", "$defs": {"w": {"$anchor": "word"}}})"),
            "SK1209: the schema refers to the anchor \"wrod\", which does not exist (did you mean "
            "\"word\"?)");
}

TEST(Schema, a_schema_that_refers_to_itself_ends) {
  EXPECT_EQ(reason(R"({"$ref": "#"})", "1").substr(0, 7), "SK1210:");
  EXPECT_EQ(reason(R"({"properties": {"next": {"$ref": "#"}}})", R"({"next": {"next": {}}})"), "");
}

TEST(Schema, exponential_schemas_run_into_the_work_limit) {
  std::string schema = R"({"$ref": "#/$defs/d0", "$defs": {)";
  for (int i = 0; i < 40; ++i) {
    const std::string next = "{\"$ref\": \"#/$defs/d" + std::to_string(i + 1) + "\"}";
    schema += "\"d" + std::to_string(i) + "\": {\"allOf\": [" + next + ", " + next + "]},";
  }
  EXPECT_EQ(reason(schema + R"("d40": true}})", "1").substr(0, 7), "SK1210:");
}

TEST(Schema, an_error_names_the_first_three_reasons) {
  const auto result = compiled(R"({"items": {"type": "string"}})").check(json("[1, 2, 3, 4]"));
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, Code::schema_violation);
  EXPECT_EQ(result.error().detail,
            "at /0: must be string, is integer; at /1: must be string, is integer; at /2: must be "
            "string, is integer; …");
}

} // namespace
} // namespace skein::schema
