#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "core/flow/loader.h"
#include "schemas/yaml.h"

namespace skein::flow {

/// A flow file named f.yaml with these steps; they begin in line 6.
inline std::string file_of(std::string_view steps, std::string_view rest = "") {
  return "apiVersion: skein.dev/v1\nkind: Flow\nmetadata: { name: f }\nspec:\n  steps:\n" +
         std::string(steps) + std::string(rest);
}

inline Loaded load_text(std::string_view text, const LoadOptions& options = {}) {
  const auto documents = schemas::read_yaml(text, "f.yaml");
  if (!documents || documents->size() != 1) {
    ADD_FAILURE() << (documents ? "not one document" : documents.error().detail);
    return {};
  }
  return load(documents->front(), options);
}

/// Each finding as one line, "SK1205 f.yaml:6:7: spec.steps[0]: …".
inline std::vector<std::string> findings(std::string_view text, const LoadOptions& options = {}) {
  std::vector<std::string> lines;
  const Loaded loaded = load_text(text, options);
  bool failed = false;
  for (const Finding& finding : loaded.findings) {
    failed = failed || !finding.warning;
    lines.push_back((finding.warning ? "warning " : "") + to_string(finding.error.code) + " " +
                    finding.error.detail);
  }
  EXPECT_EQ(loaded.definition == nullptr, failed);
  return lines;
}

inline std::vector<std::string> findings_of(std::string_view steps) {
  return findings(file_of(steps));
}

} // namespace skein::flow
