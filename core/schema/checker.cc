#include "core/schema/checker.h"

#include <algorithm>

#include "core/base/nearest.h"
#include "core/schema/kinds.h"
#include "core/schema/uri.h"
#include "core/value/json.h"

namespace skein::schema {
namespace {

std::string pointer_of(const Place& place) {
  if (place.parent == nullptr) {
    return {};
  }
  return pointer_of(*place.parent) + "/" +
         (place.in_list ? std::to_string(place.index) : escape_token(place.key));
}

/// A value in a message: short, however large it is.
std::string shown(const Value& value) {
  constexpr std::size_t kLongest = 40;
  if (value.is(Kind::list) || value.is(Kind::map)) {
    return value.is(Kind::list) ? "a list" : "an object";
  }
  std::string text = to_json(value);
  return text.size() <= kLongest
             ? text
             : std::string(type_name(value)) + " of " + std::to_string(text.size()) + " bytes";
}

bool matches_type(const Value& value, std::uint8_t types) { return (types_of(value) & types) != 0; }

std::string names_of_types(std::uint8_t types) {
  std::string out;
  for (const auto& [bit, name] : kTypeNames) {
    if ((types & bit) != 0) {
      out.append(out.empty() ? "" : " or ").append(name);
    }
  }
  return out;
}

std::string one_of_choices(const std::vector<Value>& choices, const Value& value) {
  constexpr std::size_t kShown = 8;
  std::string out = "must be one of ";
  std::vector<std::string_view> texts;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (i < kShown) {
      out.append(i == 0 ? "" : ", ").append(shown(choices[i]));
    }
    if (choices[i].is(Kind::string)) {
      texts.push_back(choices[i].as_string());
    }
  }
  out.append(choices.size() > kShown ? ", …" : "").append(", is ").append(shown(value));
  return value.is(Kind::string) ? out + did_you_mean(value.as_string(), texts) : out;
}

} // namespace

void Marks::merge(const Marks& other) {
  for (std::size_t i = 0; i < marks_.size(); ++i) {
    marks_[i] = marks_[i] || other.marks_[i];
  }
}

bool Checker::unlike(At& at, std::string_view keyword, std::string reason) {
  if (at.sink != nullptr && !at.sink->full()) {
    at.sink->found.push_back(Violation{pointer_of(at.place), std::move(reason),
                                       at.node.pointer + "/" + std::string(keyword)});
  }
  return false;
}

bool Checker::unlike_member(At& at, std::string_view key, std::string_view keyword,
                            std::string reason) {
  const Place member{&at.place, key, 0, false};
  At there{at.node, at.value, member, nullptr, at.sink};
  return unlike(there, keyword, std::move(reason));
}

bool Checker::check(NodeIndex index, const Value& value, const Place& place, Marks* marks,
                    Sink* sink) {
  const Value* held = value.is(Kind::optional) ? value.optional_value() : &value;
  static const Value null;
  const Node& node = program_.nodes[index];
  At at{node, held != nullptr ? *held : null, place, marks, sink};
  if (node.constant) {
    return *node.constant || unlike(at, "", "is not allowed");
  }
  if (++work_ > program_.options.max_work || depth_ >= program_.options.max_depth) {
    exceeded_ = true;
    return false;
  }
  const bool enters = scope_.empty() || scope_.back() != node.resource;
  if (enters) {
    scope_.push_back(node.resource);
  }
  ++depth_;
  const bool matches = check_node(at);
  --depth_;
  if (enters) {
    scope_.pop_back();
  }
  return matches && !exceeded_;
}

bool Checker::check_node(At& at) {
  if (!check_general(at)) {
    return false;
  }
  // Marks of this schema object alone: a cousin's do not count for its unevaluated keywords.
  const bool judges =
      at.node.unevaluated_items != kNoNode || at.node.unevaluated_properties != kNoNode;
  std::optional<Marks> own;
  Marks* const outer = at.marks;
  const std::size_t size = size_of(at.value);
  if ((judges || outer != nullptr) && size > 0) {
    at.marks = &own.emplace(size);
  } else {
    at.marks = nullptr;
  }
  bool matches = check_number(at);
  matches = check_text(at) && matches;
  matches = check_array(at) && matches;
  matches = check_object(at) && matches;
  matches = check_references(at) && matches;
  matches = check_all_of(at) && matches;
  matches = check_any_of(at) && matches;
  matches = check_one_of(at) && matches;
  matches = check_condition(at) && matches;
  matches = matches && check_unevaluated(at);
  if (matches && outer != nullptr && own) {
    outer->merge(*own);
  }
  return matches;
}

bool Checker::check_general(At& at) {
  const Node& node = at.node;
  if (node.types != 0 && !matches_type(at.value, node.types)) {
    return unlike(
        at, "type",
        "must be " + names_of_types(node.types) + ", is " + std::string(type_name(at.value)));
  }
  if (node.only && !equal(at.value, *node.only)) {
    return unlike(at, "const", "must be " + shown(*node.only) + ", is " + shown(at.value));
  }
  if (node.choices && std::none_of(node.choices->begin(), node.choices->end(),
                                   [&](const Value& c) { return equal(c, at.value); })) {
    return unlike(at, "enum", one_of_choices(*node.choices, at.value));
  }
  return true;
}

