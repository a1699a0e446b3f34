#include "tools/values/value_tools.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/tool_box.h"
#include "tools/values/patch.h"
#include "unit/tools/calls.h"

namespace skein::tools {
namespace {

using testing::HasSubstr;

std::string result_of_json(std::string_view input) {
  JsonTool tool;
  return text_of(*tool.run_inline(call_of("json", json(input))));
}

TEST(JsonTool, parse_reads_text) {
  EXPECT_EQ(result_of_json(R"({"op": "parse", "text": "[1, {\"a\": null}]"})"),
            R"([1,{"a":null}])");
  EXPECT_THAT(result_of_json(R"({"op": "parse", "text": "[1,"})"),
              HasSubstr("SK5003: the text is no JSON"));
}

TEST(JsonTool, pointer_finds_or_falls_back) {
  EXPECT_EQ(result_of_json(
                R"({"op": "pointer", "value": {"a/b": [{"m~n": 7}]}, "pointer": "/a~1b/0/m~0n"})"),
            "7");
  EXPECT_EQ(result_of_json(R"({"op": "pointer", "value": 5, "pointer": ""})"), "5");
  EXPECT_EQ(result_of_json(R"({"op": "pointer", "value": [1], "pointer": "/1", "default": "d"})"),
            "\"d\"");
  EXPECT_THAT(result_of_json(R"({"op": "pointer", "value": [1], "pointer": "/01"})"),
              HasSubstr("there is nothing at /01"));
  EXPECT_THAT(result_of_json(R"({"op": "pointer", "value": [1], "pointer": "x"})"),
              HasSubstr("SK5002"));
  EXPECT_THAT(result_of_json(R"({"op": "pointer", "value": {}, "pointer": "/~2"})"),
              HasSubstr("SK5002"));
}

TEST(JsonTool, merge_follows_the_cases_of_its_specification) {
  const auto merged = [](std::string_view target, std::string_view patch) {
    return to_json(merge_patch(json(target), json(patch)));
  };
  EXPECT_EQ(merged(R"({"a": "b", "c": {"d": "e", "f": "g"}})", R"({"a": "z", "c": {"f": null}})"),
            R"({"a":"z","c":{"d":"e"}})");
  EXPECT_EQ(merged(R"({"a": [{"b": "c"}]})", R"({"a": [1]})"), R"({"a":[1]})");
  EXPECT_EQ(merged(R"(["a", "b"])", R"({"a": "b", "c": null})"), R"({"a":"b"})");
  EXPECT_EQ(merged("{}", R"({"a": {"bb": {"ccc": null}}})"), R"({"a":{"bb":{}}})");
  EXPECT_EQ(merged(R"({"e": null})", R"({"a": 1})"), R"({"a":1,"e":null})");
  EXPECT_EQ(merged(R"({"a": "foo"})", "null"), "null");
}

TEST(JsonTool, diff_names_what_changed) {
  const auto diff = [](std::string_view from, std::string_view to) {
    return to_json(diff_patch(json(from), json(to)));
  };
  EXPECT_EQ(diff(R"({"a": 1})", R"({"a": 1})"), "[]");
  EXPECT_EQ(diff(R"({"a": 1, "b/c": 2, "d": 3})", R"({"a": 9, "d": 3, "e": [4]})"),
            R"([{"op":"replace","path":"/a","value":9},{"op":"remove","path":"/b~1c"},)"
            R"({"op":"add","path":"/e","value":[4]}])");
  EXPECT_EQ(diff("[1, 2, 3, 4]", "[1, 4]"),
            R"([{"op":"remove","path":"/2"},{"op":"remove","path":"/1"}])");
  EXPECT_EQ(diff("[1, 4]", "[1, 2, 3, 4]"),
            R"([{"op":"add","path":"/1","value":2},{"op":"add","path":"/2","value":3}])");
  EXPECT_EQ(diff("[1, {\"a\": 1}, 3]", "[1, {\"a\": 2}, 3]"),
            R"([{"op":"replace","path":"/1/a","value":2}])");
  EXPECT_EQ(diff("[]", "{}"), R"([{"op":"replace","path":"","value":{}}])");
}

TEST(JsonTool, validate_gives_reasons_instead_of_failing) {
  EXPECT_EQ(result_of_json(R"({"op": "validate", "value": 1, "schema": {"type": "integer"}})"),
            R"({"errors":[],"valid":true})");
  EXPECT_EQ(result_of_json(
                R"({"op": "validate", "value": {"a": 1}, "schema": {"properties": {"a": false}}})"),
            R"({"errors":[{"pointer":"/a","reason":"is not allowed"}],"valid":false})");
  EXPECT_THAT(result_of_json(R"({"op": "validate", "value": 1, "schema": {"type": "x"}})"),
              HasSubstr("SK1209"));
}

TEST(JsonTool, each_operation_asks_for_its_own_inputs) {
  EXPECT_THAT(result_of_json(R"({"op": "merge", "value": {}})"),
              HasSubstr("has no \"patch\", which is required"));
  EXPECT_THAT(result_of_json(R"({"op": "parse", "txt": "1"})"),
              HasSubstr("did you mean \"text\"?"));
}

TEST(TransformTool, anything_comes_back_as_it_was) {
  TransformTool tool;
  for (const char* value : {"null", "[1,\"a\"]", R"({"op":1})", "2.5"}) {
    EXPECT_EQ(text_of(*tool.run_inline(call_of("transform", json(value)))), value);
  }
}

TEST(LogTool, a_message_reaches_the_sink_with_level_and_fields) {
  std::vector<std::string> seen;
  ToolSettings settings;
  settings.log = [&](const ToolCall& call, const ToolLog& log) {
    seen.push_back(call.run.get() + " " + log.level + " " + log.message + " " +
                   to_json(log.fields));
  };
  LogTool tool(settings);
  EXPECT_EQ(text_of(run(tool, R"({"message": "hi", "level": "warning", "fields": {"a": 1}})")),
            "null");
  EXPECT_EQ(text_of(run(tool, R"({"message": 3})")), "null");
  EXPECT_THAT(seen, testing::ElementsAre("triage-1 warning hi {\"a\":1}", "triage-1 info 3 null"));
  EXPECT_THAT(run(tool, R"({"message": "x", "level": "warn"})").error().detail,
              HasSubstr("must be one of"));
}

TEST(ToolBox, every_tool_is_found_and_describes_itself) {
  const auto box = make_tool_box({});
  EXPECT_THAT(box->names(),
              testing::ElementsAre("file", "http", "json", "log", "shell", "transform"));
  for (const std::string_view name : box->names()) {
    const ToolDescription& description = box->find(name)->description();
    EXPECT_EQ(description.name, name);
    EXPECT_FALSE(description.summary.empty());
    EXPECT_TRUE(schema::Schema::compile(description.input_schema).ok());
    EXPECT_TRUE(schema::Schema::compile(description.output_schema).ok());
  }
  EXPECT_EQ(box->find("nothing"), nullptr);
}

TEST(ToolBox, outputs_match_their_schemas) {
  Folder folder;
  ToolSettings settings;
  settings.roots = {folder.path()};
  settings.shell.sandbox = false;
  const auto box = make_tool_box(settings);
  for (const auto& [name, input] : std::initializer_list<std::pair<const char*, const char*>>{
           {"shell", R"({"command": ["true"]})"},
           {"file", R"({"op": "write", "path": "x", "content": "y"})"},
           {"file", R"({"op": "list", "path": ""})"},
           {"log", R"({"message": "x"})"}}) {
    Tool& tool = *box->find(name);
    const ToolResult result = run(tool, input);
    ASSERT_TRUE(result.ok()) << to_string(result.error());
    EXPECT_TRUE(schema::Schema::compile(tool.description().output_schema)->check(*result).ok())
        << name;
  }
}

TEST(ToolBox, its_end_ends_every_call_once) {
  Folder folder;
  ToolSettings settings;
  settings.roots = {folder.path()};
  settings.shell.sandbox = false;
  auto box = make_tool_box(settings);
  std::vector<std::unique_ptr<Promise<ToolResult>>> promises;
  std::vector<std::unique_ptr<ToolHandle>> handles;
  for (int i = 0; i < 20; ++i) {
    promises.push_back(std::make_unique<Promise<ToolResult>>());
    const bool file = i % 2 == 0;
    const ToolCall call =
        file ? call_of("file",
                       object({{"op", "write"}, {"path", std::to_string(i)}, {"content", "x"}}))
             : call_of("shell", json(R"({"command": ["sleep", 1000]})"));
    handles.push_back(box->find(call.tool)->start(call, std::ref(*promises.back())));
  }
  box.reset();
  for (const auto& promise : promises) {
    EXPECT_EQ(promise->calls(), 1);
  }
  handles[1]->cancel();
}

Error refusal_of(const ToolSettings& settings) {
  const auto checked = check(settings);
  return checked ? Error{Code::interrupted, "it was taken"} : checked.error();
}

TEST(ToolBox, settings_that_cannot_be_read_are_refused_and_named) {
  EXPECT_TRUE(check(ToolSettings{}).ok());
  ToolSettings settings;
  settings.http.allow = {"host:80", "10.0.0.0/33"};
  EXPECT_EQ(refusal_of(settings).code, Code::usage_invalid);
  EXPECT_EQ(refusal_of(settings).detail, "\"10.0.0.0/33\" is no HOST, HOST:PORT or ADDRESS/BITS");
  settings = {};
  settings.shell.allowed_commands = {"git", "/usr/bin/git", "./git"};
  EXPECT_EQ(refusal_of(settings).detail, "\"./git\" is no command to allow");
  settings = {};
  settings.shell.pass_environment = {"KUBECONFIG", "A=b"};
  EXPECT_EQ(refusal_of(settings).detail, "\"A=b\" is no name of a variable");
  settings = {};
  settings.shell.sandbox = false;
  EXPECT_TRUE(check(settings).ok());
  settings.shell.allow_no_sandbox = false;
  EXPECT_EQ(refusal_of(settings).code, Code::usage_invalid);
}

} // namespace
} // namespace skein::tools
