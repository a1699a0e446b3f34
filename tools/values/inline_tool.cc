#include "tools/values/inline_tool.h"

namespace skein::tools {

std::optional<ToolResult> InlineTool::run_inline(const ToolCall& call) {
  if (const auto checked = check(call.input); !checked) {
    return ToolResult(checked.error());
  }
  return run(call);
}

std::unique_ptr<ToolHandle> InlineTool::start(const ToolCall& call, ToolDone done) {
  report(done, *run_inline(call));
  return std::make_unique<EndedCall>();
}

} // namespace skein::tools
