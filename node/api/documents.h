#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/flow/loader.h"
#include "node/api/service.h"

namespace skein::node {

/// One document of a request, applied.
struct Applied {
  std::optional<ResourceRow> before;
  ResourceRow after;
};

/// What a document came to when it was checked.
struct Checked {
  std::string kind;
  std::string name;
  std::vector<flow::Finding> findings; ///< also warnings
  bool valid = false;
};

/// Every document of a YAML or JSON text, checked as this node would read it.
/// Errors: yaml_invalid, yaml_limit.
Result<std::vector<Checked>> check_documents(const Service& service, std::string_view text,
                                             bool lenient);

/// Applies all of them, or none where one is wrong. At least one where it succeeds.
/// Errors: yaml_*, what the loader finds first, storage_*.
Result<std::vector<Applied>> apply_documents(const Service& service, std::string_view text,
                                             bool lenient);

/// "created", "changed" or "unchanged".
std::string_view came_to(const Applied& applied);

} // namespace skein::node
