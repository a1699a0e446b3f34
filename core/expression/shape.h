#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/value/value.h"

namespace skein::expression {

/// The kinds that a value may have, as a set of bits by Kind: what is known before it runs.
using Kinds = std::uint16_t;
constexpr Kinds only(Kind kind) { return static_cast<Kinds>(1u << static_cast<unsigned>(kind)); }
inline constexpr Kinds kAnyKind = 0x1FFF;
inline constexpr Kinds kNumbers = only(Kind::integer) | only(Kind::uinteger) | only(Kind::real);

/// What is known of a value before anything runs. What is not said may be anything.
struct Shape {
  struct Member;

  Kinds kinds = kAnyKind;
  std::vector<Member> members; ///< of a map, those that are known
  bool closed = false;         ///< a map has no members but these
  std::vector<Shape> items;    ///< one: what each item of a list is; none: anything

  const Shape* member(std::string_view name) const;
};

struct Shape::Member {
  std::string name;
  Shape shape;
};

inline const Shape* Shape::member(std::string_view name) const {
  const auto found = std::ranges::find(members, name, &Member::name);
  return found == members.end() ? nullptr : &found->shape;
}

} // namespace skein::expression
