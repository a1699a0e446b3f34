#include "core/flow/loading/reader.h"

#include <algorithm>

#include "core/base/nearest.h"
#include "core/value/json.h"

namespace skein::flow::loading {
namespace {

std::string_view shape_of(const Node& node) {
  switch (node.shape) {
    case Node::Shape::list:
      return "a list";
    case Node::Shape::map:
      return "a map";
    case Node::Shape::scalar:
      break;
  }
  switch (node.scalar.kind()) {
    case Kind::null:
      return "nothing";
    case Kind::boolean:
      return "a bool";
    case Kind::integer:
    case Kind::uinteger:
      return "a whole number";
    case Kind::real:
      return "a number";
    default:
      return "a text";
  }
}

} // namespace

void Reader::add(const At& at, Error error, bool warning) {
  const Mark mark = at.node != nullptr ? at.node->mark : Mark{};
  error.detail = file_ + ":" + std::to_string(mark.line) + ":" + std::to_string(mark.column) +
                 ": " + (at.path.empty() ? "" : at.path + ": ") + error.detail;
  failed_ = failed_ || !warning;
  findings_.push_back({std::move(error), mark, warning});
}

void Reader::complain(const At& at, Code code, std::string why, std::string hint) {
  add(at, Error{code, std::move(why), std::move(hint)}, false);
}

void Reader::complain(const At& at, const Error& error) { add(at, error, false); }

void Reader::warn(const At& at, Code code, std::string why, std::string hint) {
  add(at, Error{code, std::move(why), std::move(hint)}, true);
}

At Reader::member(const At& map, std::string_view key) {
  const Node* node = map && map.node->shape == Node::Shape::map ? map.node->find(key) : nullptr;
  return {node, map.path.empty() ? std::string(key) : map.path + "." + std::string(key)};
}

At Reader::item(const At& list, std::size_t index) {
  return {&list.node->items[index], list.path + "[" + std::to_string(index) + "]"};
}

bool Reader::is_map(const At& at) {
  if (at.node->shape != Node::Shape::map) {
    complain(at, Code::resource_value_invalid,
             "must be a map, not " + std::string(shape_of(*at.node)));
    return false;
  }
  return true;
}

bool Reader::is_list(const At& at) {
  if (at.node->shape != Node::Shape::list) {
    complain(at, Code::resource_value_invalid,
             "must be a list, not " + std::string(shape_of(*at.node)));
    return false;
  }
  return true;
}

bool Reader::map_of(const At& at, std::span<const std::string_view> known,
                    std::span<const std::string_view> silent) {
  if (!is_map(at)) {
    return false;
  }
  for (const Node::Member& member : at.node->members) {
    if (std::ranges::find(known, member.key) == known.end() &&
        std::ranges::find(silent, member.key) == silent.end()) {
      Node place = {};
      place.mark = member.mark;
      add({&place, at.path.empty() ? member.key : at.path + "." + member.key},
          Error{Code::resource_key_unknown,
                "unknown key \"" + member.key + "\"" + did_you_mean(member.key, known),
                listed("keys that are known here", member.key, known)},
          lenient_);
    }
  }
  return true;
}

std::optional<std::string> Reader::text(const At& at) {
  if (at.node->shape != Node::Shape::scalar || !at.node->scalar.is(Kind::string)) {
    complain(at, Code::resource_value_invalid,
             "must be a text, not " + std::string(shape_of(*at.node)));
    return std::nullopt;
  }
  return std::string(at.node->scalar.as_string());
}

std::optional<bool> Reader::boolean(const At& at) {
  if (at.node->shape != Node::Shape::scalar || !at.node->scalar.is(Kind::boolean)) {
    complain(at, Code::resource_value_invalid,
             "must be true or false, not " + std::string(shape_of(*at.node)));
    return std::nullopt;
  }
  return at.node->scalar.as_bool();
}

std::optional<std::int64_t> Reader::integer(const At& at, std::int64_t least, std::int64_t most) {
  if (at.node->shape != Node::Shape::scalar || !at.node->scalar.is(Kind::integer) ||
      at.node->scalar.as_int() < least || at.node->scalar.as_int() > most) {
    complain(
        at, Code::resource_value_invalid,
        "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    return std::nullopt;
  }
  return at.node->scalar.as_int();
}

std::optional<Millis> Reader::duration(const At& at) {
  const auto written = text(at);
  if (!written) {
    return std::nullopt;
  }
  const auto span = parse_millis(*written);
  if (!span) {
    complain(at, span.error());
    return std::nullopt;
  }
  return *span;
}

std::optional<std::size_t> Reader::choice(const At& at, std::span<const std::string_view> choices) {
  const auto written = text(at);
  if (!written) {
    return std::nullopt;
  }
  const auto found = std::find(choices.begin(), choices.end(), *written);
  if (found == choices.end()) {
    std::string all;
    for (const std::string_view choice : choices) {
      all += (all.empty() ? "" : ", ") + std::string(choice);
    }
    complain(at, Code::resource_value_invalid,
             "\"" + *written + "\" is not one of " + all + did_you_mean(*written, choices));
    return std::nullopt;
  }
  return static_cast<std::size_t>(found - choices.begin());
}

std::vector<std::string> Reader::texts(const At& at) {
  std::vector<std::string> all;
  if (is_list(at)) {
    for (std::size_t i = 0; i < at.node->items.size(); ++i) {
      if (auto one = text(item(at, i))) {
        all.push_back(std::move(*one));
      }
    }
  }
  return all;
}

std::optional<double> Reader::share(const At& at) {
  const Value& value = at.node->scalar;
  const bool number =
      at.node->shape == Node::Shape::scalar && (value.is(Kind::real) || value.is(Kind::integer));
  const double share = !number                ? -1.0
                       : value.is(Kind::real) ? value.as_double()
                                              : static_cast<double>(value.as_int());
  if (!(share >= 0.0 && share <= 1.0)) {
    complain(at, Code::resource_value_invalid, "must be a number from 0 to 1");
    return std::nullopt;
  }
  return share;
}

std::vector<Finding> Reader::take() {
  std::stable_sort(findings_.begin(), findings_.end(),
                   [](const Finding& a, const Finding& b) { return a.mark < b.mark; });
  return std::move(findings_);
}

} // namespace skein::flow::loading
