#include "schemas/value_text.h"

#include <gtest/gtest.h>

#include <limits>

#include "core/value/json.h"
#include "unit/schemas/sample.h"

namespace skein::schemas {
namespace {

void expect_round_trip(const Value& value) {
  std::string text;
  const bool tagged = append_value(text, value);
  const auto read = parse_value(text, tagged);
  ASSERT_TRUE(read.ok()) << text << ": " << to_string(read.error());
  EXPECT_TRUE(sample::identical(value, *read)) << text;
}

TEST(ValueText, keeps_the_kind_of_every_random_value) {
  std::mt19937_64 random(20261121);
  for (int i = 0; i < 20'000; ++i) {
    expect_round_trip(sample::random_value(random, 5));
    if (HasFatalFailure()) {
      return;
    }
  }
}

TEST(ValueText, writes_what_json_tells_apart_without_tags) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 5'000; ++i) {
    const Value value = sample::random_json(random, 4);
    std::string text;
    EXPECT_FALSE(append_value(text, value));
    const auto read = parse_json(text);
    ASSERT_TRUE(read.ok()) << text;
    EXPECT_TRUE(sample::identical(value, *read)) << text;
  }
}

TEST(ValueText, keeps_whole_doubles_apart_from_integers) {
  for (const double d : {0.0, -0.0, 1.0, -3.0, 9007199254740992.0, 1e20, 1e21, 1e300}) {
    expect_round_trip(Value(d));
  }
  expect_round_trip(Value(std::numeric_limits<double>::infinity()));
  expect_round_trip(Value(-std::numeric_limits<double>::infinity()));
  expect_round_trip(Value(std::numeric_limits<double>::quiet_NaN()));
}

TEST(ValueText, keeps_the_ends_of_every_number_and_time) {
  expect_round_trip(Value(std::numeric_limits<std::int64_t>::min()));
  expect_round_trip(Value(std::numeric_limits<std::int64_t>::max()));
  expect_round_trip(Value::of_uint(0));
  expect_round_trip(Value::of_uint(std::numeric_limits<std::uint64_t>::max()));
  expect_round_trip(Value::of_timestamp(-62'135'596'800, 0));
  expect_round_trip(Value::of_timestamp(253'402'300'799, 999'999'999));
  expect_round_trip(Value::of_duration(0, -1));
}

TEST(ValueText, keeps_maps_that_look_like_tags_apart_from_tags) {
  expect_round_trip(object({{"$uint", 5}}));
  expect_round_trip(object({{"$uint", Value::of_uint(5)}}));
  expect_round_trip(object({{"$map", Value::of_list({1.0})}, {"x", Value::none()}}));
}

TEST(ValueText, refuses_tags_that_do_not_hold_what_they_say) {
  for (const char* text : {R"({"$uint":-1})",
                           R"({"$uint":"5"})",
                           R"({"$double":1})",
                           R"({"$double":"1x"})",
                           R"({"$double":""})",
                           R"({"$bytes":"*"})",
                           R"({"$bytes":3})",
                           R"({"$timestamp":[1]})",
                           R"({"$timestamp":[253402300800,0]})",
                           R"({"$timestamp":[0,-1]})",
                           R"({"$duration":[1,-1]})",
                           R"({"$duration":[0,1000000000]})",
                           R"({"$type":1})",
                           R"({"$none":1})",
                           R"({"$map":{}})",
                           R"({"$map":[[1]]})",
                           R"({"$map":[[null,1]]})",
                           R"({"$map":[[1,2],[1,3]]})",
                           R"({"$map":[[1,2],[{"$uint":1},3]]})",
                           R"({"$some":{"$uint":-1}})",
                           R"([{"$uint":-1}])",
                           R"({"a":{"$uint":-1}})"}) {
    const auto read = parse_value(text, true);
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_EQ(read.error().code, Code::wire_invalid) << text;
  }
}

TEST(ValueText, says_that_an_unknown_tag_comes_from_a_newer_version) {
  const auto read = parse_value(R"({"$decimal":"1.0"})", true);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, Code::wire_version);
}

TEST(ValueText, refuses_nesting_beyond_its_limit) {
  const auto read = parse_value(std::string(100'000, '['), false);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, Code::wire_limit);
}

} // namespace
} // namespace skein::schemas
