// tool_schemas: one line of JSON for each tool: {"name", "input", "output"}, its two schemas.
// tool_schemas check: reads lines {"tool", "input"} and answers "yes" or "no" for each: whether the
// input fits the tool's schema, as the tool itself sees it.
#include <cstdio>
#include <iostream>
#include <string>
#include <string_view>

#include "core/schema/schema.h"
#include "core/value/json.h"
#include "tools/tool_box.h"

namespace {

using skein::Value;

int print(const skein::ToolBox& tools) {
  for (const std::string_view name : tools.names()) {
    const skein::ToolDescription& tool = tools.find(name)->description();
    std::puts(skein::to_json(skein::object({{"name", tool.name},
                                            {"input", tool.input_schema},
                                            {"output", tool.output_schema}}))
                  .c_str());
  }
  return 0;
}

int check(const skein::ToolBox& tools) {
  for (std::string line; std::getline(std::cin, line);) {
    const auto asked = skein::parse_json(line);
    const Value* name = asked ? asked->find("tool") : nullptr;
    const skein::Tool* tool = name != nullptr ? tools.find(name->as_string()) : nullptr;
    if (tool == nullptr) {
      std::fprintf(stderr, "not a question: %s\n", line.c_str());
      return 1;
    }
    const auto schema = skein::schema::Schema::compile(tool->description().input_schema);
    std::puts(schema && schema->check(*asked->find("input")) ? "yes" : "no");
  }
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  skein::tools::ToolSettings settings;
  settings.roots.emplace_back("/tmp");
  const auto tools = skein::tools::make_tool_box(std::move(settings));
  return argc > 1 && std::string_view(argv[1]) == "check" ? check(*tools) : print(*tools);
}
