#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/flow/loading/draft.h"

namespace skein::flow::loading {

/// Compiles the expressions of a draft: which names each step sees, and whether what they name can
/// have run.
class Names {
 public:
  /// `lenient`: what could only fail once it runs is left to fail then.
  Names(Reader& reader, Draft& draft, const LoadOptions& options);

  /// A condition: CEL, with or without ${ } around all of it.
  std::optional<Program> condition(const At& at, const Step& step, bool sees_error = false);
  /// Any value with ${ } in its strings.
  std::optional<Template> value(const At& at, const Step& step, bool sees_error = false);
  /// Like value, for what is read once all steps have ended.
  std::optional<Template> final_value(const At& at);
  /// A list: ${ } or written out; a text without ${ } is an expression.
  std::optional<Template> list(const At& at, const Step& step);

 private:
  /// Where an expression stands. Null: read once all steps have ended.
  struct Reading {
    const Step* step = nullptr;
    bool sees_error = false;
  };

  std::uint16_t scope_of(const Reading& reading) const;
  const expression::Declarations& names_of(const Reading& reading, bool by_index);
  const expression::Declarations& outermost(bool sees_error, bool by_index);
  void declare_steps(expression::Declarations& names) const;
  void describe(expression::Declarations& names) const;
  void describe_steps(expression::Declarations& names) const;
  void declare_items(expression::Declarations& names, std::uint16_t scope) const;
  std::optional<Error> objection(const Reading& reading, const Step& named) const;
  bool in_order(const Reading& reading, std::span<const expression::Slot> slots) const;
  void check_order(const At& at, const Reading& reading, std::span<const expression::Slot> slots);
  void check_indexes(const At& at, const Reading& reading, std::string_view text);
  expression::Shape variables() const;
  std::optional<Template> compile(const At& at, const Value& tree, const Reading& reading,
                                  const expression::Options& options = {});
  void blame(const At& at, const Value& tree, const Reading& reading,
             const expression::Options& options);

  Reader& reader_;
  Draft& draft_;
  const LoadOptions& options_;
  std::vector<expression::Slot> item_slots_; ///< by scope: of its item; the index's is the next
  std::array<std::optional<expression::Declarations>, 4> outermost_; ///< by sees_error × by_index
  /// Of the scope that was asked for last: steps come in the file's order, so it mostly is the
  /// same.
  std::optional<expression::Declarations> inner_;
  std::size_t inner_key_ = 0;
};

} // namespace skein::flow::loading
