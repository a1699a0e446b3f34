#include "core/schema/defaults.h"

#include <gtest/gtest.h>

#include <string>

#include "core/value/json.h"

namespace skein::schema {
namespace {

std::string filled(std::string_view schema, std::string_view value) {
  return to_json(with_defaults(*parse_json(schema), *parse_json(value)));
}

TEST(Defaults, fill_what_is_not_there_and_leave_what_is) {
  constexpr const char* kSchema =
      R"({"properties": {"a": {"default": 1}, "b": {"type": "string"}, "c": true}})";
  EXPECT_EQ(filled(kSchema, "{}"), R"({"a":1})");
  EXPECT_EQ(filled(kSchema, R"({"a": null, "x": 2})"), R"({"a":null,"x":2})");
  EXPECT_EQ(filled(kSchema, "5"), "5");
  EXPECT_EQ(filled("true", "{}"), "{}");
}

TEST(Defaults, reach_into_objects_and_lists_that_are_there) {
  constexpr const char* kSchema = R"({"properties": {
    "deep": {"properties": {"a": {"default": 1}}},
    "made": {"default": {"x": 1}, "properties": {"y": {"default": 2}}},
    "list": {"items": {"properties": {"n": {"default": 0}}}}}})";
  EXPECT_EQ(filled(kSchema, "{}"), R"({"made":{"x":1,"y":2}})");
  EXPECT_EQ(filled(kSchema, R"({"deep": {}, "list": [{}, {"n": 3}, 4], "made": null})"),
            R"({"deep":{"a":1},"list":[{"n":0},{"n":3},4],"made":null})");
}

} // namespace
} // namespace skein::schema
