#include "core/value/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/base/random.h"

namespace skein {
namespace {

std::string reprinted(std::string_view text) {
  const auto value = parse_json(text);
  return value.ok() ? to_json(*value) : to_string(value.error());
}

// A value with every kind that JSON has, nested to `depth`.
Value random_value(std::uint64_t seed, std::uint64_t& n, int depth) {
  const auto draw = [&](std::uint64_t bound) { return below(random_at(seed, "json", n++), bound); };
  switch (draw(depth > 0 ? 8 : 6)) {
    case 0:
      return Value();
    case 1:
      return Value(draw(2) == 1);
    case 2:
      return Value(static_cast<std::int64_t>(random_at(seed, "int", n++)) >> draw(64));
    case 3:
      return Value::of_uint((1ULL << 63) + draw(1ULL << 63));
    case 4:
      return Value(std::ldexp(static_cast<double>(draw(1ULL << 53)) + 0.5,
                              static_cast<int>(draw(200)) - 150) +
                   0x1p-60);
    case 5: {
      constexpr std::string_view kPieces[] = {"a", "\"", "\\", "\n",  "\x01",
                                              "é", "漢", "😀",  "\x7f"};
      std::string text;
      for (std::uint64_t i = draw(9); i > 0; --i) {
        text += kPieces[draw(std::size(kPieces))];
      }
      return Value(text);
    }
    case 6: {
      std::vector<Value> items;
      for (std::uint64_t i = draw(5); i > 0; --i) {
        items.push_back(random_value(seed, n, depth - 1));
      }
      return Value::of_list(std::move(items));
    }
    default: {
      std::vector<MapEntry> entries;
      for (std::uint64_t i = draw(12); i > 0; --i) {
        entries.emplace_back(Value("k" + std::to_string(i * 7919 % 31)),
                             random_value(seed, n, depth - 1));
      }
      return Value::of_map(std::move(entries));
    }
  }
}

TEST(Json, reads_back_what_it_wrote) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    std::uint64_t n = 0;
    const Value value = random_value(seed, n, 4);
    const std::string text = to_json(value);
    const auto back = parse_json(text);
    ASSERT_TRUE(back.ok()) << "seed " << seed << ": " << text;
    EXPECT_EQ(to_json(*back), text) << "seed " << seed;
    EXPECT_EQ(to_json(as_json(value)), text) << "seed " << seed;
    EXPECT_EQ(*back, as_json(value)) << "seed " << seed << ": " << text;
    const auto pretty = parse_json(to_pretty_json(value));
    ASSERT_TRUE(pretty.ok());
    EXPECT_EQ(*pretty, *back);
  }
}

TEST(Json, keeps_whole_numbers_of_64_bits_without_loss) {
  for (const char* text : {"9223372036854775807", "-9223372036854775808", "9223372036854775808",
                           "18446744073709551615", "0", "-1"}) {
    EXPECT_EQ(reprinted(text), text);
  }
  EXPECT_EQ(parse_json("9223372036854775807")->kind(), Kind::integer);
  EXPECT_EQ(parse_json("9223372036854775808")->kind(), Kind::uinteger);
}

TEST(Json, refuses_numbers_that_no_kind_can_hold) {
  for (const char* text : {"18446744073709551616", "-9223372036854775809", "1e400", "-1e400",
                           "1000e306", "1e99999999999999999999"}) {
    const auto value = parse_json(text);
    ASSERT_FALSE(value.ok()) << text;
    EXPECT_EQ(value.error().code, Code::json_invalid);
  }
  EXPECT_EQ(reprinted("1e-400"), "0");
  EXPECT_EQ(reprinted("0.00e400"), "0");
}

TEST(Json, writes_doubles_as_ecmascript_does) {
  const std::pair<double, const char*> cases[] = {
      {0.0, "0"},
      {-0.0, "0"},
      {1.5, "1.5"},
      {1e20, "100000000000000000000"},
      {1e21, "1e+21"},
      {1.5e300, "1.5e+300"},
      {1e-6, "0.000001"},
      {1e-7, "1e-7"},
      {-1.25e-9, "-1.25e-9"},
      {333333333.33333329, "333333333.3333333"},
      {5e-324, "5e-324"},
      {1.7976931348623157e308, "1.7976931348623157e+308"},
      {9007199254740993.0, "9007199254740992"}};
  for (const auto& [number, text] : cases) {
    EXPECT_EQ(to_json(Value(number)), text);
    EXPECT_TRUE(parse_json(text).ok()) << text;
  }
  EXPECT_EQ(to_json(Value(std::nan(""))), "null");
  EXPECT_EQ(to_json(Value(std::numeric_limits<double>::infinity())), "null");
}

