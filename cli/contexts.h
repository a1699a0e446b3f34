#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace skein::cli {

/// A node or a data directory under a name of one's own.
struct NamedContext {
  std::string name;
  std::string server; ///< "https://skein.example:7711"; or
  std::string token;  ///< what its data directory's file `token` says
  std::string data;   ///< a data directory on this machine
};

/// What ~/.config/skein/config.yaml says.
struct Contexts {
  std::string current; ///< "" where none is chosen
  std::vector<NamedContext> all;

  const NamedContext* find(const std::string& name) const;
  /// Makes it where there is none.
  NamedContext& at(const std::string& name);
};

/// Under $XDG_CONFIG_HOME, or ~/.config.
std::filesystem::path contexts_file();

/// None where there is no file. Errors: yaml_*, resource_key_unknown, resource_value_invalid,
/// file_unreadable.
Result<Contexts> read_contexts();
/// Whole or not at all, readable by its owner alone: tokens are in it. Errors: output_failed.
Result<void> write_contexts(const Contexts& contexts);

/// The one of this name. Errors: context_unknown, with the nearest.
Result<NamedContext> context_named(const Contexts& contexts, const std::string& name);

} // namespace skein::cli
