#pragma once

#include <memory>

#include "tools/described_tool.h"

namespace skein::tools {

/// A tool whose calls are over in microseconds and so run on the caller's thread.
class InlineTool : public DescribedTool {
 public:
  using DescribedTool::DescribedTool;

  std::optional<ToolResult> run_inline(const ToolCall& call) final;
  std::unique_ptr<ToolHandle> start(const ToolCall& call, ToolDone done) final;

 private:
  /// REQUIRES: the input passed check().
  virtual ToolResult run(const ToolCall& call) = 0;
};

} // namespace skein::tools
