#include "schemas/yaml.h"

#include <gtest/gtest.h>

#include "core/value/json.h"

namespace skein::schemas {
namespace {

/// Every document as one line of JSON.
std::string read(std::string_view text) {
  const auto documents = read_yaml(text, "f.yaml");
  if (!documents) {
    return to_string(documents.error().code) + " " + documents.error().detail;
  }
  std::string all;
  for (const Document& document : *documents) {
    all += (all.empty() ? "" : " ") + to_json(document.root.to_value());
  }
  return all;
}

TEST(Yaml, reads_maps_lists_and_scalars) {
  EXPECT_EQ(read("a: 1\nb: [x, 'y', \"z\"]\nc:\n  - d: true\n    e: ~\n  - 1.5\n"),
            R"({"a":1,"b":["x","y","z"],"c":[{"d":true,"e":null},1.5]})");
}

TEST(Yaml, types_plain_scalars_by_the_core_schema) {
  EXPECT_EQ(read("[null, Null, NULL, ~, true, True, FALSE]"),
            "[null,null,null,null,true,true,false]");
  EXPECT_EQ(read("[0, -7, +8, 0123, 0x1F, 0o17]"), "[0,-7,8,123,31,15]");
  EXPECT_EQ(read("[0.5, .5, 5., 1e3, -1.5E-3]"), "[0.5,0.5,5,1000,-0.0015]");
  EXPECT_EQ(read("[yes, no, on, off, y, 0b1, 1_000, 0xg, -0x1, 1e, '.', +, 12:30, 2026-11-21]"),
            R"(["yes","no","on","off","y","0b1","1_000","0xg","-0x1","1e",".","+","12:30",)"
            R"("2026-11-21"])");
}

TEST(Yaml, keeps_the_kind_of_numbers) {
  const auto documents = read_yaml("[5., 5, 18446744073709551615]", "f");
  ASSERT_TRUE(documents.ok());
  const auto& items = documents->front().root.items;
  EXPECT_EQ(items[0].scalar.kind(), Kind::real);
  EXPECT_EQ(items[1].scalar.kind(), Kind::integer);
  EXPECT_EQ(items[2].scalar.kind(), Kind::uinteger);
}

TEST(Yaml, quoted_and_block_scalars_are_strings) {
  EXPECT_EQ(read("a: '1'\nb: \"true\"\nc: |\n  12\nd: >-\n  null\n"),
            R"({"a":"1","b":"true","c":"12\n","d":"null"})");
}

TEST(Yaml, keys_are_text_as_written) {
  EXPECT_EQ(read("on: 1\n2: x\ntrue: y\n'<<': z\n"), R"({"2":"x","<<":"z","on":1,"true":"y"})");
}

TEST(Yaml, tags_of_the_core_schema_are_allowed) {
  EXPECT_EQ(read("[!!str 1, !!int '2', !!float 3, !!bool 'true', !!null '']"),
            R"(["1",2,3,true,null])");
  EXPECT_EQ(read("!!map {a: !!seq [1]}"), R"({"a":[1]})");
}

TEST(Yaml, a_tag_that_its_text_does_not_fit_is_refused) {
  EXPECT_EQ(read("a: !!int x"), "SK1201 f.yaml:1:4: \"x\" is no value of the tag !!int");
}

TEST(Yaml, reads_json) {
  EXPECT_EQ(read("{\"a\": [1, 2.5e-1, null, \"\\u00e9\\/\\n\"],\n\t\"b\":{\"c\":false}}"),
            R"({"a":[1,0.25,null,"é/\n"],"b":{"c":false}})");
  EXPECT_EQ(read(R"(["\ud83d\ude00", "\\ud83d\\ude00"])"), "[\"😀\",\"\\\\ud83d\\\\ude00\"]");
  EXPECT_EQ(read(R"({"a":1,"a":2})"),
            "SK1201 f.yaml:1:8: the key \"a\" is there twice; first in line 1");
}

TEST(Yaml, a_lone_surrogate_is_refused) { EXPECT_EQ(read(R"(["\ud83d"])").substr(0, 6), "SK1201"); }

TEST(Yaml, reads_several_documents_and_skips_empty_ones) {
  EXPECT_EQ(read("---\na: 1\n---\n---\n# nothing\n---\nb: 2\n...\n"), R"({"a":1} {"b":2})");
  EXPECT_EQ(read(""), "");
  EXPECT_EQ(read("\n# nothing\n"), "");
}

TEST(Yaml, every_node_and_key_knows_its_place) {
  const auto documents = read_yaml("a: 1\nb:\n  - x\n  - c: y\n", "f");
  ASSERT_TRUE(documents.ok());
  const Node& root = documents->front().root;
  EXPECT_EQ(root.mark, (Mark{1, 1}));
  EXPECT_EQ(root.members[1].mark, (Mark{2, 1}));
  EXPECT_EQ(root.find("a")->mark, (Mark{1, 4}));
  const Node& list = *root.find("b");
  EXPECT_EQ(list.items[0].mark, (Mark{3, 5}));
  EXPECT_EQ(list.items[1].members[0].mark, (Mark{4, 5}));
  EXPECT_EQ(list.items[1].find("c")->mark, (Mark{4, 8}));
}

TEST(Yaml, members_keep_the_order_of_the_file) {
  const auto documents = read_yaml("z: 1\na: 2\nm: 3\n", "f");
  ASSERT_TRUE(documents.ok());
  const auto& members = documents->front().root.members;
  EXPECT_EQ(members[0].key + members[1].key + members[2].key, "zam");
}

TEST(YamlAbuse, an_alias_bomb_is_refused_at_its_first_anchor) {
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c <= 'j'; ++c) {
    const std::string use = "*" + std::string(1, static_cast<char>(c - 1));
    bomb += std::string(1, c) + ": &" + c + " [";
    for (int i = 0; i < 9; ++i) {
      bomb += use + (i < 8 ? "," : "]\n");
    }
  }
  EXPECT_EQ(read(bomb), "SK1201 f.yaml:1:4: the anchor &a is not allowed");
}

TEST(YamlAbuse, an_alias_to_itself_is_refused) {
  EXPECT_EQ(read("a: &a [*a]"), "SK1201 f.yaml:1:4: the anchor &a is not allowed");
}

TEST(YamlAbuse, an_alias_without_an_anchor_is_refused) {
  EXPECT_EQ(read("a: *nobody").substr(0, 18), "SK1201 f.yaml:1:4:");
}

TEST(YamlAbuse, merge_keys_are_refused) {
  EXPECT_EQ(read("a: 1\n<<: {a: 2}\n"), "SK1201 f.yaml:2:1: merge keys are not allowed");
}

TEST(YamlAbuse, foreign_tags_are_refused) {
  EXPECT_EQ(read("a: !!python/object:os.system x"),
            "SK1201 f.yaml:1:4: the tag !!python/object:os.system is not allowed here");
  EXPECT_EQ(read("a: !secret x"), "SK1201 f.yaml:1:4: the tag !secret is not allowed");
  EXPECT_EQ(read("!!set {a: 1}"),
            "SK1201 f.yaml:1:1: the tag tag:yaml.org,2002:set is not allowed");
  EXPECT_EQ(read("%TAG !e! tag:example.com,2026:\n---\n!e!x [1]"),
            "SK1201 f.yaml:3:1: the tag tag:example.com,2026:x is not allowed");
  EXPECT_EQ(read("!!binary aGk=: 1").substr(0, 6), "SK1201");
}

TEST(YamlAbuse, duplicate_keys_are_refused_with_both_places) {
  EXPECT_EQ(read("role: viewer\nx: 1\nrole: admin\n"),
            "SK1201 f.yaml:3:1: the key \"role\" is there twice; first in line 1");
  EXPECT_EQ(read("a: {b: 1, 'b': 2}"),
            "SK1201 f.yaml:1:11: the key \"b\" is there twice; first in line 1");
}

TEST(YamlAbuse, keys_that_are_no_scalars_are_refused) {
  EXPECT_EQ(read("[a, b]: c"), "SK1201 f.yaml:1:1: a key is not a scalar");
  EXPECT_EQ(read("? {a: 1}\n: c"), "SK1201 f.yaml:1:3: a key is not a scalar");
  EXPECT_EQ(read("? \n: c").substr(0, 6), "SK1201");
}

TEST(YamlAbuse, a_file_over_the_size_limit_is_refused_unread) {
  EXPECT_EQ(read(std::string(5u << 20, '[')),
            "SK1202 f.yaml:1:1: 5242880 bytes are over the limit of 1048576");
}

TEST(YamlAbuse, deep_nesting_is_refused) {
  EXPECT_EQ(read(std::string(1000, '[') + std::string(1000, ']')),
            "SK1202 f.yaml:1:33: nested deeper than 32");
  std::string deep;
  for (int i = 0; i < 1000; ++i) {
    deep += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  }
  EXPECT_EQ(read(deep), "SK1202 f.yaml:33:33: nested deeper than 32");
  EXPECT_EQ(read(std::string(1u << 20, '[')).substr(0, 4), "SK12");
  EXPECT_EQ(read(std::string(1u << 20, '{')).substr(0, 4), "SK12");
  EXPECT_EQ(read(std::string(32, '[') + std::string(32, ']')).front(), '[');
}

TEST(YamlAbuse, too_many_nodes_are_refused) {
  std::string many = "[";
  for (int i = 0; i < 10'000; ++i) {
    many += "1,\n";
  }
  EXPECT_EQ(read(many + "]"), "SK1202 f.yaml:10000:1: more than 10000 values and keys");
}

TEST(YamlAbuse, numbers_that_do_not_fit_are_refused) {
  EXPECT_EQ(read("a: 18446744073709551616"),
            "SK1201 f.yaml:1:4: 18446744073709551616 is a number that 64 bits cannot hold");
  EXPECT_EQ(read("-9223372036854775808"), "-9223372036854775808");
  EXPECT_EQ(read("-9223372036854775809").substr(0, 6), "SK1201");
  EXPECT_EQ(read("1e400").substr(0, 6), "SK1201");
  EXPECT_EQ(read("[.inf]").substr(0, 6), "SK1201");
  EXPECT_EQ(read("[.NaN]").substr(0, 6), "SK1201");
}

TEST(YamlAbuse, bytes_that_are_no_text_are_refused) {
  EXPECT_EQ(read(std::string("a: \0b", 5)), "SK1201 f.yaml:1:4: a control character");
  EXPECT_EQ(read("x: 1\na: \x1b[31m"), "SK1201 f.yaml:2:4: a control character");
  EXPECT_EQ(read("a: \xff\xfe"), "SK1201 f.yaml:1:4: byte 0xff is not UTF-8");
  EXPECT_EQ(read("a: é\nb: ü\xc3"), "SK1201 f.yaml:2:5: byte 0xc3 is not UTF-8");
}

TEST(YamlAbuse, escapes_that_would_give_broken_text_are_refused) {
  EXPECT_EQ(read(R"(a: "x\N")"),
            "SK1201 f.yaml:1:4: an escape in the text stands for no character");
  EXPECT_EQ(read(R"("\_": 1)"), "SK1201 f.yaml:1:1: an escape in the text stands for no character");
  EXPECT_EQ(read(R"(a: "\u0085\L\x41")"), "{\"a\":\"\u0085\u2028A\"}");
}

TEST(YamlAbuse, syntax_errors_have_a_place) {
  EXPECT_EQ(read("a: [1, 2\nb: 3\n").substr(0, 13), "SK1201 f.yaml");
  EXPECT_EQ(read("a: 'x").substr(0, 13), "SK1201 f.yaml");
  EXPECT_EQ(read("a: b: c").substr(0, 15), "SK1201 f.yaml:1");
  EXPECT_EQ(read("%YAML 3.0\n---\na: 1").substr(0, 6), "SK1201");
}

} // namespace
} // namespace skein::schemas
