#include <algorithm>

#include "core/base/nearest.h"
#include "core/schema/checker.h"
#include "core/schema/kinds.h"
#include "core/schema/numbers.h"
#include "core/value/json.h"

/// The keywords that look at one kind of value: numbers, strings, arrays, objects.
namespace skein::schema {
namespace {

bool contains_match(const Pattern& pattern, std::string_view text) {
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *pattern.regex);
}

const std::pair<std::string, NodeIndex>* find_by_name(
    const std::vector<std::pair<std::string, NodeIndex>>& sorted, std::string_view name) {
  const auto found =
      std::lower_bound(sorted.begin(), sorted.end(), name,
                       [](const auto& row, std::string_view n) { return row.first < n; });
  return found != sorted.end() && found->first == name ? &*found : nullptr;
}

std::string unknown_key(const ObjectRules& rules, const Value& value, std::string_view key) {
  std::vector<std::string_view> free; // known keys that the object does not have yet
  for (const auto& [name, node] : rules.properties) {
    if (value.find(name) == nullptr) {
      free.push_back(name);
    }
  }
  std::string out = "is an unknown key" + did_you_mean(key, free);
  if (out.back() != ')' && !rules.properties.empty() && rules.properties.size() <= 12) {
    out += "; known are";
    for (const auto& [name, node] : rules.properties) {
      out.append(&name == &rules.properties.front().first ? " " : ", ").append(name);
    }
  }
  return out;
}

} // namespace

bool Checker::size_within(At& at, std::uint64_t size, const Count& least, const Count& most,
                          std::string_view what) {
  if (least && size < *least) {
    return unlike(at, "",
                  "must have at least " + std::to_string(*least) + " " + std::string(what) +
                      ", has " + std::to_string(size));
  }
  if (most && size > *most) {
    return unlike(at, "",
                  "must have at most " + std::to_string(*most) + " " + std::string(what) +
                      ", has " + std::to_string(size));
  }
  return true;
}

bool Checker::check_number(At& at) {
  if (!at.node.number || !is_number(at.value)) {
    return true;
  }
  const NumberRules& rules = *at.node.number;
  const Value& value = at.value;
  if (rules.minimum && less(value, *rules.minimum)) {
    return unlike(at, "minimum",
                  "must be at least " + to_json(*rules.minimum) + ", is " + to_json(value));
  }
  if (rules.maximum && less(*rules.maximum, value)) {
    return unlike(at, "maximum",
                  "must be at most " + to_json(*rules.maximum) + ", is " + to_json(value));
  }
  if (rules.exclusive_minimum && !less(*rules.exclusive_minimum, value)) {
    return unlike(at, "exclusiveMinimum",
                  "must be above " + to_json(*rules.exclusive_minimum) + ", is " + to_json(value));
  }
  if (rules.exclusive_maximum && !less(value, *rules.exclusive_maximum)) {
    return unlike(at, "exclusiveMaximum",
                  "must be below " + to_json(*rules.exclusive_maximum) + ", is " + to_json(value));
  }
  if (rules.multiple_of && !is_multiple(value, *rules.multiple_of)) {
    return unlike(
        at, "multipleOf",
        "must be a multiple of " + to_json(*rules.multiple_of) + ", is " + to_json(value));
  }
  return true;
}

bool Checker::check_text(At& at) {
  if (!at.node.text || !at.value.is(Kind::string)) {
    return true;
  }
  const StringRules& rules = *at.node.text;
  const std::string_view text = at.value.as_string();
  bool matches = true;
  if (rules.min_length || rules.max_length) {
    matches = size_within(at, length_of(text), rules.min_length, rules.max_length, "characters");
  }
  if (rules.pattern && !contains_match(*rules.pattern, text)) {
    matches = unlike(at, "pattern", "must match the pattern " + rules.pattern->text);
  }
  if (!rules.format.empty() && !has_format(rules.format, text)) {
    matches = unlike(at, "format", "must be a " + rules.format);
  }
  return matches;
}

