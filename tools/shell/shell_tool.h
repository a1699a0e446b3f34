#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "tools/described_tool.h"
#include "tools/process/process_loop.h"
#include "tools/settings.h"

namespace skein::tools {

/// Runs one command or one script: `shell`.
///
/// A command is argv, never a line put together from strings; a script is one argument of /bin/sh.
class ShellTool : public DescribedTool {
 public:
  /// Ownership: settings outlive the tool.
  explicit ShellTool(const ToolSettings& settings);
  ~ShellTool() override { loop_->close(); }

  Result<void> check(const Value& input) const override;
  std::unique_ptr<ToolHandle> start(const ToolCall& call, ToolDone done) override;

 private:
  struct Waiting {
    ChildSpec spec;
    ChildDone done;
    std::shared_ptr<class ShellCall> call;
  };

  Result<ChildSpec> spec_of(const ToolCall& call, bool sandbox) const;
  void launch(Waiting waiting);
  void launch_sandboxed(Waiting waiting);
  void on_probe(Result<ChildOutcome> outcome);
  bool wants_sandbox(const Value& input) const;

  const ToolSettings& settings_;
  std::mutex mutex_;
  enum class Sandboxes : std::uint8_t { unknown, looking, usable, refused };
  Sandboxes sandboxes_ = Sandboxes::unknown; ///< guarded by mutex_
  std::string refusal_;                      ///< guarded by mutex_
  std::vector<Waiting> waiting_;             ///< for the probe; guarded by mutex_
  std::shared_ptr<ProcessLoop> loop_;
};

} // namespace skein::tools
