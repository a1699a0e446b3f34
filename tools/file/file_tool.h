#pragma once

#include <memory>

#include "tools/described_tool.h"
#include "tools/file/worker.h"
#include "tools/settings.h"

namespace skein::tools {

/// Works on files below the declared roots: `file`.
class FileTool : public DescribedTool {
 public:
  /// Ownership: settings outlive the tool.
  explicit FileTool(const ToolSettings& settings);

  /// read, list and stat are pure, write verify, append unsafe, delete idempotent.
  EffectClass effect_class(const Value& input) const override;
  Result<void> check(const Value& input) const override;
  std::unique_ptr<ToolHandle> start(const ToolCall& call, ToolDone done) override;
  /// Whether the file has the content that a write was to give it.
  Result<std::optional<Value>> probe(const ToolCall& call) override;

 private:
  const ToolSettings& settings_;
  Worker worker_;
};

} // namespace skein::tools
