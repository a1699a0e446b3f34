#include "core/expression/checker.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>

#include "core/base/nearest.h"
#include "core/expression/evaluator.h"
#include "core/expression/lexer.h"

namespace skein::expression {
namespace {

constexpr Kinds kBool = only(Kind::boolean);
constexpr Kinds kWalked = only(Kind::list) | only(Kind::map);
constexpr Kinds kOptional = only(Kind::optional);

constexpr std::array<std::string_view, 13> kTypes{"bool",
                                                  "bytes",
                                                  "double",
                                                  "int",
                                                  "list",
                                                  "map",
                                                  "type",
                                                  "null_type",
                                                  "string",
                                                  "uint",
                                                  "google.protobuf.Duration",
                                                  "google.protobuf.Timestamp",
                                                  "optional_type"};

Kinds kinds_of(StaticType type) {
  constexpr std::array kKinds{
      kAnyKind,         only(Kind::boolean),   only(Kind::integer), only(Kind::uinteger),
      only(Kind::real), only(Kind::string),    only(Kind::bytes),   only(Kind::list),
      only(Kind::map),  only(Kind::timestamp), only(Kind::duration)};
  return kKinds[static_cast<std::size_t>(type)];
}

// a, a.b, a.b.c from the root up; empty where something else is below.
std::vector<Node*> chain_of(Node& top) {
  std::vector<Node*> chain{&top};
  while (chain.back()->op == Op::select && !chain.back()->flag) {
    chain.push_back(&chain.back()->kids[0]);
  }
  if (chain.back()->op != Op::name) {
    return {};
  }
  std::ranges::reverse(chain);
  return chain;
}

std::string joined(const std::vector<Node*>& chain, std::size_t count) {
  std::string name(chain[0]->value.as_string());
  for (std::size_t i = 1; i < count; ++i) {
    name += "." + std::string(chain[i]->value.as_string());
  }
  return name;
}

// What may stand behind "steps." where names such as steps.a.output are declared, each once.
std::vector<std::string_view> parts_below(std::string_view above,
                                          const std::vector<std::string_view>& sorted) {
  std::vector<std::string_view> parts;
  for (std::string_view name : sorted) {
    if (name.starts_with(above)) {
      name.remove_prefix(above.size());
      name = name.substr(0, name.find('.'));
      if (parts.empty() || parts.back() != name) {
        parts.push_back(name);
      }
    }
  }
  return parts;
}

// One kind for all, or any.
Kinds common(Kinds a, Kinds b) { return a == b ? a : kAnyKind; }

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
    error_.emplace(Code::expression_type,
                   std::move(what) + " at " + line_and_column(expression_.text, node.at));
    return false;
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
  error_.emplace(Code::expression_type, std::string(what) + " is " + kinds_text(node.kinds) +
                                            ", not " + kinds_text(wanted) + " at " +
                                            line_and_column(expression_.text, node.at));
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
      return visit_name(node);
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
      node.kinds = kBool;
      return visit_kids(node) && std::ranges::all_of(node.kids, [&](const Node& kid) {
               return need(kid, kBool,
                           node.op == Op::all_of ? "an operand of &&" : "an operand of ||");
             });
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

const Checker::Variable* Checker::local(std::string_view name) const {
  const auto found = std::find_if(scope_.rbegin(), scope_.rend(),
                                  [&](const Variable& v) { return v.name == name; });
  return found == scope_.rend() ? nullptr : &*found;
}

void Checker::enter(std::string name, Kinds kinds, Kinds elements) {
  scope_.push_back({std::move(name), kinds, elements});
  expression_.locals = std::max(expression_.locals, static_cast<std::uint32_t>(scope_.size()));
}

// The name in each enclosing namespace of the container, innermost first.
std::vector<std::string> Checker::candidates(const std::string& name, bool absolute) const {
  std::vector<std::string> names;
  std::string_view container = absolute ? std::string_view{} : options_.container;
  while (!container.empty()) {
    names.push_back(std::string(container) + "." + name);
    const std::size_t dot = container.rfind('.');
    container = dot == std::string_view::npos ? std::string_view{} : container.substr(0, dot);
  }
  names.push_back(name);
  return names;
}

bool Checker::resolve_as(Node& node, const std::string& name) {
  Node made;
  made.at = node.at;
  made.maybe = node.maybe;
  if (const auto* declared = declarations_.find(name)) {
    made.op = Op::slot;
    made.index = declared->slot;
    made.kinds = kinds_of(declared->type);
    made.value = Value(name);
    expression_.slots.push_back(declared->slot);
  } else if (std::ranges::find(kTypes, name) != kTypes.end()) {
    made.value = Value::of_type(name);
    made.kinds = only(Kind::type);
  } else {
    return false;
  }
  node = std::move(made);
  return true;
}

// The longest prefix of the chain that is declared becomes one node.
bool Checker::resolve(std::vector<Node*>& chain) {
  Node& root = *chain[0];
  if (const Variable* variable = root.flag ? nullptr : local(root.value.as_string())) {
    root.op = Op::local;
    root.index = static_cast<std::uint32_t>(variable - scope_.data());
    root.kinds = variable->kinds;
    root.elements = variable->elements;
    return true;
  }
  for (std::size_t count = chain.size(); count > 0; --count) {
    for (const std::string& name : candidates(joined(chain, count), root.flag)) {
      if (resolve_as(*chain[count - 1], name)) {
        return true;
      }
    }
  }
  return unknown_name(chain);
}

// Of steps.zz.output, where steps.a.output is declared, "steps.zz" is what nobody knows.
bool Checker::unknown_name(std::vector<Node*>& chain) {
  const std::vector<std::string_view> names = declarations_.names();
  std::string above;
  std::vector<std::string_view> here = parts_below(above, names);
  for (const Variable& variable : scope_) {
    here.emplace_back(variable.name);
  }
  std::size_t known = 0;
  while (known + 1 < chain.size()) {
    const std::string longer = joined(chain, known + 1) + ".";
    auto below = parts_below(longer, names);
    if (below.empty()) {
      break;
    }
    above = longer;
    here = std::move(below);
    ++known;
  }
  return refuse_name(*chain[0], above, chain[known]->value.as_string(), here);
}

bool Checker::refuse_name(Node& node, const std::string& above, std::string_view part,
                          std::span<const std::string_view> here) {
  const auto near = nearest(part, here);
  std::string what = "unknown name \"" + above + std::string(part) + "\"";
  if (near) {
    what += " (did you mean \"" + above + std::string(*near) + "\"?)";
  }
  std::string hint = listed("names that are known here", part, here);
  const bool refused = refuse(node, std::move(what));
  if (error_) {
    error_->hint = std::move(hint);
  }
  return refused;
}

bool Checker::has_member(Node& select) {
  const Node& from = select.kids[0];
  const auto* declared = from.op == Op::slot ? declarations_.find(from.value.as_string()) : nullptr;
  if (declared == nullptr || !declared->members || select.op != Op::select || select.flag) {
    return true;
  }
  const std::string_view part = select.value.as_string();
  const std::vector<std::string_view> here(declared->members->begin(), declared->members->end());
  return std::ranges::find(here, part) != here.end() ||
         refuse_name(select, std::string(from.value.as_string()) + ".", part, here);
}

bool Checker::visit_name(Node& node) {
  std::vector<Node*> chain{&node};
  return resolve(chain);
}

bool Checker::visit_select(Node& node) {
  auto chain = node.op == Op::has ? std::vector<Node*>{} : chain_of(node);
  if (!chain.empty() && !resolve(chain)) {
    return false;
  }
  if (node.op != Op::select && node.op != Op::has) {
    return true; // the whole chain is one name
  }
  if (!visit(node.kids[0])) {
    return false;
  }
  if (options_.check && !has_member(node)) {
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
  fold(node);
  return true;
}

bool Checker::visit_index(Node& node) {
  if (!visit_kids(node)) {
    return false;
  }
  const Node& from = node.kids[0];
  const Kinds key = node.kids[1].kinds;
  if (!need(from, kWalked | kOptional, "what is indexed")) {
    return false;
  }
  if (from.kinds == only(Kind::list) &&
      !need(node.kids[1], expression::kinds_of('n'), "an index")) {
    return false;
  }
  constexpr Kinds kKeys =
      expression::kinds_of('b') | expression::kinds_of('n') | expression::kinds_of('s');
  if (options_.check && (key & kKeys) == 0) {
    return need(node.kids[1], kKeys, "a key");
  }
  if (node.flag) {
    node.kinds = kOptional;
  } else if (from.kinds == only(Kind::list) || from.kinds == only(Kind::map)) {
    node.kinds = from.elements;
  }
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
  if (options_.check && (node.kids[0].kinds & node.kids[1].kinds) == 0) {
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
  enter(node.variables[0], bind ? from.kinds : kAnyKind, bind ? from.elements : kAnyKind);
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
  const bool list = range.kinds == only(Kind::list);
  node.index = static_cast<std::uint32_t>(scope_.size());
  if (node.flag) {
    enter(node.variables[0], list ? only(Kind::integer) : kAnyKind, kAnyKind);
    enter(node.variables[1], list ? range.elements : kAnyKind, kAnyKind);
  } else {
    enter(node.variables[0], list ? range.elements : kAnyKind, kAnyKind);
  }
  const bool visited =
      std::all_of(node.kids.begin() + 1, node.kids.end(), [this](Node& kid) { return visit(kid); });
  scope_.resize(node.index);
  if (!visited) {
    return false;
  }
  const bool transforms = node.op == Op::transform_map || node.op == Op::transform_entry;
  const bool collects = transforms || node.op == Op::map_items || node.op == Op::filter;
  const bool condition = !collects || node.op == Op::filter || node.kids.size() == 3;
  node.kinds = !collects ? kBool : only(transforms ? Kind::map : Kind::list);
  if (node.op == Op::map_items || node.op == Op::transform_map) {
    node.elements = node.kids.back().kinds;
  } else if (node.op == Op::filter && list) {
    node.elements = range.elements;
  }
  return !condition || need(node.kids[1], kBool, "the condition of a macro");
}

void Checker::qualify(Node& call) {
  Node& target = call.kids[0];
  const auto chain = chain_of(target);
  if (chain.empty() || chain[0]->flag || local(chain[0]->value.as_string()) != nullptr) {
    return;
  }
  const std::string name = joined(chain, chain.size()) + std::string(call.value.as_string());
  if (!overloads_of(name).empty()) {
    call.value = Value(name);
    call.kids.erase(call.kids.begin());
  }
}

bool Checker::visit_call(Node& node) {
  if (node.value.as_string().starts_with('.')) {
    qualify(node);
  } else if (!node.flag) {
    for (const std::string& name : candidates(std::string(node.value.as_string()), false)) {
      if (!overloads_of(name).empty()) {
        node.value = Value(name);
        break;
      }
    }
  }
  if (overloads_of(node.value.as_string()).empty()) {
    return unknown_function(node);
  }
  if (!visit_kids(node) || !visit_overloads(node)) {
    return false;
  }
  if (node.op == Op::call) {
    fold(node);
  }
  if (node.op != Op::call) {
    return true;
  }
  specialize(node);
  return visit_pattern(node);
}

// The operators that conditions are mostly made of get a way of their own through the evaluator.
void Checker::specialize(Node& node) {
  constexpr std::pair<std::string_view, std::uint32_t> kOrders[]{
      {"_<_", kBelow}, {"_<=_", kBelow | kSame}, {"_>_", kAbove}, {"_>=_", kAbove | kSame}};
  const std::string_view name = node.value.as_string();
  if (name == "@in") {
    node.op = Op::member;
  }
  for (const auto& [order, places] : kOrders) {
    if (name == order) {
      node.op = Op::order;
      node.index = places;
    }
  }
}

bool Checker::unknown_function(Node& node) {
  const std::string_view name = shown_name(node.value.as_string());
  return refuse(node, "unknown function \"" + std::string(name) + "\"" +
                          did_you_mean(name, function_names()));
}

bool Checker::visit_overloads(Node& node) {
  const auto all = overloads_of(node.value.as_string());
  auto fitting = std::ranges::equal_range(all, node.kids.size(), {}, &Overload::count);
  if (fitting.empty() && !node.kids.empty()) {
    fitting = std::ranges::equal_range(all, Overload::kMany, {}, &Overload::count);
  }
  node.overloads = fitting.data();
  node.overload_count = static_cast<std::uint32_t>(fitting.size());
  Kinds result = 0;
  for (const Overload& overload : fitting) {
    bool fits = true;
    for (std::size_t i = 0; fits && i < node.kids.size(); ++i) {
      fits = (overload.parameter(i) & node.kids[i].kinds) != 0;
    }
    result |= fits ? overload.result : 0;
  }
  if (result == 0) {
    std::string kinds;
    for (const Node& kid : node.kids) {
      kinds += (kinds.empty() ? "" : ", ") + kinds_text(kid.kinds);
    }
    return refuse(node, "no such overload: " + std::string(shown_name(node.value.as_string())) +
                            " does not take (" + kinds + ")");
  }
  node.kinds = result;
  if (node.value.as_string() == "_+_" && result == only(Kind::list)) {
    node.elements = common(node.kids[0].elements, node.kids[1].elements);
  }
  return true;
}

bool Checker::visit_pattern(Node& node) {
  const std::string_view name = node.value.as_string();
  if ((name != "matches" && name != ".matches") || node.kids[1].op != Op::literal ||
      !node.kids[1].value.is(Kind::string)) {
    return true;
  }
  const std::string_view text = node.kids[1].value.as_string();
  auto pattern = std::make_shared<RE2>(re2::StringPiece(text.data(), text.size()), RE2::Quiet);
  if (!pattern->ok()) {
    return refuse(node, "invalid regular expression: " + pattern->error());
  }
  node.pattern = std::move(pattern);
  return true;
}

// Functions are pure, so a node of literals is a literal; one that fails is left to fail when it
// runs.
void Checker::fold(Node& node) {
  constexpr std::uint64_t kMostWork = 10'000;
  if (!std::ranges::all_of(node.kids, [](const Node& kid) { return kid.op == Op::literal; })) {
    return;
  }
  Evaluation evaluation(nullptr, kMostWork, 0);
  Value room;
  const Value* value = evaluation.run(node, room);
  if (value == nullptr) {
    return;
  }
  Value result = *value;
  node.op = Op::literal;
  node.value = std::move(result);
  node.kids.clear();
}

} // namespace skein::expression
