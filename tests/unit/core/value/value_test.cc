#include "core/value/value.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/value/json.h"

namespace skein {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

Value nested(int depth) {
  Value value(1);
  for (int i = 0; i < depth; ++i) {
    value = i % 3 == 0   ? Value::of_map({{Value("k"), std::move(value)}})
            : i % 3 == 1 ? Value::of_list({std::move(value)})
                         : Value::some(std::move(value));
  }
  return value;
}

TEST(Value, compares_numbers_across_kinds_by_what_they_are) {
  EXPECT_EQ(Value(1), Value::of_uint(1));
  EXPECT_EQ(Value(1), Value(1.0));
  EXPECT_NE(Value(1), Value(1.5));
  EXPECT_NE(Value(-1), Value::of_uint(~0ULL));
  EXPECT_EQ(Value(kMost), Value(0x1p63)); // as doubles
  EXPECT_EQ(Value::of_uint(1ULL << 63), Value(0x1p63));
  EXPECT_NE(Value(kMost - 1024), Value(0x1p63));
  EXPECT_NE(Value(std::nan("")), Value(std::nan("")));
  EXPECT_EQ(Value(0.0), Value(-0.0));
}

TEST(Value, holds_unlike_kinds_unequal) {
  const Value kinds[] = {Value(),
                         Value(false),
                         Value(0),
                         Value(""),
                         Value::of_bytes(""),
                         Value::of_list({}),
                         Value::of_map({}),
                         Value::of_timestamp(0, 0),
                         Value::of_duration(0, 0),
                         Value::of_type("int"),
                         Value::none()};
  for (const Value& a : kinds) {
    for (const Value& b : kinds) {
      EXPECT_EQ(a == b, &a == &b);
    }
  }
}

TEST(Value, finds_entries_by_any_key_that_is_equal) {
  const Value map = Value::of_map({{Value(2), Value("two")},
                                   {Value("a"), Value("string")},
                                   {Value(true), Value("bool")},
                                   {Value::of_uint(1ULL << 63), Value("large")}});
  EXPECT_EQ(*map.find(Value::of_uint(2)), Value("two"));
  EXPECT_EQ(*map.find(Value(2.0)), Value("two"));
  EXPECT_EQ(*map.find(Value(0x1p63)), Value("large"));
  EXPECT_EQ(*map.find(Value(true)), Value("bool"));
  EXPECT_EQ(*map.find("a"), Value("string"));
  EXPECT_EQ(map.find(Value(2.5)), nullptr);
  EXPECT_EQ(map.find(Value()), nullptr);
  EXPECT_EQ(map.find("b"), nullptr);
  EXPECT_EQ(Value(1).find("a"), nullptr);
}

TEST(Value, finds_every_key_of_a_large_map) {
  std::vector<MapEntry> entries;
  for (int i = 999; i >= 0; --i) {
    entries.emplace_back(Value("key" + std::to_string(i)), Value(i));
  }
  const Value map = Value::of_map(std::move(entries));
  for (int i = 0; i < 1000; ++i) {
    ASSERT_NE(map.find("key" + std::to_string(i)), nullptr);
    EXPECT_EQ(map.find("key" + std::to_string(i))->as_int(), i);
  }
  EXPECT_EQ(map.find("key1000"), nullptr);
}

TEST(Value, keeps_entries_sorted_however_they_came) {
  const Value map = object({{"b", 2}, {"c", 3}, {"a", 1}});
  EXPECT_EQ(to_json(map), R"({"a":1,"b":2,"c":3})");
  EXPECT_EQ(map, object({{"c", 3}, {"a", 1}, {"b", 2}}));
  std::vector<MapEntry> twice{{Value(1), Value("a")}, {Value::of_uint(1), Value("b")}};
  EXPECT_FALSE(Value::take_map(twice).has_value());
}

TEST(Value, shares_what_it_holds_with_its_copies) {
  const Value text("a text that is shared");
  Value copy = text;
  EXPECT_EQ(copy.as_string().data(), text.as_string().data());
  copy = copy; // NOLINT: on purpose
  EXPECT_EQ(copy, text);
  Value moved = std::move(copy);
  EXPECT_TRUE(copy.is_null()); // NOLINT: a moved value is null
  copy = Value(1);
  EXPECT_EQ(moved, text);
  Value outer = Value::of_list({text});
  outer = outer.as_list()[0];
  EXPECT_EQ(outer, text);
}

TEST(Value, nested_a_hundred_thousand_deep_is_copied_compared_printed_and_freed) {
  constexpr int kDepth = 100'000;
  const Value a = nested(kDepth);
  const Value b = nested(kDepth);
  const Value c = nested(kDepth + 3);
  EXPECT_EQ(a.depth(), kDepth);
  EXPECT_TRUE(a == b);
  EXPECT_FALSE(a == c);
  EXPECT_GT(to_json(a).size(), 100'000u);
  const Value shared = Value::of_list({a, a, b});
  EXPECT_TRUE(shared.as_list()[0] == shared.as_list()[2]);
}

} // namespace
} // namespace skein
