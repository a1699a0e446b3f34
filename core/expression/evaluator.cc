#include "core/expression/evaluator.h"

#include <re2/re2.h>

#include <algorithm>

namespace skein::expression {

bool Call::fail(std::string why) { return evaluation.fail_call(std::move(why)); }

bool Call::charge_bytes(std::size_t bytes) {
  return evaluation.charge(bytes / 16, UINT32_MAX); // dispatch knows where
}

bool Evaluation::exhausted(std::uint32_t at) {
  left_ = 0;
  failure_.emplace();
  failure_->limit = true;
  failure_->at = at;
  failure_->what = "expression costs more than its limit";
  return false;
}

const Value* Evaluation::fail(std::string what, std::uint32_t at) {
  failure_.emplace();
  failure_->at = at;
  failure_->what = std::move(what);
  return nullptr;
}

bool Evaluation::fail_call(std::string what) {
  fail(std::move(what), UINT32_MAX); // dispatch knows where
  return false;
}

std::string no_overload(std::string_view function, std::span<const Value* const> arguments) {
  return "no such overload: " + std::string(shown_name(function)) + " does not take " +
         kinds_text(arguments);
}

const Value* Evaluation::run(const Node& node, Value& room) {
  if (!charge(1, node.at)) {
    return nullptr;
  }
  switch (node.op) {
    case Op::literal:
      return &node.value;
    case Op::local:
      return locals_[node.index];
    case Op::slot:
      return slot(node);
    case Op::name:
    case Op::broken:
      return fail(std::string(node.value.as_string()), node.at);
    case Op::select:
      return select(node, room);
    case Op::has:
      return has(node, room);
    case Op::index:
      return index(node, room);
    case Op::call:
      return call(node, room);
    case Op::order:
      return order(node, room);
    case Op::member:
      return member(node, room);
    case Op::list:
      return list(node, room);
    case Op::map:
      return map(node, room);
    case Op::all_of:
    case Op::any_of:
      return logic(node);
    case Op::conditional:
      return conditional(node, room);
    case Op::equal:
    case Op::unequal:
      return equality(node);
    case Op::all:
    case Op::exists:
      return quantifier(node);
    case Op::exists_one:
      return exactly_one(node);
    case Op::map_items:
    case Op::filter:
      return collect(node, room);
    case Op::transform_map:
    case Op::transform_entry:
      return collect_map(node, room);
    case Op::bind:
      return bind(node, room);
    case Op::opt_map:
    case Op::opt_flat_map:
      return optional_map(node, room);
    case Op::or_value:
    case Op::or_optional:
      return alternative(node, room);
  }
  return nullptr;
}

const Value* Evaluation::slot(const Node& node) {
  const Value* value = activation_->find(node.index);
  return value != nullptr ? value
                          : fail(std::string(node.value.as_string()) + " has no value", node.at);
}

const Value* Evaluation::no_such_key(const Node& node, const Value& key, const Value& container) {
  fail("no such key", node.at);
  failure_->key = key;
  failure_->container = container;
  return nullptr;
}

const Value* Evaluation::select(const Node& node, Value& room) {
  const Node& kid = node.kids[0];
  if (kid.op == Op::slot && !node.flag) {
    const Value* from = activation_->find(kid.index);
    const Value* found =
        from != nullptr && from->is(Kind::map) ? from->find(node.value.as_string()) : nullptr;
    if (found != nullptr) {
      return found;
    }
  }
  Value from_room;
  const Value* from = run(node.kids[0], from_room);
  if (from == nullptr) {
    return nullptr;
  }
  const Value* found = field_of(node, *from, room);
  // What is found inside a value of this walk's own room must outlive that room.
  if (found != nullptr && found != &room && from == &from_room) {
    room = *found;
    return &room;
  }
  return found;
}

const Value* Evaluation::field_of(const Node& node, const Value& from, Value& room) {
  const bool viral = from.is(Kind::optional);
  const Value* owner = viral ? from.optional_value() : &from;
  if (owner == nullptr) {
    return &(room = Value::none());
  }
  if (!owner->is(Kind::map)) {
    return fail("no such field: a value of type " + std::string(name_of(owner->kind())) +
                    " has no field \"" + std::string(node.value.as_string()) + "\"",
                node.at);
  }
  const Value* found = owner->find(node.value.as_string());
  if (viral || node.flag) {
    return &(room = found == nullptr ? Value::none() : Value::some(*found));
  }
  return found != nullptr ? found : no_such_key(node, node.value, *owner);
}

const Value* Evaluation::has(const Node& node, Value& room) {
  const Value* from = run(node.kids[0], room);
  if (from == nullptr) {
    return nullptr;
  }
  const Value* owner = from->is(Kind::optional) ? from->optional_value() : from;
  if (owner == nullptr) {
    return truth(false);
  }
  if (!owner->is(Kind::map)) {
    return fail(
        "no such field: a value of type " + std::string(name_of(owner->kind())) + " has no fields",
        node.at);
  }
  return truth(owner->find(node.value.as_string()) != nullptr);
}

const Value* Evaluation::index(const Node& node, Value& room) {
  Value from_room;
  Value key_room;
  const Value* from = run(node.kids[0], from_room);
  const Value* key = from == nullptr ? nullptr : run(node.kids[1], key_room);
  if (key == nullptr) {
    return nullptr;
  }
  const bool viral = from->is(Kind::optional);
  const Value* owner = viral ? from->optional_value() : from;
  if (owner == nullptr) {
    return &(room = Value::none());
  }
  const Value* found = element(node, *owner, *key);
  if (viral || node.flag) {
    if (found == nullptr && !failure_) {
      return &(room = Value::none());
    }
    return found == nullptr ? nullptr : &(room = Value::some(*found));
  }
  if (found == nullptr) {
    return failure_ ? nullptr : no_such_key(node, *key, *owner);
  }
  return from == &from_room && found != &room ? &(room = Value(*found)) : found;
}

// The element, or null with a failure, or null without one where it is only not there.
const Value* Evaluation::element(const Node& node, const Value& from, const Value& key) {
  if (from.is(Kind::list)) {
    return list_element(node, from, key);
  }
  if (!from.is(Kind::map)) {
    return fail("no such overload: a value of type " + std::string(name_of(from.kind())) +
                    " has no elements",
                node.at);
  }
  constexpr Kinds kKeys = kinds_of('b') | kinds_of('n') | kinds_of('s');
  if ((only(key.kind()) & kKeys) == 0) {
    return fail("no such key: a map has no keys of type " + std::string(name_of(key.kind())),
                node.at);
  }
  return from.find(key);
}

const Value* Evaluation::list_element(const Node& node, const Value& from, const Value& key) {
  const auto items = from.as_list();
  std::uint64_t place = 0;
  if (key.is(Kind::real)) {
    const double real = key.as_double();
    if (!(real >= 0 && real < 0x1p63) ||
        static_cast<double>(static_cast<std::uint64_t>(real)) != real) {
      return fail("a list has no such index", node.at);
    }
    place = static_cast<std::uint64_t>(real);
  } else if (key.is(Kind::integer) || key.is(Kind::uinteger)) {
    place = key.as_uint(); // a negative index becomes a large one
  } else {
    return fail("no such overload: a list has no index of type " + std::string(name_of(key.kind())),
                node.at);
  }
  if (place < items.size()) {
    return &items[place];
  }
  if (node.flag) {
    return nullptr;
  }
  std::string shown;
  append_shown(shown, key);
  return fail("index " + shown + " is outside a list of " + std::to_string(items.size()), node.at);
}

const Value* Evaluation::call(const Node& node, Value& room) {
  switch (node.kids.size()) {
    case 0:
      return dispatch(node, {}, room);
    case 1:
      return call_with<1>(node, room);
    case 2:
      return call_with<2>(node, room);
    case 3:
      return call_with<3>(node, room);
    default:
      return call_with_many(node, room);
  }
}

template <std::size_t Count>
const Value* Evaluation::call_with(const Node& node, Value& room) {
  Value rooms[Count];
  const Value* arguments[Count];
  const Node* kid = node.kids.data();
  for (std::size_t i = 0; i < Count; ++i) {
    arguments[i] = get(kid[i], rooms[i]);
    if (arguments[i] == nullptr) {
      return nullptr;
    }
  }
  return dispatch(node, arguments, room);
}

const Value* Evaluation::call_with_many(const Node& node, Value& room) {
  std::vector<Value> rooms(node.kids.size());
  std::vector<const Value*> arguments;
  for (std::size_t i = 0; i < node.kids.size(); ++i) {
    arguments.push_back(get(node.kids[i], rooms[i]));
    if (arguments.back() == nullptr) {
      return nullptr;
    }
  }
  return dispatch(node, arguments, room);
}

const Value* Evaluation::dispatch(const Node& node, std::span<const Value* const> arguments,
                                  Value& room) {
  if (node.pattern != nullptr && arguments[0]->is(Kind::string)) {
    const std::string_view text = arguments[0]->as_string();
    if (!charge(text.size() / 16, node.at)) {
      return nullptr;
    }
    return truth(RE2::PartialMatch({text.data(), text.size()}, *node.pattern));
  }
  const Overload* const end = node.overloads + node.overload_count;
  for (const Overload* at = node.overloads; at != end; ++at) {
    const Overload& overload = *at;
    bool fits = true;
    for (std::size_t i = 0; fits && i < arguments.size(); ++i) {
      fits = (only(arguments[i]->kind()) & overload.parameter(i)) != 0;
    }
    if (!fits) {
      continue;
    }
    Call call{*this, arguments, room};
    if (overload.function(call)) {
      return &room;
    }
    failure_->at = node.at;
    return nullptr;
  }
  return fail(no_overload(node.value.as_string(), arguments), node.at);
}

const Value* Evaluation::list(const Node& node, Value& room) {
  std::vector<Value> items;
  items.reserve(node.kids.size());
  for (const Node& kid : node.kids) {
    Value item_room;
    const Value* item = run(kid, item_room);
    if (item == nullptr) {
      return nullptr;
    }
    if (!kid.maybe) {
      items.push_back(*item);
    } else if (!item->is(Kind::optional)) {
      return fail("no such overload: an element behind ? must be optional", kid.at);
    } else if (item->optional_value() != nullptr) {
      items.push_back(*item->optional_value());
    }
  }
  return &(room = Value::take_list(items));
}

const Value* Evaluation::map(const Node& node, Value& room) {
  std::vector<MapEntry> entries;
  entries.reserve(node.kids.size() / 2);
  for (std::size_t i = 0; i < node.kids.size(); i += 2) {
    Value key_room;
    Value value_room;
    const Value* key = run(node.kids[i], key_room);
    const Value* value = key == nullptr ? nullptr : run(node.kids[i + 1], value_room);
    if (value == nullptr) {
      return nullptr;
    }
    if (node.kids[i].maybe) {
      if (!value->is(Kind::optional)) {
        return fail("no such overload: the value of a key behind ? must be optional",
                    node.kids[i].at);
      }
      value = value->optional_value();
    }
    if (value != nullptr) {
      entries.emplace_back(*key, *value);
    }
  }
  return finish_map(node, entries, room);
}

const Value* Evaluation::finish_map(const Node& node, std::vector<MapEntry>& entries, Value& room) {
  constexpr Kinds kKeys = kinds_of('b') | kinds_of('i') | kinds_of('u') | kinds_of('s');
  for (const auto& [key, value] : entries) {
    if ((only(key.kind()) & kKeys) == 0) {
      return fail("unsupported key type: a value of type " + std::string(name_of(key.kind())) +
                      " cannot be the key of a map",
                  node.at);
    }
  }
  auto made = Value::take_map(entries);
  if (!made) {
    const auto twice = std::ranges::adjacent_find(
        entries, [](const MapEntry& a, const MapEntry& b) { return a.first == b.first; });
    std::string shown;
    append_shown(shown, twice->first);
    return fail("repeated key " + shown + " in a map", node.at);
  }
  return &(room = std::move(*made));
}

} // namespace skein::expression
