#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/value/value.h"

namespace skein {

/// A place in a file: both count from 1; 0 where it is not known (a document made from JSON in
/// storage).
struct Mark {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  auto operator<=>(const Mark&) const = default;
};

/// One node of a YAML or JSON document with its place, after duplicate keys, aliases, depth and
/// size were checked.
struct Node {
  enum class Shape : std::uint8_t { scalar, list, map };
  struct Member;

  Shape shape = Shape::scalar;
  Mark mark;
  Value scalar;                ///< typed by YAML's core schema: null, bool, int, double, string
  std::uint32_t column = 0;    ///< of a block of text, `|`: where its lines begin; else 0
  std::vector<Node> items;     ///< of a list
  std::vector<Member> members; ///< of a map, in the file's order

  const Node* find(std::string_view key) const;
  /// The same tree as a value, without the places.
  Value to_value() const;
};

struct Node::Member {
  std::string key;
  Mark mark;
  Node value;
};

/// One document of a file.
struct Document {
  std::string file; ///< as the user named it; "-" for standard input
  Node root;
};

} // namespace skein
