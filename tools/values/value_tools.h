#pragma once

#include "tools/settings.h"
#include "tools/values/inline_tool.h"

namespace skein::tools {

/// Reads, points into, merges, compares and validates values: `json`.
class JsonTool : public InlineTool {
 public:
  JsonTool();

 private:
  ToolResult run(const ToolCall& call) override;
};

/// Gives back its input: `transform`. The work was done by the expressions in it.
class TransformTool : public InlineTool {
 public:
  TransformTool();
  /// Anything will do.
  Result<void> check(const Value& input) const override;

 private:
  ToolResult run(const ToolCall& call) override;
};

/// Says something to whoever watches the run: `log`.
class LogTool : public InlineTool {
 public:
  /// Ownership: settings outlive the tool.
  explicit LogTool(const ToolSettings& settings);

 private:
  ToolResult run(const ToolCall& call) override;

  const ToolSettings& settings_;
};

} // namespace skein::tools
