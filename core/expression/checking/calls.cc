#include <re2/re2.h>

#include <algorithm>
#include <memory>

#include "core/base/nearest.h"
#include "core/expression/checking/checker.h"
#include "core/expression/evaluator.h"

namespace skein::expression::checking {
namespace {

// Those that take this many arguments.
std::span<const Overload> overloads_for(std::string_view name, std::size_t arguments) {
  const auto all = overloads_of(name);
  auto fitting = std::ranges::equal_range(all, arguments, {}, &Overload::count);
  if (fitting.empty() && arguments > 0) {
    fitting = std::ranges::equal_range(all, Overload::kMany, {}, &Overload::count);
  }
  return fitting;
}

bool fits(const Overload& overload, const Node& call) {
  for (std::size_t i = 0; i < call.kids.size(); ++i) {
    if ((overload.parameter(i) & call.kids[i].kinds) == 0) {
      return false;
    }
  }
  return true;
}

} // namespace

bool Checker::visit_call(Node& node) {
  qualify(node);
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
    return true; // a mistake that waits until it runs, or a literal
  }
  specialize(node);
  return visit_pattern(node);
}

bool Checker::unknown_function(Node& node) {
  const std::string_view name = shown_name(node.value.as_string());
  return refuse(node, "unknown function \"" + std::string(name) + "\"" +
                          did_you_mean(name, function_names()));
}

// The full name of a function: of f in a namespace around it.
void Checker::qualify(Node& call) const {
  if (call.value.as_string().starts_with('.')) {
    qualify_member(call);
    return;
  }
  if (call.flag) {
    return;
  }
  for (const std::string& name : candidates(std::string(call.value.as_string()), false)) {
    if (!overloads_of(name).empty()) {
      call.value = Value(name);
      return;
    }
  }
}

// math.least(…) is written as a member of `math`, and is a function of a longer name.
void Checker::qualify_member(Node& call) const {
  const auto chain = chain_of(call.kids[0]);
  if (chain.empty() || chain[0]->flag || local(chain[0]->value.as_string()) != nullptr) {
    return;
  }
  const std::string name = joined(chain, chain.size()) + std::string(call.value.as_string());
  if (!overloads_of(name).empty()) {
    call.value = Value(name);
    call.kids.erase(call.kids.begin());
  }
}

bool Checker::visit_overloads(Node& node) {
  const auto fitting = overloads_for(node.value.as_string(), node.kids.size());
  node.overloads = fitting.data();
  node.overload_count = static_cast<std::uint32_t>(fitting.size());
  Kinds result = 0;
  for (const Overload& overload : fitting) {
    result |= fits(overload, node) ? overload.result : 0;
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

} // namespace skein::expression::checking
