#pragma once

#include <re2/re2.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/schema/schema.h"
#include "core/value/value.h"

/// What a schema document is compiled to: a flat table of schema objects that name each other by
/// index. Only the compiler writes it; checks read it.
namespace skein::schema {

using NodeIndex = std::uint32_t;
using ResourceIndex = std::uint32_t;
inline constexpr NodeIndex kNoNode = UINT32_MAX;

/// Bits of Node::types.
enum TypeBit : std::uint8_t {
  kNullType = 1,
  kBooleanType = 2,
  kIntegerType = 4,
  kNumberType = 8,
  kStringType = 16,
  kArrayType = 32,
  kObjectType = 64,
};

struct Pattern {
  std::string text;
  std::shared_ptr<const re2::RE2> regex;
};

/// A bound of a size: minLength and its like.
using Count = std::optional<std::uint64_t>;

struct StringRules {
  Count min_length;
  Count max_length;
  std::optional<Pattern> pattern;
  std::string format;
};

struct NumberRules {
  std::optional<Value> minimum;
  std::optional<Value> maximum;
  std::optional<Value> exclusive_minimum;
  std::optional<Value> exclusive_maximum;
  std::optional<Value> multiple_of;
};

struct ArrayRules {
  std::vector<NodeIndex> prefix_items;
  NodeIndex items = kNoNode;
  NodeIndex contains = kNoNode;
  Count min_contains;
  Count max_contains;
  Count min_items;
  Count max_items;
  bool unique = false;
};

struct ObjectRules {
  std::vector<std::pair<std::string, NodeIndex>> properties; ///< sorted by name
  std::vector<std::pair<Pattern, NodeIndex>> pattern_properties;
  NodeIndex additional = kNoNode;
  NodeIndex names = kNoNode;
  std::vector<std::string> required;
  std::vector<std::pair<std::string, std::vector<std::string>>> dependent_required;
  std::vector<std::pair<std::string, NodeIndex>> dependent_schemas;
  Count min_properties;
  Count max_properties;
};

/// One schema object or boolean schema.
struct Node {
  std::string pointer;                       ///< where it stands in the document
  ResourceIndex resource = 0;                ///< the $id that it belongs to
  std::optional<bool> constant;              ///< a boolean schema
  std::uint8_t types = 0;                    ///< 0: any
  std::optional<Value> only;                 ///< const
  std::optional<std::vector<Value>> choices; ///< enum
  std::optional<NumberRules> number;
  std::optional<StringRules> text;
  std::optional<ArrayRules> array;
  std::optional<ObjectRules> object;
  NodeIndex ref = kNoNode;
  NodeIndex dynamic_ref = kNoNode;
  std::string dynamic_name; ///< the anchor to look for in the dynamic scope; "" where static
  std::vector<NodeIndex> all_of;
  std::vector<NodeIndex> any_of;
  std::vector<NodeIndex> one_of;
  NodeIndex negated = kNoNode;
  NodeIndex condition = kNoNode;
  NodeIndex consequence = kNoNode;
  NodeIndex alternative = kNoNode;
  NodeIndex unevaluated_items = kNoNode;
  NodeIndex unevaluated_properties = kNoNode;
};

/// A part of the document with an $id of its own; the whole document is the first.
struct Resource {
  std::string uri;
  std::string pointer;
  std::map<std::string, NodeIndex, std::less<>> anchors;
  std::map<std::string, NodeIndex, std::less<>> dynamic_anchors;
};

struct Program {
  Options options;
  std::vector<Node> nodes;
  std::vector<Resource> resources;
};

/// Errors: schema_invalid.
Result<std::shared_ptr<const Program>> compile_program(const Value& document,
                                                       const Options& options);

/// Errors: schema_limit.
Result<std::vector<Violation>> run_program(const Program& program, const Value& value);

} // namespace skein::schema
