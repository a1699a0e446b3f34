#include <CLI/CLI.hpp>

#include "cli/run/follow.h"
#include "cli/run/one_run.h"

namespace skein::cli {
namespace {

int watch(const Context& context, node::Node& node, const RunId& run) {
  const auto record = record_of(node.store(), run.get());
  if (!record) {
    return complain(record.error());
  }
  // Without a node nobody else can have the run going: this process has the data directory.
  if (!node.remote() &&
      (record->state == RunState::running || record->state == RunState::pending)) {
    if (auto woken = node.resume(run); !woken) {
      return complain(woken.error());
    }
  }
  return follow(context, node, run, {context.structured() ? Show::lines : Show::tree, stdout});
}

} // namespace

void add_watch(CLI::App& run, Chosen& chosen) {
  CLI::App& command = add_on_run(run, chosen, "watch",
                                 "Draw a run while it goes on; lines in a pipe", watch, Stays::yes);
  command.footer("A run that was cut off goes on while it is watched.");
}

} // namespace skein::cli
