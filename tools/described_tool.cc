#include "tools/described_tool.h"

#include <cassert>

#include "core/ports/failpoint.h"
#include "core/value/json.h"

namespace skein::tools {
namespace {

Value parsed(std::string_view text) {
  auto value = parse_json(text);
  assert(value.ok()); // part of this program
  return std::move(*value);
}

} // namespace

EffectClass DescribedTool::effect_class(const Value& input) const {
  (void)input;
  return card_.effect_class;
}

Result<void> DescribedTool::check(const Value& input) const {
  const auto checked = described().input->check(input);
  if (!checked) {
    return Error{Code::tool_input_invalid,
                 std::string(card_.name) + " cannot take this input: " + checked.error().detail,
                 checked.error().hint};
  }
  return {};
}

const DescribedTool::Described& DescribedTool::described() const {
  std::call_once(once_, [this] {
    described_.description = {std::string(card_.name), std::string(card_.summary),
                              card_.effect_class, parsed(card_.input_schema),
                              parsed(card_.output_schema)};
    auto schema = schema::Schema::compile(described_.description.input_schema);
    assert(schema.ok());
    described_.input = std::move(*schema);
  });
  return described_;
}

void report(const ToolDone& done, ToolResult result) {
  failpoint("tool.after_done");
  done(std::move(result));
}

} // namespace skein::tools
