#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/expression/shape.h"
#include "core/value/value.h"

namespace skein::expression {

struct Expression; // the checked syntax tree

/// Index of a declared variable, handed back at evaluation.
using Slot = std::uint32_t;

/// Static type of a declared variable; `dynamic` is checked when it runs.
enum class StaticType : std::uint8_t {
  dynamic,
  boolean,
  integer,
  uinteger,
  real,
  string,
  bytes,
  list,
  map,
  timestamp,
  duration
};

/// The names that an expression may use. A name may be dotted ("steps.count.output"): the longest
/// declared prefix of a qualified name wins, so a lookup costs one slot however long the name is.
class Declarations {
 public:
  void add(std::string name, Slot slot, StaticType type = StaticType::dynamic);

  /// Says more of a name than its type does: what contradicts it is a mistake.
  /// REQUIRES: it is declared, as dynamic.
  void describe(std::string_view name, std::shared_ptr<const Shape> shape);

  struct Declared {
    Slot slot;
    StaticType type;
    std::shared_ptr<const Shape> shape = nullptr; ///< null: nothing more is known
  };
  const Declared* find(std::string_view name) const;
  std::vector<std::string_view> names() const; ///< sorted

 private:
  std::vector<std::pair<std::string, Declared>> sorted_;
};

/// Where variables come from while an expression is evaluated.
class Activation {
 public:
  virtual ~Activation() = default;
  /// The variable's value; null where it has none (an error in the expression that uses it).
  /// Ownership: the pointer lives until the evaluation ends.
  virtual const Value* find(Slot slot) const = 0;
};

struct Limits {
  std::size_t max_bytes = 64u << 10; ///< of source text
  std::size_t max_depth = 250;       ///< of the syntax tree
  std::uint64_t max_cost =
      1'000'000; ///< evaluation steps, each about a node visited or 16 bytes compared
};

struct Options {
  Limits limits;
  std::string
      container;     ///< namespace that unqualified names are resolved in first; CEL's container
  bool check = true; ///< report what the types already show to be wrong
  StaticType result = StaticType::dynamic; ///< what the value must be, where that matters
};

/// One parsed and checked CEL expression. Immutable after it is made.
/// Thread-safety: evaluate from any thread.
/// Source: CEL language definition, with the strings, math, optionals and two-variable macro
/// extensions.
class Program {
 public:
  /// Errors: expression_syntax, expression_type, expression_limit; detail ends with "at
  /// LINE:COLUMN".
  static Result<Program> compile(std::string_view text, const Declarations& declarations,
                                 const Options& options = {});

  /// Errors: expression_evaluation (no such key, division by zero, overflow …), expression_limit
  /// (cost).
  Result<Value> evaluate(const Activation& activation) const;

  std::string_view text() const;
  /// The variables that the expression reads, ascending, each once.
  std::span<const Slot> slots() const;

 private:
  explicit Program(std::shared_ptr<const Expression> expression)
      : expression_(std::move(expression)) {}
  std::shared_ptr<const Expression> expression_;
};

/// A string with ${ expression } parts, or a value tree that has such strings in it.
///
/// A string that is exactly one ${ expression } keeps the value's type; otherwise each part is
/// converted as CEL's string() does, lists and maps as JSON. "$${" is a literal "${".
/// Thread-safety: evaluate from any thread.
class Template {
 public:
  Template(); ///< always null

  /// Errors: as Program::compile; detail says which string of the tree by its JSON pointer, and
  /// `wrong_at`, where given, takes the offset of the ${ in it.
  static Result<Template> compile(const Value& tree, const Declarations& declarations,
                                  const Options& options = {}, std::size_t* wrong_at = nullptr);

  Result<Value> evaluate(const Activation& activation) const;

  /// Whether there is no ${ } in it: evaluate returns the same value each time.
  bool constant() const;
  std::vector<Slot> slots() const;

  struct Node;

 private:
  explicit Template(std::shared_ptr<const Node> root) : root_(std::move(root)) {}
  std::shared_ptr<const Node> root_;
};

} // namespace skein::expression
