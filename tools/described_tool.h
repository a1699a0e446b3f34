#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "core/ports/tool.h"
#include "core/schema/schema.h"

namespace skein::tools {

/// What a tool says of itself, as text in the program.
struct Card {
  std::string_view name;
  std::string_view summary;
  EffectClass effect_class = EffectClass::unsafe;
  std::string_view input_schema; ///< JSON
  std::string_view output_schema;
};

/// A tool that checks its input by the schema on its card. Schemas are read at the first use.
class DescribedTool : public Tool {
 public:
  explicit DescribedTool(const Card& card) : card_(card) {}

  const ToolDescription& description() const final { return described().description; }
  EffectClass effect_class(const Value& input) const override;
  /// Errors: tool_input_invalid.
  Result<void> check(const Value& input) const override;

 private:
  struct Described {
    ToolDescription description;
    std::optional<schema::Schema> input;
  };
  const Described& described() const;

  Card card_;
  mutable std::once_flag once_;
  mutable Described described_;
};

/// The handle of a call that is over.
class EndedCall : public ToolHandle {
 public:
  void cancel() override {}
};

/// Reports a result: the only way that tools call `done`.
void report(const ToolDone& done, ToolResult result);

} // namespace skein::tools
