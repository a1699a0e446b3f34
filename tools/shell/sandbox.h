#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"
#include "tools/process/child.h"
#include "tools/settings.h"

namespace skein::tools {

/// How a command is put into bubblewrap.
///
/// It sees: /usr and the system's libraries, the few files of /etc that programs need, a /proc and
/// /dev of its own, an empty /tmp and /dev/shm, and, writable, the declared roots but for what is
/// hidden in them. It has no network, no capability, no other process, no way to a terminal, and
/// dies with this process. No variable of its environment shows in a process list or acts on
/// bubblewrap.
struct Sandbox {
  std::vector<std::string> roots;
  std::vector<std::string> read_only;
  std::vector<std::string> hidden; ///< shown empty, wherever they lie
  std::size_t max_temporary = 0;
  bool network = false;
};

/// Whether a sandbox can hold back what runs in it. Errors: tool_denied (a root that covers what is
/// the sandbox's own, such as "/").
Result<void> check(const Sandbox& sandbox);

/// Turns a spec of a bare command into one of the command in its sandbox. `directory` of the spec
/// becomes the working directory inside.
ChildSpec sandboxed(ChildSpec bare, const Sandbox& sandbox);

/// What proves that this machine can run sandboxes: `true` in one.
ChildSpec sandbox_probe();

/// Directories of PATH that a sandbox shows.
bool visible_in_sandbox(const std::string& directory, const Sandbox& sandbox);

} // namespace skein::tools
