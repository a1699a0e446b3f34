#include "tools/file/file_tool.h"

#include <algorithm>
#include <array>
#include <atomic>

#include "core/ports/failpoint.h"
#include "tools/arguments.h"
#include "tools/file/beneath.h"
#include "tools/file/operations.h"

namespace skein::tools {
namespace {

constexpr Card kCard{"file", "Reads, writes and lists files of the workspace", EffectClass::unsafe,
                     R"({
      "type": "object",
      "properties": {
        "op": {"enum": ["read", "write", "append", "list", "stat", "delete"]},
        "path": {"type": "string"},
        "content": {"description": "text; other values are written as JSON"},
        "encoding": {"enum": ["text", "base64"]},
        "max_output": {"type": ["integer", "string"]}
      },
      "required": ["op", "path"],
      "if": {"properties": {"op": {"enum": ["write", "append"]}}, "required": ["op"]},
      "then": {"required": ["content"]},
      "additionalProperties": false
    })",
                     R"({
      "type": "object",
      "properties": {
        "content": {"type": "string"}, "size": {"type": "integer"}, "hash": {"type": "string"},
        "path": {"type": "string"}, "exists": {"type": "boolean"}, "kind": {"type": "string"},
        "modified_at": {"type": "string"}, "deleted": {"type": "boolean"},
        "entries": {"type": "array", "items": {"type": "object"}}
      },
      "additionalProperties": false
    })"};

using Operation = ToolResult (*)(const ToolCall&, const ToolSettings&);

struct Row {
  std::string_view op;
  EffectClass effect_class;
  Operation run;
};

constexpr std::array kRows{
    Row{"read", EffectClass::pure, &read_file},
    Row{"write", EffectClass::verify, &write_file},
    Row{"append", EffectClass::unsafe, &append_file},
    Row{"list", EffectClass::pure, &list_directory},
    Row{"stat", EffectClass::pure, &stat_file},
    Row{"delete", EffectClass::idempotent, &delete_file},
};

const Row* row_of(const Value& input) {
  const auto op = text_at(input, "op");
  const auto* row =
      std::find_if(kRows.begin(), kRows.end(), [&](const Row& r) { return r.op == op; });
  return row == kRows.end() ? nullptr : row;
}

/// A call that has not begun can be cancelled; one that has is over soon.
class FileHandle : public ToolHandle {
 public:
  explicit FileHandle(std::shared_ptr<std::atomic<bool>> cancelled)
      : cancelled_(std::move(cancelled)) {}
  void cancel() override { cancelled_->store(true); }

 private:
  std::shared_ptr<std::atomic<bool>> cancelled_;
};

} // namespace

FileTool::FileTool(const ToolSettings& settings) : DescribedTool(kCard), settings_(settings) {}

EffectClass FileTool::effect_class(const Value& input) const {
  const Row* row = row_of(input);
  return row != nullptr ? row->effect_class : EffectClass::unsafe;
}

Result<void> FileTool::check(const Value& input) const {
  if (const auto checked = DescribedTool::check(input); !checked) {
    return checked;
  }
  const auto path = find_root(settings_, *text_at(input, "path"));
  return path ? Result<void>() : Result<void>(path.error());
}

std::unique_ptr<ToolHandle> FileTool::start(const ToolCall& call, ToolDone done) {
  if (const auto checked = check(call.input); !checked) {
    report(done, checked.error());
    return std::make_unique<EndedCall>();
  }
  failpoint("tool.before_start");
  auto cancelled = std::make_shared<std::atomic<bool>>(false);
  worker_.add([this, call, cancelled, done = std::move(done)](bool closing) {
    if (closing || cancelled->load()) {
      return report(done, Error{Code::step_cancelled, "the work on the file was cancelled"});
    }
    report(done, row_of(call.input)->run(call, settings_));
  });
  return std::make_unique<FileHandle>(std::move(cancelled));
}

Result<std::optional<Value>> FileTool::probe(const ToolCall& call) {
  if (const auto checked = check(call.input); !checked) {
    return checked.error();
  }
  return effect_class(call.input) == EffectClass::verify ? find_written(call, settings_)
                                                         : std::optional<Value>();
}

} // namespace skein::tools
