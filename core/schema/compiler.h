#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/schema/program.h"

namespace skein::schema {

/// Turns one document into a Program: first every schema object that a keyword names, then the
/// references between them. A reference into a place that no keyword names is compiled when it is
/// met. The first mistake ends it.
class Compiler {
 public:
  Compiler(const Value& document, const Options& options)
      : document_(document), program_(std::make_shared<Program>()) {
    program_->options = options;
  }

  /// Errors: schema_invalid. REQUIRES: called once.
  Result<std::shared_ptr<const Program>> compile();

 private:
  static constexpr std::size_t kMaxDepth = 100;
  static constexpr std::int64_t kMaxPatternMemory = 1 << 20;

  /// The schema object that is being read.
  struct At {
    const Value& schema;
    const std::string& pointer;
    ResourceIndex resource;
    std::size_t depth;
    Node& node;
    NodeIndex index;
  };

  /// A reference that was met but not followed yet.
  struct Pending {
    NodeIndex from;
    std::string text;
    ResourceIndex resource;
    bool dynamic;
  };

  NodeIndex walk(const Value& schema, const std::string& pointer, ResourceIndex resource,
                 std::size_t depth);
  void read_identity(At& at);
  void read_general(At& at);
  void read_numbers(At& at);
  void read_text(At& at);
  void read_array(At& at);
  void read_object(At& at);
  void read_applicators(At& at);

  NodeIndex only_child(const At& at, std::string_view keyword);
  std::vector<NodeIndex> children(const At& at, std::string_view keyword);
  std::vector<std::pair<std::string, NodeIndex>> children_by_name(const At& at,
                                                                  std::string_view keyword);
  Count count_of(const At& at, std::string_view keyword);
  std::optional<Value> number_of(const At& at, std::string_view keyword);
  std::optional<std::string_view> text_of(const At& at, std::string_view keyword);
  std::vector<std::string> names_of(const std::string& pointer, const Value* list);
  Pattern pattern_of(const std::string& pointer, std::string_view text);

  void resolve(const Pending& pending);
  std::optional<ResourceIndex> resource_of(const Pending& pending) const;
  NodeIndex target_of(const Pending& pending, ResourceIndex resource, const std::string& fragment);
  NodeIndex at_pointer(ResourceIndex resource, const std::string& pointer);

  void fail(const std::string& pointer, const std::string& reason);

  const Value& document_;
  std::shared_ptr<Program> program_;
  std::map<std::string, NodeIndex, std::less<>> by_pointer_;
  std::deque<Pending> pending_;
  std::optional<Error> error_;
};

} // namespace skein::schema
