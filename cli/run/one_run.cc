#include "cli/run/one_run.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/run/follow.h"
#include "node/replay.h"

namespace skein::cli {

CLI::App& add_on_run(CLI::App& run, Chosen& chosen, const char* name, const char* summary,
                     RunAct act) {
  auto wanted = std::make_shared<std::string>();
  CLI::App* command = run.add_subcommand(name, summary);
  command->add_option("run", *wanted, "Run id")->required()->type_name("RUN");
  command->callback([&chosen, wanted, command, act = std::move(act)] {
    const CLI::Option* detach = command->get_option_no_throw("--detach");
    const bool detached = detach != nullptr && detach->count() > 0;
    chosen = [wanted, act, detached](const Context& context) {
      auto node = detached ? context.open_to_record() : context.open();
      if (!node) {
        return complain(node.error());
      }
      const auto record = record_of((*node)->store(), *wanted);
      return record ? act(context, **node, record->id) : complain(record.error());
    };
  });
  return *command;
}

int tell(const Context& context, node::Node& node, const RunId& run, flow::Event event,
         bool detach) {
  if (auto told = node.tell(run, std::move(event)); !told) {
    return complain(told.error());
  }
  return detach ? kDone : follow(context, node, run);
}

Result<flow::Place> place_of(node::Node& node, const RunId& run, const std::string& step) {
  const auto machine = node::machine_at(node.store(), run);
  return machine ? machine->place_of(step) : machine.error();
}

} // namespace skein::cli
