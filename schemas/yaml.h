#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/resources/document.h"

namespace skein::schemas {

struct YamlLimits {
  std::size_t max_bytes = 1u << 20;
  std::size_t max_depth = 32;
  std::size_t max_nodes = 10'000;
};

/// Reads every document of a YAML or JSON text. Refuses anchors, aliases, merge keys, tags other
/// than the core schema's, duplicate keys and keys that are not scalars, before anything is built.
/// Errors: yaml_invalid, yaml_limit; detail starts with "FILE:LINE:COLUMN: ".
Result<std::vector<Document>> read_yaml(std::string_view text, std::string_view file,
                                        const YamlLimits& limits = {});

} // namespace skein::schemas
