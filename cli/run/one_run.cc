#include "cli/run/one_run.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "cli/checks.h"
#include "cli/run/follow.h"
#include "cli/run/waiting.h"
#include "node/replay.h"

namespace skein::cli {

CLI::App& add_on_run(CLI::App& run, Chosen& chosen, const char* name, const char* summary,
                     RunAct act, Stays stays) {
  auto wanted = std::make_shared<std::string>();
  CLI::App* command = run.add_subcommand(name, summary);
  command->add_option("run", *wanted, "Run id")->required()->type_name("RUN")->check(not_empty());
  command->callback([&chosen, wanted, command, stays, act = std::move(act)] {
    const CLI::Option* detach = command->get_option_no_throw("--detach");
    const bool detached = detach != nullptr && detach->count() > 0;
    chosen = [wanted, act, works = stays == Stays::yes && !detached](const Context& context) {
      auto node = works ? context.open_to_work() : context.open();
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
  return detach ? show_run(context, node, run) : follow(context, node, run);
}

namespace {

// As it is in the journal, with what has to be done where nobody works on it.
int show(const Context& context, node::Node& node, const RunId& run, bool only_id) {
  const Store& store = node.store();
  const auto stored = record_of(store, run.get());
  const auto record = stored ? caught_up(store, *stored) : stored;
  const auto value = record && context.structured() ? to_value(store, *record)
                     : record                       ? Result<Value>(Value())
                                                    : record.error();
  if (!value) {
    return complain(value.error());
  }
  if (context.structured()) {
    print_value(context, *value);
    return kDone;
  }
  const bool id_only = only_id || context.format == Format::name;
  put((id_only ? run.get() : harmless(standing_of(*record))) + "\n");
  const bool begun = !only_id || node.remote() ||
                     (record->state != RunState::pending && record->state != RunState::running);
  const std::string next = begun
                               ? next_command(node, *record)
                               : "recorded, not started; go on with: skein run resume " + run.get();
  if (!context.quiet && !next.empty()) {
    std::fprintf(stderr, "%s\n", harmless(next).c_str());
  }
  return kDone;
}

} // namespace

int show_run(const Context& context, node::Node& node, const RunId& run) {
  return show(context, node, run, false);
}

int show_detached(const Context& context, node::Node& node, const RunId& run) {
  return show(context, node, run, true);
}

Result<flow::Place> place_of(node::Node& node, const RunId& run, const std::string& step) {
  const auto machine = node::machine_at(node.store(), run);
  return machine ? machine->place_of(step) : machine.error();
}

} // namespace skein::cli
