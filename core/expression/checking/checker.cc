#include "core/expression/checking/checker.h"

#include <algorithm>

#include "core/expression/lexer.h"

namespace skein::expression::checking {
namespace {

constexpr Kinds kBool = only(Kind::boolean);
constexpr Kinds kWalked = only(Kind::list) | only(Kind::map);
constexpr Kinds kOptional = only(Kind::optional);

} // namespace

Result<void> Checker::run() {
  if (!visit(expression_.root) ||
      !need(expression_.root, kinds_of(options_.result), "the result")) {
    return std::move(*error_);
  }
  auto& slots = expression_.slots;
  std::ranges::sort(slots);
  slots.erase(std::ranges::unique(slots).begin(), slots.end());
  return {};
}

// A mistake: an error now where the expression is checked, else when it is evaluated.
bool Checker::refuse(Node& node, std::string what) {
  if (options_.check) {
    return fail(node, what);
  }
  node.op = Op::broken;
  node.value = Value(what);
  node.kids.clear();
  return true;
}

bool Checker::need(const Node& node, Kinds wanted, std::string_view what) {
  if (!options_.check || (node.kinds & wanted) != 0) {
    return true;
  }
  return fail(node,
              std::string(what) + " is " + kinds_text(node.kinds) + ", not " + kinds_text(wanted));
}

bool Checker::fail(const Node& node, const std::string& what) {
  error_.emplace(Code::expression_type, what + " at " + line_and_column(expression_.text, node.at));
  return false;
}

bool Checker::visit_kids(Node& node) {
  return std::ranges::all_of(node.kids, [this](Node& kid) { return visit(kid); });
}

bool Checker::visit(Node& node) {
  switch (node.op) {
    case Op::literal:
      node.kinds = only(node.value.kind());
      return true;
    case Op::name:
      return resolve({&node});
    case Op::select:
    case Op::has:
      return visit_select(node);
    case Op::index:
      return visit_index(node);
    case Op::call:
      return visit_call(node);
    case Op::list:
    case Op::map:
      return visit_literal_container(node);
    case Op::all_of:
    case Op::any_of:
      return visit_operands(node);
    case Op::conditional:
      return visit_conditional(node);
    case Op::equal:
    case Op::unequal:
      return visit_equality(node);
    case Op::bind:
    case Op::opt_map:
    case Op::opt_flat_map:
      return visit_binding(node);
    case Op::or_value:
    case Op::or_optional:
      return visit_alternative(node);
    case Op::slot:
    case Op::local:
    case Op::broken:
      return true;
    default:
      return visit_macro(node);
  }
}

bool Checker::visit_operands(Node& node) {
  node.kinds = kBool;
  const std::string_view what = node.op == Op::all_of ? "an operand of &&" : "an operand of ||";
  return visit_kids(node) &&
         std::ranges::all_of(node.kids, [&](const Node& kid) { return need(kid, kBool, what); });
}

bool Checker::visit_select(Node& node) {
  const auto chain = node.op == Op::has ? Chain{} : chain_of(node);
  if (!chain.empty() && !resolve(chain)) {
    return false;
  }
  if (node.op != Op::select && node.op != Op::has) {
    return true; // the whole chain is one name
  }
  if (!visit(node.kids[0]) || !has_member(node)) {
    return false;
  }
  const Node& from = node.kids[0];
  if (options_.check && (from.kinds & (only(Kind::map) | kOptional)) == 0) {
    return refuse(node, "a value of type " + kinds_text(from.kinds) + " has no field \"" +
                            std::string(node.value.as_string()) + "\"");
  }
  if (node.op == Op::has) {
    node.kinds = kBool;
  } else if (node.flag || from.kinds == kOptional) {
    node.kinds = kOptional;
  } else if (from.kinds == only(Kind::map)) {
    node.kinds = from.elements;
  }
  take_shape(node);
  fold(node);
  return true;
}

bool Checker::visit_index(Node& node) {
  if (!visit_kids(node)) {
    return false;
  }
  const Node& from = node.kids[0];
  const Node& key = node.kids[1];
  constexpr Kinds kKeys = kBool | kinds_of('n') | kinds_of('s');
  if (!need(from, kWalked | kOptional, "what is indexed") ||
      (from.kinds == only(Kind::list) && !need(key, kinds_of('n'), "an index")) ||
      !need(key, kKeys, "a key") || !has_member(node)) {
    return false;
  }
  if (node.flag) {
    node.kinds = kOptional;
  } else if (from.kinds == only(Kind::list) || from.kinds == only(Kind::map)) {
    node.kinds = from.elements;
  }
  take_shape(node);
  fold(node);
  return true;
}

bool Checker::visit_literal_container(Node& node) {
  if (!visit_kids(node)) {
    return false;
  }
  const bool list = node.op == Op::list;
  const std::size_t step = list ? 1 : 2;
  node.kinds = only(list ? Kind::list : Kind::map);
  for (std::size_t i = 0; i < node.kids.size(); i += step) {
    const Node& item = node.kids[i + step - 1];
    if (node.kids[i].maybe && !need(item, kOptional, "an element behind ?")) {
      return false;
    }
    const Kinds kinds = node.kids[i].maybe ? kAnyKind : item.kinds;
    node.elements = i == 0 ? kinds : common(node.elements, kinds);
    if (!list &&
        !need(node.kids[i], kBool | only(Kind::integer) | only(Kind::uinteger) | only(Kind::string),
              "the key of a map")) {
      return false;
    }
  }
  fold(node);
  return true;
}

bool Checker::visit_conditional(Node& node) {
  if (!visit_kids(node) || !need(node.kids[0], kBool, "the condition of ?:")) {
    return false;
  }
  node.kinds = node.kids[1].kinds | node.kids[2].kinds;
  node.elements = common(node.kids[1].elements, node.kids[2].elements);
  return true;
}

bool Checker::visit_equality(Node& node) {
  if (!visit_kids(node)) {
    return false;
  }
  node.kinds = kBool;
  if (options_.check && (node.kids[0].kinds & node.kids[1].kinds) == 0 && !against_null(node)) {
    return refuse(node, "no such overload: " + std::string(node.op == Op::equal ? "==" : "!=") +
                            " does not compare " + kinds_text(node.kids[0].kinds) + " with " +
                            kinds_text(node.kids[1].kinds));
  }
  fold(node);
  return true;
}

bool Checker::visit_alternative(Node& node) {
  if (!visit_kids(node)) {
    return false;
  }
  node.kinds = node.op == Op::or_optional ? kOptional : kAnyKind;
  return need(node.kids[0], kOptional,
              "the receiver of " + std::string(shown_name(node.value.as_string()))) &&
         (node.op == Op::or_value || need(node.kids[1], kOptional, "the argument of or"));
}

bool Checker::visit_binding(Node& node) {
  Node& from = node.kids[0];
  if (!visit(from)) {
    return false;
  }
  const bool bind = node.op == Op::bind;
  if (!bind && !need(from, kOptional, "the receiver of optMap")) {
    return false;
  }
  node.index = static_cast<std::uint32_t>(scope_.size());
  enter(node.variables[0], bind ? from.kinds : kAnyKind, bind ? from.elements : kAnyKind,
        bind ? shape_of(from) : nullptr);
  const bool visited = visit(node.kids[1]);
  scope_.pop_back();
  node.kinds = bind ? node.kids[1].kinds : kOptional;
  node.elements = bind ? node.kids[1].elements : kAnyKind;
  return visited &&
         (node.op != Op::opt_flat_map || need(node.kids[1], kOptional, "the result of optFlatMap"));
}

bool Checker::visit_macro(Node& node) {
  Node& range = node.kids[0];
  if (!visit(range) || !need(range, kWalked, "what a macro walks")) {
    return false;
  }
  node.index = static_cast<std::uint32_t>(scope_.size());
  enter_items(node);
  const bool visited =
      std::all_of(node.kids.begin() + 1, node.kids.end(), [this](Node& kid) { return visit(kid); });
  scope_.resize(node.index);
  return visited && judge_macro(node);
}

bool Checker::judge_macro(Node& node) {
  const Node& range = node.kids[0];
  const bool transforms = node.op == Op::transform_map || node.op == Op::transform_entry;
  const bool collects = transforms || node.op == Op::map_items || node.op == Op::filter;
  const bool condition = !collects || node.op == Op::filter || node.kids.size() == 3;
  node.kinds = !collects ? kBool : only(transforms ? Kind::map : Kind::list);
  if (node.op == Op::map_items || node.op == Op::transform_map) {
    node.elements = node.kids.back().kinds;
  } else if (node.op == Op::filter && range.kinds == only(Kind::list)) {
    node.elements = range.elements;
  }
  return !condition || need(node.kids[1], kBool, "the condition of a macro");
}

} // namespace skein::expression::checking
