#pragma once

#include <sys/resource.h>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "core/base/instant.h"
#include "core/ports/tool.h"

namespace skein::tools {

/// What the operator of a node allows commands to do and use. 0 is "no limit" of a number.
struct ShellSettings {
  std::vector<std::string> allowed_commands; ///< as argv[0] is written; empty: any
  bool allow_network = true;                 ///< whether a call may ask for it
  bool allow_no_sandbox = true;              ///< whether a call may ask for `sandbox: none`
  bool sandbox = true;                       ///< where a call does not say
  std::vector<std::string> read_only;        ///< more of the host that a sandbox shows
  std::vector<std::string> pass_environment{"PATH", "LANG", "LC_ALL", "TZ"};
  Millis timeout{600'000}; ///< where neither call nor step has one
  std::size_t max_output = 1u << 20;
  rlim_t max_cpu_seconds = 3600;
  rlim_t max_memory = rlim_t{8} << 30;    ///< bytes of address space of one process
  rlim_t max_file_size = rlim_t{1} << 30; ///< bytes
  rlim_t max_processes = 512;
  rlim_t max_open_files = 1024;
  std::size_t max_temporary = std::size_t{256} << 20; ///< bytes of a sandbox's /tmp, of /dev/shm
};

struct HttpSettings {
  /// What may be reached besides public addresses at ports 80 and 443: "HOST", "HOST:PORT",
  /// "ADDRESS/BITS" or "ADDRESS/BITS:PORT"; PORT may be "*", and is 80 or 443 where there is none.
  /// IPv6 addresses with a port are in brackets.
  std::vector<std::string> allow;
  Millis timeout{30'000};
  std::size_t max_response = std::size_t{8} << 20;
  std::size_t max_parallel = 256; ///< calls on the wire; more wait
};

struct FileSettings {
  std::size_t max_size = std::size_t{8} << 20; ///< of what is read or written at once
  std::size_t max_entries = 10'000;            ///< of a list
};

struct ToolSettings {
  /// Directories that `file` works in and that commands may write: absolute, without links. The
  /// first is the working directory and the HOME of commands.
  std::vector<std::string> roots;
  /// Directories that `file` and commands in a sandbox never reach, though they lie in a root: the
  /// node's own. Absolute, without links.
  std::vector<std::string> hidden;
  ShellSettings shell;
  HttpSettings http;
  FileSettings file;
  /// Takes what the log tool says. Called from the thread of the call; may be null.
  std::function<void(const ToolCall&, const ToolLog&)> log;
};

} // namespace skein::tools
