#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/schema/program.h"

namespace skein::schema {

/// The way from the whole value to the place that is being checked; lives on the stack.
struct Place {
  const Place* parent = nullptr;
  std::string_view key; ///< of an object
  std::size_t index = 0;
  bool in_list = false;
};

/// Which members of one object (or items of one array) a schema has looked at.
class Marks {
 public:
  explicit Marks(std::size_t size) : marks_(size, false) {}
  void set(std::size_t i) { marks_[i] = true; }
  bool has(std::size_t i) const { return marks_[i]; }
  void merge(const Marks& other);

 private:
  std::vector<bool> marks_;
};

/// Where reasons go; one per branch that is tried.
struct Sink {
  std::vector<Violation> found;
  std::size_t limit;
  bool full() const { return found.size() >= limit; }
};

/// Checks one value. Made for one call.
class Checker {
 public:
  explicit Checker(const Program& program) : program_(program) {}

  /// Whether the value matches. `marks` collects what was looked at, where a schema outside asks
  /// (null where none does); `sink` the reasons (null where only the answer counts).
  bool check(NodeIndex index, const Value& value, const Place& place, Marks* marks, Sink* sink);

  bool exceeded() const { return exceeded_; }

 private:
  struct At {
    const Node& node;
    const Value& value;
    const Place& place;
    Marks* marks;
    Sink* sink;
  };

  bool check_node(At& at);
  bool check_general(At& at);
  bool check_number(At& at);
  bool check_text(At& at);
  bool check_array(At& at);
  bool check_contains(At& at, const ArrayRules& rules);
  bool check_object(At& at);
  bool check_member(At& at, const ObjectRules& rules, std::size_t i);
  bool check_dependents(At& at, const ObjectRules& rules);
  bool check_references(At& at);
  bool check_all_of(At& at);
  bool check_any_of(At& at);
  bool check_one_of(At& at);
  bool check_condition(At& at);
  bool check_unevaluated(At& at);

  /// A schema that applies to the same value; what it looked at counts where it matches.
  bool apply(At& at, NodeIndex index, Sink* sink);
  bool size_within(At& at, std::uint64_t size, const Count& least, const Count& most,
                   std::string_view what);
  bool unlike(At& at, std::string_view keyword, std::string reason);
  bool unlike_member(At& at, std::string_view key, std::string_view keyword, std::string reason);
  NodeIndex dynamic_target(const Node& node) const;

  const Program& program_;
  std::vector<ResourceIndex> scope_;
  std::size_t depth_ = 0;
  std::uint64_t work_ = 0;
  bool exceeded_ = false;
};

} // namespace skein::schema
