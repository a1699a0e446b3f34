#include <algorithm>
#include <array>

#include "core/base/nearest.h"
#include "core/expression/checking/checker.h"

namespace skein::expression::checking {
namespace {

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

} // namespace

Chain chain_of(Node& top) {
  Chain chain{&top};
  while (chain.back()->op == Op::select && !chain.back()->flag) {
    chain.push_back(&chain.back()->kids[0]);
  }
  if (chain.back()->op != Op::name) {
    return {};
  }
  std::ranges::reverse(chain);
  return chain;
}

std::string joined(const Chain& chain, std::size_t count) {
  std::string name(chain[0]->value.as_string());
  for (std::size_t i = 1; i < count; ++i) {
    name += "." + std::string(chain[i]->value.as_string());
  }
  return name;
}

const Checker::Variable* Checker::local(std::string_view name) const {
  const auto found = std::find_if(scope_.rbegin(), scope_.rend(),
                                  [&](const Variable& v) { return v.name == name; });
  return found == scope_.rend() ? nullptr : &*found;
}

void Checker::enter(std::string name, Kinds kinds, Kinds elements, const Shape* shape) {
  scope_.push_back({std::move(name), kinds, elements, shape});
  expression_.locals = std::max(expression_.locals, static_cast<std::uint32_t>(scope_.size()));
}

// Of two variables the first is the index or the key.
void Checker::enter_items(const Node& macro) {
  const Node& range = macro.kids[0];
  const bool list = range.kinds == only(Kind::list);
  if (macro.flag) {
    enter(macro.variables[0], list ? only(Kind::integer) : kAnyKind, kAnyKind);
  }
  const Shape* shape = list ? shape_of(range) : nullptr;
  enter(macro.variables[macro.flag ? 1 : 0], list ? range.elements : kAnyKind, kAnyKind,
        shape != nullptr && !shape->items.empty() ? shape->items.data() : nullptr);
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
  take_shape(node);
  return true;
}

// The longest prefix of the chain that is declared becomes one node.
bool Checker::resolve(const Chain& chain) {
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
bool Checker::unknown_name(const Chain& chain) {
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

} // namespace skein::expression::checking
