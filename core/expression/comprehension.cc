#include "core/expression/evaluator.h"

namespace skein::expression {
namespace {} // namespace

// Calls body for each item with the variables set, until it returns false; false on a failure of
// the range itself.
template <class Body>
bool Evaluation::each(const Node& node, const Value& range, Body body) {
  if (range.is(Kind::list)) {
    std::int64_t place = 0;
    for (const Value& item : range.as_list()) {
      const Value index(place++);
      locals_[node.index] = node.flag ? &index : &item;
      if (node.flag) {
        locals_[node.index + 1] = &item;
      }
      if (!charge(1, node.at) || !body(index, item)) {
        return !failure_;
      }
    }
    return true;
  }
  if (range.is(Kind::map)) {
    for (const auto& [key, value] : range.as_map()) {
      locals_[node.index] = &key;
      if (node.flag) {
        locals_[node.index + 1] = &value;
      }
      if (!charge(1, node.at) || !body(key, node.flag ? value : key)) {
        return !failure_;
      }
    }
    return true;
  }
  fail("no such overload: a macro walks a list or a map, not " + std::string(name_of(range.kind())),
       node.kids[0].at);
  return false;
}

std::optional<bool> Evaluation::condition(const Node& node) {
  Value room;
  const Value* value = run(node, room);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (!value->is(Kind::boolean)) {
    fail("no such overload: a condition is " + std::string(name_of(value->kind())) + ", not bool",
         node.at);
    return std::nullopt;
  }
  return value->as_bool();
}

// all and exists are && and || over the items: what decides wins over failures.
const Value* Evaluation::quantifier(const Node& node) {
  const bool absorbing = node.op == Op::exists;
  Value room;
  const Value* range = run(node.kids[0], room);
  if (range == nullptr) {
    return nullptr;
  }
  std::optional<Failure> first;
  bool decided = false;
  const bool walked = each(node, *range, [&](const Value&, const Value&) {
    const auto holds = condition(node.kids[1]);
    if (holds) {
      decided = *holds == absorbing;
      return !decided;
    }
    if (failure_->limit) {
      return false;
    }
    if (!first) {
      first = std::move(failure_);
    }
    failure_.reset();
    return true;
  });
  if (!walked) {
    return nullptr;
  }
  if (!decided && first) {
    failure_ = std::move(first);
    return nullptr;
  }
  return truth(decided == absorbing);
}

const Value* Evaluation::exactly_one(const Node& node) {
  Value room;
  const Value* range = run(node.kids[0], room);
  std::size_t count = 0;
  const bool walked = range != nullptr && each(node, *range, [&](const Value&, const Value&) {
                        const auto holds = condition(node.kids[1]);
                        count += holds && *holds ? 1 : 0;
                        return holds.has_value();
                      });
  return !walked ? nullptr : truth(count == 1);
}

// map, filter, transformList: a list of what is kept.
const Value* Evaluation::collect(const Node& node, Value& room) {
  Value range_room;
  const Value* range = run(node.kids[0], range_room);
  if (range == nullptr) {
    return nullptr;
  }
  const bool filters = node.op == Op::filter || node.kids.size() == 3;
  std::vector<Value> kept;
  const bool walked = each(node, *range, [&](const Value&, const Value& item) {
    if (filters) {
      const auto holds = condition(node.kids[1]);
      if (!holds || !*holds) {
        return holds.has_value();
      }
    }
    Value made_room;
    const Value* made = node.op == Op::filter ? &item : run(node.kids.back(), made_room);
    if (made != nullptr) {
      kept.push_back(*made);
    }
    return made != nullptr;
  });
  return walked ? &(room = Value::take_list(kept)) : nullptr;
}

const Value* Evaluation::collect_map(const Node& node, Value& room) {
  Value range_room;
  const Value* range = run(node.kids[0], range_room);
  if (range == nullptr) {
    return nullptr;
  }
  std::vector<MapEntry> kept;
  const bool walked = each(node, *range, [&](const Value& key, const Value&) {
    if (node.kids.size() == 3) {
      const auto holds = condition(node.kids[1]);
      if (!holds || !*holds) {
        return holds.has_value();
      }
    }
    Value made_room;
    const Value* made = run(node.kids.back(), made_room);
    return made != nullptr && add_entries(node, key, *made, kept);
  });
  return walked ? finish_map(node, kept, room) : nullptr;
}

bool Evaluation::add_entries(const Node& node, const Value& key, const Value& made,
                             std::vector<MapEntry>& into) {
  if (node.op == Op::transform_map) {
    into.emplace_back(key, made);
    return true;
  }
  if (!made.is(Kind::map)) {
    fail(
        "no such overload: transformMapEntry makes a map, not " + std::string(name_of(made.kind())),
        node.at);
    return false;
  }
  into.insert(into.end(), made.as_map().begin(), made.as_map().end());
  return charge(made.as_map().size(), node.at);
}

const Value* Evaluation::bind(const Node& node, Value& room) {
  Value bound_room;
  const Value* bound = run(node.kids[0], bound_room);
  if (bound == nullptr) {
    return nullptr;
  }
  locals_[node.index] = bound;
  const Value* made = run(node.kids[1], room);
  return made == nullptr || made == &room ? made : &(room = Value(*made));
}

const Value* Evaluation::optional_map(const Node& node, Value& room) {
  Value from_room;
  const Value* from = run(node.kids[0], from_room);
  if (from == nullptr) {
    return nullptr;
  }
  if (!from->is(Kind::optional)) {
    return fail(
        "no such overload: optMap needs an optional, not " + std::string(name_of(from->kind())),
        node.at);
  }
  if (from->optional_value() == nullptr) {
    return &(room = Value::none());
  }
  locals_[node.index] = from->optional_value();
  Value made_room;
  const Value* made = run(node.kids[1], made_room);
  if (made == nullptr) {
    return nullptr;
  }
  if (node.op == Op::opt_map) {
    return &(room = Value::some(*made));
  }
  if (!made->is(Kind::optional)) {
    return fail(
        "no such overload: optFlatMap makes an optional, not " + std::string(name_of(made->kind())),
        node.at);
  }
  return &(room = Value(*made));
}

} // namespace skein::expression
