#include "core/schema/defaults.h"

#include <utility>
#include <vector>

namespace skein::schema {
namespace {

Value in_members(const Value& properties, const Value& map) {
  std::vector<MapEntry> entries;
  for (const auto& [name, member] : map.as_map()) {
    const Value* property = name.is(Kind::string) ? properties.find(name.as_string()) : nullptr;
    entries.emplace_back(name, property != nullptr ? with_defaults(*property, member) : member);
  }
  for (const auto& [name, property] : properties.as_map()) {
    const Value* fallback = property.is(Kind::map) ? property.find("default") : nullptr;
    if (fallback != nullptr && map.find(name.as_string()) == nullptr) {
      entries.emplace_back(name, with_defaults(property, *fallback));
    }
  }
  return Value::of_map(std::move(entries));
}

Value in_items(const Value& items, const Value& list) {
  std::vector<Value> values;
  for (const Value& item : list.as_list()) {
    values.push_back(with_defaults(items, item));
  }
  return Value::take_list(values);
}

} // namespace

Value with_defaults(const Value& schema, const Value& value) {
  if (!schema.is(Kind::map)) {
    return value;
  }
  const Value* properties = schema.find("properties");
  if (value.is(Kind::map) && properties != nullptr && properties->is(Kind::map)) {
    return in_members(*properties, value);
  }
  const Value* items = schema.find("items");
  if (value.is(Kind::list) && items != nullptr && schema.find("prefixItems") == nullptr) {
    return in_items(*items, value);
  }
  return value;
}

} // namespace skein::schema
