#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/flow/loading/draft.h"

namespace skein::flow::loading {

/// Compiles the expressions of a draft: which names each step sees, and whether what they name can
/// have run.
class Names {
 public:
  Names(Reader& reader, Draft& draft);

  /// A condition: CEL, with or without ${ } around all of it.
  std::optional<Program> condition(const At& at, const Step& step, bool sees_error = false);
  /// Any value with ${ } in its strings.
  std::optional<Template> value(const At& at, const Step& step, bool sees_error = false);
  /// Like value, for what is read once all steps have ended.
  std::optional<Template> final_value(const At& at);
  /// A list: ${ } or written out; a text without ${ } is an expression.
  std::optional<Template> list(const At& at, const Step& step);

 private:
  const expression::Declarations& names_of(std::uint16_t scope, bool sees_error, bool by_index);
  void declare_scope(expression::Declarations& names, std::uint16_t scope);
  void check_order(const At& at, const Step* step, std::span<const expression::Slot> slots);
  std::optional<Template> compile(const At& at, const Value& tree, const Step* step,
                                  bool sees_error);

  Reader& reader_;
  Draft& draft_;
  std::vector<std::optional<expression::Declarations>>
      declared_; ///< by scope × sees_error × by_index
};

} // namespace skein::flow::loading
