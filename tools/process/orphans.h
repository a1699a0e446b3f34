#pragma once

#include <sys/types.h>

#include <functional>
#include <set>
#include <string_view>
#include <vector>

namespace skein::tools {

/// Children of this process as the kernel lists them, adopted orphans among them. Where the kernel
/// has no such list, all of /proc is read.
std::vector<pid_t> children_of_this_process();

/// Everything below a process, without the process itself and its own children: what bubblewrap
/// runs inside its namespace.
std::vector<pid_t> grandchildren_of(pid_t pid);

/// Kills adopted orphans that belong to a call, and reaps those that are dead: an orphan belongs
/// where its environment has the mark or its session is the call's. `dying` keeps what was killed
/// and is not reaped yet: a process that is about to end has no environment any more. `known` says
/// which children are somebody's own. A dead adopted daemon of any call is reaped too. Returns
/// whether there were any; the orphans of orphans are adopted next, so sweep until there are none.
bool sweep_orphans(std::string_view mark, pid_t session, std::set<pid_t>& dying,
                   const std::function<bool(pid_t)>& known);

} // namespace skein::tools
