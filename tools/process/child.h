#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/instant.h"
#include "core/base/result.h"
#include "tools/process/unique_fd.h"

namespace skein::tools {

struct ResourceLimit {
  int resource; ///< RLIMIT_…
  rlim_t value;
};

/// What to run, and within which bounds.
struct ChildSpec {
  std::vector<std::string> argv;        ///< argv[0] is a path; PATH is not searched
  std::vector<std::string> environment; ///< "NAME=value", all of it: nothing is inherited
  std::string directory;                ///< working directory; "" is the parent's
  std::string input;                    ///< what standard input gives
  std::vector<std::string> files; ///< contents that the child finds open as descriptors 3, 4, …
  std::vector<ResourceLimit> limits;
  std::size_t max_output = 1u << 20; ///< bytes kept of standard output, and as many of error
  /// Processes below the child's own children; counted ten times a second, for where
  /// RLIMIT_NPROC does not hold (root). 0: not counted.
  std::size_t max_processes = 0;
  std::optional<Millis> timeout;
  /// An entry of the environment that no other call has: finds processes that left the group.
  std::string mark;
  /// argv is bubblewrap with a PID namespace and `--json-status-fd` on the descriptor after
  /// `files`. SIGTERM then goes to what runs inside.
  bool sandboxed = false;
};

/// Why a child was stopped before it ended by itself.
enum class Stopped : std::uint8_t { no, timeout, cancelled, flood, processes };

struct ChildOutcome {
  int exit_code = 0; ///< of an exit; 128 + signal otherwise, as shells say it
  int signal = 0;    ///< that ended it; 0 where it exited
  std::string out;
  std::string err;
  bool truncated = false; ///< more was written than was kept
  Stopped stopped = Stopped::no;
  Millis duration;
};

using ChildDone = std::function<void(Result<ChildOutcome>)>;

/// A child that runs.
struct Spawned {
  pid_t pid = -1; ///< also its process group and session
  UniqueFd pidfd;
  UniqueFd out;    ///< not blocking
  UniqueFd err;    ///< not blocking
  UniqueFd status; ///< of bubblewrap, not blocking; none otherwise
};

/// Starts the child in a session of its own. It dies with the calling thread.
/// Errors: tool_unavailable (cannot be executed, no processes or descriptors left).
Result<Spawned> spawn(const ChildSpec& spec);

} // namespace skein::tools
