#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/expression/program.h"
#include "core/expression/shape.h"
#include "core/value/value.h"

namespace re2 {
class RE2;
}

namespace skein::expression {

struct Overload;

/// Of what is declared so.
constexpr Kinds kinds_of(StaticType type) {
  constexpr std::array kKinds{
      kAnyKind,         only(Kind::boolean),   only(Kind::integer), only(Kind::uinteger),
      only(Kind::real), only(Kind::string),    only(Kind::bytes),   only(Kind::list),
      only(Kind::map),  only(Kind::timestamp), only(Kind::duration)};
  return kKinds[static_cast<std::size_t>(type)];
}

/// Where a value stands to another: what an operator of order holds for.
inline constexpr std::uint32_t kBelow = 1;
inline constexpr std::uint32_t kSame = 2;
inline constexpr std::uint32_t kAbove = 4;

enum class Op : std::uint8_t {
  literal,
  name,   ///< not yet resolved; value is its text, flag a leading dot
  slot,   ///< a declared variable; index is its slot
  local,  ///< a variable of a macro; index is its place
  broken, ///< an error when it is evaluated; value is its text
  select, ///< kids[0].field; value is the field, flag says .?
  has,    ///< has(kids[0].field)
  index,  ///< kids[0][kids[1]]; flag says [?]
  call,   ///< value is the function's name; a member's name has a dot before it
  order,  ///< a call of <, <=, > or >=; index is the set of places that hold
  member, ///< a call of `in`
  list,   ///< kids; `maybe` of a kid says ?element
  map,    ///< keys and values in turn; `maybe` of a key says ?key
  all_of, ///< a && b && …
  any_of,
  conditional,
  equal,
  unequal,
  // Macros. kids[0] is what is walked; the variables are locals index and index + 1.
  all,
  exists,
  exists_one,
  map_items,       ///< kids: range, [filter,] result
  filter,          ///< kids: range, condition
  transform_map,   ///< kids: range, [filter,] value
  transform_entry, ///< kids: range, [filter,] map of entries
  bind,            ///< kids: value, body
  opt_map,         ///< kids: optional, body
  opt_flat_map,
  or_value, ///< kids: optional, alternative
  or_optional,
};

/// One node of the syntax tree; the parser makes it, the checker resolves names and functions in
/// place, the evaluator walks it.
struct Node {
  Op op = Op::literal;
  bool flag = false;         ///< optional select or index; leading dot; two variables of a macro
  bool maybe = false;        ///< ?element of a list, ?key of a map
  Kinds kinds = kAnyKind;    ///< of the value
  Kinds elements = kAnyKind; ///< of a list's items or a map's values
  std::uint16_t depth = 1;   ///< of the tree below, and this
  std::uint32_t at = 0;      ///< offset in the text
  std::uint32_t index = 0;   ///< slot, local, or set of places
  std::uint32_t overload_count = 0;
  const Overload* overloads = nullptr;     ///< of call, those with the right number of parameters
  std::shared_ptr<const re2::RE2> pattern; ///< of matches with a literal pattern
  Value value;
  std::vector<std::string> variables; ///< of a macro, as written
  std::vector<Node> kids;
};

struct Expression {
  std::string text;
  Limits limits;
  Node root;
  std::vector<Slot> slots;  ///< read, ascending
  std::uint32_t locals = 0; ///< the most that live at once
};

} // namespace skein::expression
