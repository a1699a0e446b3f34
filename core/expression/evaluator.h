#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/expression/function.h"
#include "core/expression/syntax.h"

namespace skein::expression {

inline const Value kTruths[]{Value(false), Value(true)};
/// A bool as a value that outlives every evaluation.
inline const Value* truth(bool b) { return &kTruths[b ? 1 : 0]; }

/// Why an evaluation stopped. The text is made when the failure leaves the program, because most
/// failures inside a macro never do.
struct Failure {
  bool limit = false; ///< the cost limit: no operator may absorb it
  std::uint32_t at = 0;
  std::string what;
  Value key;       ///< with `container`: the key that it has not
  Value container; ///< a map
};

/// One walk over a syntax tree. Values are passed as pointers into what is there already; only what
/// is computed is put into the `room` of the caller.
class Evaluation {
 public:
  Evaluation(const Activation* activation, std::uint64_t max_cost, std::uint32_t locals)
      : activation_(activation), left_(max_cost) {
    if (locals > few_.size()) {
      many_.resize(locals);
      locals_ = many_;
    }
  }
  Evaluation(const Evaluation&) = delete;
  Evaluation& operator=(const Evaluation&) = delete;

  /// The value of the node, or null on a failure.
  const Value* run(const Node& node, Value& room);

  Failure& failure() { return *failure_; }

  /// Whether the limit allows it; otherwise the evaluation fails there.
  bool charge(std::uint64_t cost, std::uint32_t at) {
    if (cost <= left_) [[likely]] {
      left_ -= cost;
      return true;
    }
    return exhausted(at);
  }
  const Value* fail(std::string what, std::uint32_t at);
  bool fail_call(std::string what);

 private:
  bool exhausted(std::uint32_t at);
  /// run(), without a call for what is there already.
  const Value* get(const Node& node, Value& room) {
    return node.op == Op::literal ? &node.value : run(node, room);
  }
  const Value* slot(const Node& node);
  const Value* select(const Node& node, Value& room);
  const Value* field_of(const Node& node, const Value& from, Value& room);
  const Value* has(const Node& node, Value& room);
  const Value* index(const Node& node, Value& room);
  const Value* element(const Node& node, const Value& from, const Value& key);
  const Value* list_element(const Node& node, const Value& from, const Value& key);
  const Value* no_such_key(const Node& node, const Value& key, const Value& container);
  const Value* call(const Node& node, Value& room);
  template <std::size_t Count>
  const Value* call_with(const Node& node, Value& room);
  const Value* call_with_many(const Node& node, Value& room);
  const Value* dispatch(const Node& node, std::span<const Value* const> arguments, Value& room);
  const Value* list(const Node& node, Value& room);
  const Value* map(const Node& node, Value& room);

  // conditions.cc
  const Value* logic(const Node& node);
  const Value* logic_behind(const Node& node, bool absorbing, const Node* kid, const Value* value);
  const Value* conditional(const Node& node, Value& room);
  const Value* equality(const Node& node);
  const Value* alternative(const Node& node, Value& room);
  const Value* order(const Node& node, Value& room);
  const Value* member(const Node& node, Value& room);

  // comprehension.cc
  template <class Body>
  bool each(const Node& node, const Value& range, Body body);
  const Value* quantifier(const Node& node);
  const Value* exactly_one(const Node& node);
  const Value* collect(const Node& node, Value& room);
  const Value* collect_map(const Node& node, Value& room);
  bool add_entries(const Node& node, const Value& key, const Value& made,
                   std::vector<MapEntry>& into);
  const Value* finish_map(const Node& node, std::vector<MapEntry>& entries, Value& room);
  const Value* bind(const Node& node, Value& room);
  const Value* optional_map(const Node& node, Value& room);
  std::optional<bool> condition(const Node& node);

  const Activation* activation_;
  std::uint64_t left_;
  std::optional<Failure> failure_;
  std::array<const Value*, 16> few_; ///< set before they are read: not cleared
  std::vector<const Value*> many_;
  std::span<const Value*> locals_{few_};
};

/// "no such overload: + does not take (int, string)".
std::string no_overload(std::string_view function, std::span<const Value* const> arguments);

/// Whether a result is small and shallow enough to be written down and read again.
/// Errors: expression_limit.
Result<void> check_extent(const Value& result);

} // namespace skein::expression
