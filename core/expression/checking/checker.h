#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/expression/function.h"
#include "core/expression/syntax.h"

namespace skein::expression::checking {

/// a, a.b, a.b.c: the nodes of a name with the fields behind it, from the root up.
using Chain = std::vector<Node*>;

/// The chain that ends in `top`; empty where something else than a name is below.
Chain chain_of(Node& top);
/// The first `count` parts, with dots.
std::string joined(const Chain& chain, std::size_t count);

/// What every one of two is known to be: one kind for both, or any.
constexpr Kinds common(Kinds a, Kinds b) { return a == b ? a : kAnyKind; }

/// Resolves names to slots and locals and calls to overloads, finds what the kinds already show to
/// be wrong, and computes what is constant. Source: CEL language definition, "Name resolution".
class Checker {
 public:
  Checker(const Declarations& declarations, const Options& options, Expression& expression)
      : declarations_(declarations), options_(options), expression_(expression) {}

  /// Errors: expression_type; detail ends with "at LINE:COLUMN".
  Result<void> run();

 private:
  struct Variable {
    std::string name;
    Kinds kinds = kAnyKind;
    Kinds elements = kAnyKind;
    const Shape* shape = nullptr;
  };

  // All that answer a bool: false with error_ set.

  // checker.cc: the walk over the tree.
  bool visit(Node& node);
  bool visit_kids(Node& node);
  bool visit_operands(Node& node);
  bool visit_select(Node& node);
  bool visit_index(Node& node);
  bool visit_conditional(Node& node);
  bool visit_equality(Node& node);
  bool visit_macro(Node& node);
  bool judge_macro(Node& node);
  bool visit_binding(Node& node);
  bool visit_literal_container(Node& node);
  bool visit_alternative(Node& node);
  bool need(const Node& node, Kinds wanted, std::string_view what);
  bool refuse(Node& node, std::string what);
  bool fail(const Node& node, const std::string& what);

  // names.cc: what a name means where it stands.
  const Variable* local(std::string_view name) const;
  void enter(std::string name, Kinds kinds, Kinds elements, const Shape* shape = nullptr);
  void enter_items(const Node& macro);
  std::vector<std::string> candidates(const std::string& name, bool absolute) const;
  bool resolve(const Chain& chain);
  bool resolve_as(Node& node, const std::string& name);
  bool unknown_name(const Chain& chain);
  bool refuse_name(Node& node, const std::string& above, std::string_view part,
                   std::span<const std::string_view> here);

  // shapes.cc: what is known of a value besides its kind.
  const Shape* shape_of(const Node& node) const;
  void take_shape(Node& node) const;
  bool has_member(Node& node);
  bool against_null(const Node& equality) const;

  // calls.cc: which function is called, and what is computed now.
  bool visit_call(Node& node);
  bool unknown_function(Node& node);
  void qualify(Node& call) const;
  void qualify_member(Node& call) const;
  bool visit_overloads(Node& node);
  bool visit_pattern(Node& node);
  static void specialize(Node& node);
  static void fold(Node& node);

  const Declarations& declarations_;
  const Options& options_;
  Expression& expression_;
  std::vector<Variable> scope_;
  std::optional<Error> error_;
};

} // namespace skein::expression::checking
