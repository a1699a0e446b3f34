#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/expression/syntax.h"

namespace skein::expression {

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
  };

  // Each returns false with error_ set.
  bool visit(Node& node);
  bool visit_kids(Node& node);
  bool visit_name(Node& node);
  bool visit_select(Node& node);
  bool visit_index(Node& node);
  bool visit_call(Node& node);
  bool visit_overloads(Node& node);
  static void specialize(Node& node);
  bool visit_pattern(Node& node);
  bool visit_conditional(Node& node);
  bool visit_equality(Node& node);
  bool visit_macro(Node& node);
  bool visit_binding(Node& node);
  bool visit_literal_container(Node& node);
  bool visit_alternative(Node& node);
  void fold(Node& node);

  bool resolve(std::vector<Node*>& chain);
  bool resolve_as(Node& node, const std::string& name);
  bool unknown_name(std::vector<Node*>& chain);
  bool refuse_name(Node& node, const std::string& above, std::string_view part,
                   std::span<const std::string_view> here);
  bool has_member(Node& select);
  bool unknown_function(Node& node);
  void qualify(Node& call);
  bool need(const Node& node, Kinds wanted, std::string_view what);
  bool refuse(Node& node, std::string what);
  std::vector<std::string> candidates(const std::string& name, bool absolute) const;
  const Variable* local(std::string_view name) const;
  void enter(std::string name, Kinds kinds, Kinds elements);

  const Declarations& declarations_;
  const Options& options_;
  Expression& expression_;
  std::vector<Variable> scope_;
  std::optional<Error> error_;
};

} // namespace skein::expression
