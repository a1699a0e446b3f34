#pragma once

#include <string>

namespace skein::tools {

/// A seccomp program as bubblewrap reads it: what commands in a sandbox have no use for and
/// exploits have (mounts, namespaces, ptrace, keyrings, io_uring, userfaultfd, bpf, modules) fails
/// with EPERM. "" on machines that it is not written for.
std::string system_call_filter();

} // namespace skein::tools