bool Checker::apply(At& at, NodeIndex index, Sink* sink) {
  return check(index, at.value, at.place, at.marks, sink);
}

NodeIndex Checker::dynamic_target(const Node& node) const {
  if (!node.dynamic_name.empty()) {
    for (const ResourceIndex resource : scope_) {
      const auto& anchors = program_.resources[resource].dynamic_anchors;
      if (const auto found = anchors.find(node.dynamic_name); found != anchors.end()) {
        return found->second;
      }
    }
  }
  return node.dynamic_ref;
}

bool Checker::check_references(At& at) {
  bool matches = at.node.ref == kNoNode || apply(at, at.node.ref, at.sink);
  if (at.node.dynamic_ref != kNoNode) {
    matches = apply(at, dynamic_target(at.node), at.sink) && matches;
  }
  return matches;
}

bool Checker::check_all_of(At& at) {
  bool matches = true;
  for (const NodeIndex part : at.node.all_of) {
    matches = apply(at, part, at.sink) && matches;
  }
  return matches;
}

bool Checker::check_any_of(At& at) {
  if (at.node.any_of.empty()) {
    return true;
  }
  bool matches = false;
  Sink nearest{{}, 1};
  for (const NodeIndex part : at.node.any_of) {
    Sink tried{{}, 1};
    matches = apply(at, part, at.sink != nullptr ? &tried : nullptr) || matches;
    if (matches && at.marks == nullptr) {
      return true; // nobody asks what the other branches look at
    }
    if (!tried.found.empty() && (nearest.found.empty() ||
                                 tried.found[0].pointer.size() > nearest.found[0].pointer.size())) {
      nearest = std::move(tried);
    }
  }
  if (!matches && at.sink != nullptr && !nearest.found.empty() && !at.sink->full()) {
    at.sink->found.push_back(std::move(nearest.found[0]));
    at.sink->found.back().reason +=
        ", in the nearest of " + std::to_string(at.node.any_of.size()) + " alternatives";
  }
  return matches;
}

bool Checker::check_one_of(At& at) {
  if (at.node.one_of.empty()) {
    return true;
  }
  std::size_t count = 0;
  std::string reasons;
  for (const NodeIndex part : at.node.one_of) {
    Sink tried{{}, 1};
    if (apply(at, part, at.sink != nullptr ? &tried : nullptr)) {
      ++count;
    } else if (!tried.found.empty()) {
      const std::string where = tried.found[0].pointer;
      reasons.append(reasons.empty() ? "" : " or ").append(where).append(where.empty() ? "" : " ");
      reasons += tried.found[0].reason;
    }
  }
  if (count == 1) {
    return true;
  }
  return unlike(at, "oneOf",
                count == 0 ? "matches none of " + std::to_string(at.node.one_of.size()) +
                                 " alternatives (" + reasons + ")"
                           : "matches " + std::to_string(count) + " alternatives, but only one " +
                                 "may match");
}

bool Checker::check_condition(At& at) {
  if (at.node.negated != kNoNode && check(at.node.negated, at.value, at.place, nullptr, nullptr)) {
    return unlike(at, "not", "must not match this");
  }
  if (at.node.condition == kNoNode) {
    return true;
  }
  const NodeIndex next =
      apply(at, at.node.condition, nullptr) ? at.node.consequence : at.node.alternative;
  return next == kNoNode || apply(at, next, at.sink);
}

bool Checker::check_unevaluated(At& at) {
  bool matches = true;
  const bool list = at.value.is(Kind::list);
  const NodeIndex rest = list ? at.node.unevaluated_items : at.node.unevaluated_properties;
  if (rest == kNoNode || at.marks == nullptr || !(list || at.value.is(Kind::map))) {
    return true;
  }
  for (std::size_t i = 0; i < size_of(at.value); ++i) {
    if (at.marks->has(i)) {
      continue;
    }
    at.marks->set(i);
    const Place place = list ? Place{&at.place, {}, i, true}
                             : Place{&at.place, at.value.as_map()[i].first.as_string(), 0, false};
    const Value& item = list ? at.value.as_list()[i] : at.value.as_map()[i].second;
    matches = check(rest, item, place, nullptr, at.sink) && matches;
  }
  return matches;
}

Result<std::vector<Violation>> run_program(const Program& program, const Value& value) {
  Checker checker(program);
  Sink sink{{}, program.options.max_violations};
  checker.check(0, value, Place{}, nullptr, &sink);
  if (checker.exceeded()) {
    return Error{Code::schema_limit, "the value is too deep or too large for its schema",
                 "make it smaller, or the schema simpler"};
  }
  return std::move(sink.found);
}

} // namespace skein::schema