TEST(Json, reads_the_large_whole_numbers_that_doubles_are_written_as) {
  EXPECT_EQ(parse_json("100000000000000000000")->kind(), Kind::real);
  EXPECT_EQ(reprinted("100000000000000000000"), "100000000000000000000");
}

TEST(Json, sorts_keys_by_utf16_units_and_writes_other_kinds_as_text) {
  EXPECT_EQ(reprinted(R"({"b":1,"a":2,"A":3})"), R"({"A":3,"a":2,"b":1})");
  EXPECT_EQ(reprinted("{\"\xEF\xAC\xB3\":1,\"\xF0\x9F\x98\x80\":2}"),
            "{\"\xF0\x9F\x98\x80\":2,\"\xEF\xAC\xB3\":1}");
  const Value mixed = Value::of_map({{Value(1), Value::of_bytes("ab\xff")},
                                     {Value(true), Value::of_timestamp(1234567890, 500'000'000)},
                                     {Value("x"), Value::of_duration(-1, -500'000'000)},
                                     {Value("n"), Value::none()},
                                     {Value("s"), Value::some(Value(3))},
                                     {Value("t"), Value::of_type("int")}});
  EXPECT_EQ(to_json(mixed),
            R"({"1":"YWL/","n":null,"s":3,"t":"int","true":"2009-02-13T23:31:30.5Z","x":"-1.5s"})");
  EXPECT_EQ(to_json(as_json(mixed)), to_json(mixed));
  EXPECT_EQ(to_json(Value::of_map({{Value(1), Value("int")}, {Value("1"), Value("string")}})),
            R"({"1":"string"})");
}

TEST(Json, escapes_as_rfc_8785_asks) {
  EXPECT_EQ(reprinted(R"("\u0000\u001f\b\t\n\f\r\"\\\/é\ud83d\ude00")"),
            R"("\u0000\u001f\b\t\n\f\r\"\\/é😀")");
}

TEST(Json, refuses_what_is_no_json_and_says_where) {
  const char* const texts[] = {"",
                               " ",
                               "nul",
                               "tru",
                               "[1,]",
                               "[1 2]",
                               "{\"a\" 1}",
                               "{\"a\":1,}",
                               "{a:1}",
                               "01",
                               "-",
                               "+1",
                               "1.",
                               ".5",
                               "1e",
                               "\"abc",
                               "\"\t\"",
                               "\"\\x\"",
                               "\"\\u12\"",
                               "\"\\ud800\"",
                               "\"\\ud800\\u0041\"",
                               "\"\\udc00\"",
                               "\"\xff\"",
                               "\"\xc0\x80\"",
                               "\"\xed\xa0\x80\"",
                               "\"\xf4\x90\x80\x80\"",
                               "1 2",
                               "[1]]",
                               "NaN",
                               "{\"a\":1,\"b\":2,\"a\":3}",
                               "{\"a\":1,\"\\u0061\":3}",
                               "\xef\xbb\xbf[]"};
  for (const char* text : texts) {
    const auto value = parse_json(text);
    ASSERT_FALSE(value.ok()) << text;
    EXPECT_EQ(value.error().code, Code::json_invalid) << text;
    EXPECT_NE(value.error().detail.find("at byte "), std::string::npos) << text;
  }
  EXPECT_FALSE(parse_json(std::string_view("1\0", 2)).ok());
  EXPECT_NE(parse_json(R"({"a":1,"a":2})").error().detail.find("\"a\""), std::string::npos);
}

TEST(Json, refuses_deep_nesting_and_large_texts_without_using_the_stack) {
  EXPECT_TRUE(parse_json(std::string(64, '[') + std::string(64, ']')).ok());
  for (const std::size_t depth : {65u, 100'000u}) {
    const auto value = parse_json(std::string(depth, '[') + std::string(depth, ']'));
    ASSERT_FALSE(value.ok());
    EXPECT_EQ(value.error().code, Code::json_limit);
  }
  std::string objects;
  for (int i = 0; i < 100'000; ++i) {
    objects += "{\"a\":";
  }
  EXPECT_EQ(parse_json(objects, {.max_depth = 1'000'000}).error().code, Code::json_limit);
  EXPECT_EQ(parse_json("[1,2,3]", {.max_bytes = 6}).error().code, Code::json_limit);
}

TEST(Json, is_indented_for_people) {
  EXPECT_EQ(to_pretty_json(*parse_json(R"({"a":[1,{}],"b":[]})")),
            "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}");
}

} // namespace
} // namespace skein
