#include <algorithm>

#include "core/expression/evaluator.h"

// What conditions are mostly made of, without the table of overloads wherever that can be.
namespace skein::expression {

// CEL's && and ||: the absorbing value wins over failures on either side.
const Value* Evaluation::logic(const Node& node) {
  const bool absorbing = node.op == Op::any_of;
  for (const Node& kid : node.kids) {
    Value room;
    const Value* value = run(kid, room);
    if (value == nullptr || !value->is(Kind::boolean)) {
      return logic_behind(node, absorbing, &kid, value);
    }
    if (value->as_bool() == absorbing) {
      return truth(absorbing);
    }
  }
  return truth(!absorbing);
}

// What is left of && or || once the value of `kid` was none, or no bool: only the absorbing value
// behind it can still save it.
const Value* Evaluation::logic_behind(const Node& node, bool absorbing, const Node* kid,
                                      const Value* value) {
  std::optional<Failure> first;
  for (const Node* const end = node.kids.data() + node.kids.size();;) {
    if (value != nullptr && !value->is(Kind::boolean)) {
      fail("no such overload: " + std::string(absorbing ? "||" : "&&") + " does not take " +
               std::string(name_of(value->kind())),
           kid->at);
    } else if (value == nullptr && failure_->limit) {
      return nullptr;
    } else if (value != nullptr && value->as_bool() == absorbing) {
      return truth(absorbing);
    }
    if (!first) {
      first = std::move(failure_);
    }
    failure_.reset();
    if (++kid == end) {
      failure_ = std::move(first);
      return nullptr;
    }
    Value room;
    value = run(*kid, room);
  }
}

const Value* Evaluation::conditional(const Node& node, Value& room) {
  Value choice_room;
  const Value* choice = run(node.kids[0], choice_room);
  if (choice == nullptr) {
    return nullptr;
  }
  if (!choice->is(Kind::boolean)) {
    return fail("no such overload: the condition of ?: is " + std::string(name_of(choice->kind())) +
                    ", not bool",
                node.kids[0].at);
  }
  return run(node.kids[choice->as_bool() ? 1 : 2], room);
}

const Value* Evaluation::equality(const Node& node) {
  Value left_room;
  Value right_room;
  const Value* left = get(node.kids[0], left_room);
  const Value* right = left == nullptr ? nullptr : get(node.kids[1], right_room);
  if (right == nullptr || !charge(std::min(left->weight(), right->weight()), node.at)) {
    return nullptr;
  }
  return truth((*left == *right) == (node.op == Op::equal));
}

// a.or(b), a.orValue(b): b only where a is none.
const Value* Evaluation::alternative(const Node& node, Value& room) {
  Value first_room;
  const Value* first = run(node.kids[0], first_room);
  if (first == nullptr) {
    return nullptr;
  }
  if (!first->is(Kind::optional)) {
    return fail("no such overload: " + std::string(shown_name(node.value.as_string())) +
                    " needs an optional, not " + std::string(name_of(first->kind())),
                node.at);
  }
  if (first->optional_value() != nullptr) {
    return &(room = Value(node.op == Op::or_value ? *first->optional_value() : *first));
  }
  const Value* second = run(node.kids[1], room);
  if (second != nullptr && node.op == Op::or_optional && !second->is(Kind::optional)) {
    return fail(
        "no such overload: or needs an optional, not " + std::string(name_of(second->kind())),
        node.at);
  }
  return second;
}

const Value* Evaluation::order(const Node& node, Value& room) {
  Value rooms[2];
  const Value* left = get(node.kids[0], rooms[0]);
  const Value* right = left == nullptr ? nullptr : get(node.kids[1], rooms[1]);
  if (right == nullptr) {
    return nullptr;
  }
  if (left->is(Kind::integer) && right->is(Kind::integer)) {
    const std::int64_t a = left->as_int();
    const std::int64_t b = right->as_int();
    return truth((node.index & (a < b ? kBelow : a > b ? kAbove : kSame)) != 0);
  }
  const Value* const arguments[]{left, right};
  return dispatch(node, arguments, room);
}

const Value* Evaluation::member(const Node& node, Value& room) {
  Value rooms[2];
  const Value* item = get(node.kids[0], rooms[0]);
  const Value* range = item == nullptr ? nullptr : get(node.kids[1], rooms[1]);
  if (range == nullptr) {
    return nullptr;
  }
  if (!range->is(Kind::list)) {
    const Value* const arguments[]{item, range};
    return dispatch(node, arguments, room);
  }
  const auto items = range->as_list();
  if (!charge(items.size() * std::uint64_t{std::min(item->weight(), range->weight())}, node.at)) {
    return nullptr;
  }
  for (const Value& each : items) {
    if (each == *item) {
      return truth(true);
    }
  }
  return truth(false);
}

} // namespace skein::expression
