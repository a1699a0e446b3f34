#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/ports/tool.h"
#include "core/value/json.h"
#include "unit/tools/promise.h"

namespace skein::tools {

inline Value json(std::string_view text) {
  auto value = parse_json(text);
  EXPECT_TRUE(value.ok()) << text;
  return value.ok() ? *value : Value();
}

inline ToolCall call_of(std::string_view tool, Value input) {
  ToolCall call;
  call.tool = tool;
  call.input = std::move(input);
  call.run = RunId("triage-1");
  call.step = "count";
  call.attempt = 2;
  call.key = "triage-1/count/0";
  return call;
}

/// Runs one call to its end.
inline ToolResult run(Tool& tool, const ToolCall& call) {
  if (auto done = tool.run_inline(call)) {
    return *done;
  }
  Promise<ToolResult> promise;
  const auto handle = tool.start(call, std::ref(promise));
  return promise.wait();
}

inline ToolResult run(Tool& tool, std::string_view input) {
  return run(tool, call_of(tool.description().name, json(input)));
}

inline std::string text_of(const ToolResult& result) {
  return result.ok() ? to_json(*result) : to_string(result.error());
}

/// A directory of its own for one test.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "skein-test-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    path_ = std::filesystem::canonical(name).string();
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

} // namespace skein::tools