bool Checker::check_array(At& at) {
  if (!at.node.array || !at.value.is(Kind::list)) {
    return true;
  }
  const ArrayRules& rules = *at.node.array;
  const auto items = at.value.as_list();
  bool matches = size_within(at, items.size(), rules.min_items, rules.max_items, "items");
  for (std::size_t i = 0; i < items.size() && !exceeded_; ++i) {
    const NodeIndex node = i < rules.prefix_items.size() ? rules.prefix_items[i] : rules.items;
    if (node == kNoNode) {
      break;
    }
    if (at.marks != nullptr) {
      at.marks->set(i);
    }
    const Place place{&at.place, {}, i, true};
    matches = check(node, items[i], place, nullptr, at.sink) && matches;
  }
  if (rules.unique && !all_unique(items)) {
    matches = unlike(at, "uniqueItems", "must not have two equal items");
  }
  return check_contains(at, rules) && matches;
}

bool Checker::check_contains(At& at, const ArrayRules& rules) {
  if (rules.contains == kNoNode) {
    return true;
  }
  std::uint64_t count = 0;
  const auto items = at.value.as_list();
  for (std::size_t i = 0; i < items.size() && !exceeded_; ++i) {
    if (check(rules.contains, items[i], Place{&at.place, {}, i, true}, nullptr, nullptr)) {
      ++count;
      if (at.marks != nullptr) {
        at.marks->set(i);
      }
    }
  }
  return size_within(at, count, rules.min_contains.value_or(1), rules.max_contains,
                     "items that match `contains`");
}

bool Checker::check_object(At& at) {
  if (!at.node.object || !at.value.is(Kind::map)) {
    return true;
  }
  const ObjectRules& rules = *at.node.object;
  bool matches = true;
  for (std::size_t i = 0; i < at.value.as_map().size() && !exceeded_; ++i) {
    matches = check_member(at, rules, i) && matches;
  }
  for (const std::string& name : rules.required) {
    if (at.value.find(name) == nullptr) {
      matches = unlike(at, "required", "has no \"" + name + "\", which is required");
    }
  }
  matches = size_within(at, at.value.as_map().size(), rules.min_properties, rules.max_properties,
                        "keys") &&
            matches;
  return check_dependents(at, rules) && matches;
}

bool Checker::check_member(At& at, const ObjectRules& rules, std::size_t i) {
  const auto& [name, value] = at.value.as_map()[i];
  if (!name.is(Kind::string)) {
    return unlike(at, "", "must have strings as keys, has " + to_json(name));
  }
  const std::string_view key = name.as_string();
  const Place place{&at.place, key, 0, false};
  bool matches = true;
  bool known = false;
  if (const auto* property = find_by_name(rules.properties, key)) {
    known = true;
    matches = check(property->second, value, place, nullptr, at.sink);
  }
  for (const auto& [pattern, node] : rules.pattern_properties) {
    if (contains_match(pattern, key)) {
      known = true;
      matches = check(node, value, place, nullptr, at.sink) && matches;
    }
  }
  if (!known && rules.additional != kNoNode) {
    known = true;
    if (program_.nodes[rules.additional].constant == false) {
      return unlike_member(at, key, "additionalProperties", unknown_key(rules, at.value, key));
    }
    matches = check(rules.additional, value, place, nullptr, at.sink) && matches;
  }
  if (known && at.marks != nullptr) {
    at.marks->set(i);
  }
  if (rules.names != kNoNode) {
    matches = check(rules.names, name, place, nullptr, at.sink) && matches;
  }
  return matches;
}

bool Checker::check_dependents(At& at, const ObjectRules& rules) {
  bool matches = true;
  for (const auto& [name, needed] : rules.dependent_required) {
    for (const std::string& other :
         at.value.find(name) == nullptr ? std::vector<std::string>{} : needed) {
      if (at.value.find(other) == nullptr) {
        matches = unlike(at, "dependentRequired",
                         "has \"" + name + "\" and so needs \"" + other + "\" too");
      }
    }
  }
  for (const auto& [name, node] : rules.dependent_schemas) {
    if (at.value.find(name) != nullptr) {
      matches = apply(at, node, at.sink) && matches;
    }
  }
  return matches;
}

} // namespace skein::schema
