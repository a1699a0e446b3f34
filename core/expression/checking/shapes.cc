#include <algorithm>

#include "core/expression/checking/checker.h"

namespace skein::expression::checking {
namespace {

// a.b, and a["b"], which may name the same.
std::optional<std::string_view> member_of(const Node& node) {
  if (node.flag) {
    return std::nullopt;
  }
  if (node.op == Op::select) {
    return node.value.as_string();
  }
  const bool named =
      node.op == Op::index && node.kids[1].op == Op::literal && node.kids[1].value.is(Kind::string);
  return named ? std::optional(node.kids[1].value.as_string()) : std::nullopt;
}

// As the user wrote it, for messages.
std::string written(const Node& node) {
  if (node.op == Op::slot || node.op == Op::local) {
    return std::string(node.value.as_string());
  }
  const auto member = member_of(node);
  return member ? written(node.kids[0]) + "." + std::string(*member) : written(node.kids[0]) + "[]";
}

} // namespace

// Null where nothing is known. A node that has one is a name with fields and indexes behind it.
const Shape* Checker::shape_of(const Node& node) const {
  if (node.op == Op::slot) {
    const auto* declared = declarations_.find(node.value.as_string());
    return declared != nullptr ? declared->shape.get() : nullptr;
  }
  if (node.op == Op::local) {
    return scope_[node.index].shape;
  }
  if (node.op != Op::select && node.op != Op::index) {
    return nullptr;
  }
  const Shape* from = shape_of(node.kids[0]);
  if (from == nullptr || node.flag) {
    return nullptr;
  }
  if (const auto member = member_of(node)) {
    return from->member(*member);
  }
  const bool item = from->kinds == only(Kind::list) && !from->items.empty();
  return item ? from->items.data() : nullptr;
}

void Checker::take_shape(Node& node) const {
  const Shape* shape = options_.check ? shape_of(node) : nullptr;
  if (shape != nullptr && shape->kinds != kAnyKind) {
    node.kinds = shape->kinds;
    node.elements = shape->items.empty() ? kAnyKind : shape->items[0].kinds;
  }
}

bool Checker::has_member(Node& node) {
  const auto member = options_.check ? member_of(node) : std::nullopt;
  const Shape* from = member ? shape_of(node.kids[0]) : nullptr;
  if (from == nullptr || !from->closed || from->member(*member) != nullptr) {
    return true;
  }
  std::vector<std::string_view> here;
  for (const Shape::Member& known : from->members) {
    here.emplace_back(known.name);
  }
  std::ranges::sort(here);
  return refuse_name(node, written(node.kids[0]) + ".", *member, here);
}

// A comparison with null asks whether there is a value, which is a fair question to anything that
// was made elsewhere.
bool Checker::against_null(const Node& equality) const {
  const Node& a = equality.kids[0];
  const Node& b = equality.kids[1];
  return (a.kinds == only(Kind::null) && shape_of(b) != nullptr) ||
         (b.kinds == only(Kind::null) && shape_of(a) != nullptr);
}

} // namespace skein::expression::checking
