#pragma once

#include <sys/stat.h>

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "tools/process/unique_fd.h"
#include "tools/settings.h"

namespace skein::tools {

/// A path that a call named, as the root that it lies in and the rest.
struct RootedPath {
  std::string root;
  std::string rest;                ///< relative, "." for the root itself
  std::vector<std::string> hidden; ///< directories that the path must not lead into

  std::string shown() const { return rest == "." ? root : root + "/" + rest; }
};

/// Which root a path lies in: relative paths in the first, absolute ones in the root that they
/// begin with. Nothing is decided by this about what may be opened: the kernel does that in
/// open_beneath. Errors: tool_denied.
Result<RootedPath> find_root(const ToolSettings& settings, std::string_view path);

/// Opens a path beneath its root. The kernel refuses every way out, "..", absolute and symbolic
/// links, also if they appear while it walks. Source: openat2(2).
/// Errors: tool_denied (a way out, or into what is hidden), file_missing, tool_failed (errno as a
/// sentence), tool_unavailable (no openat2).
Result<UniqueFd> open_beneath(const RootedPath& path, int flags, mode_t mode = 0);

/// The directory of a path, opened, and the last name; directories that are missing are made where
/// asked. REQUIRES: not the root itself. Errors: as open_beneath.
struct Parent {
  UniqueFd directory;
  std::string name;
};
Result<Parent> open_parent(const RootedPath& path, bool make_missing);

/// What errno says of a path.
Error error_of(int reason, const RootedPath& path);

} // namespace skein::tools
