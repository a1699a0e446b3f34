#include "core/resources/document.h"

#include <utility>
#include <vector>

namespace skein {
namespace {

Value list_of(const Node& node) {
  std::vector<Value> items;
  items.reserve(node.items.size());
  for (const Node& item : node.items) {
    items.push_back(item.to_value());
  }
  return Value::of_list(std::move(items));
}

Value map_of(const Node& node) {
  std::vector<MapEntry> entries;
  entries.reserve(node.members.size());
  for (const Node::Member& member : node.members) {
    entries.emplace_back(member.key, member.value.to_value());
  }
  return Value::of_map(std::move(entries));
}

} // namespace

const Node* Node::find(std::string_view key) const {
  for (const Member& member : members) {
    if (member.key == key) {
      return &member.value;
    }
  }
  return nullptr;
}

Value Node::to_value() const {
  switch (shape) {
    case Shape::list:
      return list_of(*this);
    case Shape::map:
      return map_of(*this);
    case Shape::scalar:
      break;
  }
  return scalar;
}

} // namespace skein
