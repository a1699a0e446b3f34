#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "cli/checks.h"
#include "cli/run/one_run.h"
#include "cli/run/waiting.h"
#include "node/fork.h"
#include "node/replay.h"

namespace skein::cli {
namespace {

// "2 of 3 items, 1 failed".
std::string items_of(const flow::Machine::StepView& step) {
  if (step.items == 0) {
    return "";
  }
  return (step.items_done < step.items ? std::to_string(step.items_done) + " of " : "") +
         std::to_string(step.items) + " items" +
         (step.items_failed > 0 ? ", " + std::to_string(step.items_failed) + " failed" : "");
}

int status(const Context& context, node::Node& node, const RunId& run) {
  const auto stored = record_of(node.store(), run.get());
  const auto record = stored ? caught_up(node.store(), *stored) : stored;
  const auto value = record ? to_value(node.store(), *record) : record.error();
  if (!value) {
    return complain(value.error());
  }
  if (context.structured()) {
    print_value(context.format, *value);
    return kDone;
  }
  if (context.format == Format::name) {
    put(run.get() + "\n");
    return kDone;
  }
  const auto machine = node::machine_at(node.store(), run);
  if (!machine) {
    return complain(machine.error());
  }
  std::vector<std::vector<std::string>> rows{{"STEP", "STATUS", "ATTEMPT", "NOTE"}};
  for (const auto& step : machine->view()) {
    rows.push_back(
        {step.name, step.status, step.attempt > 0 ? std::to_string(step.attempt) : "",
         step.failure ? step.failure->code + ": " + step.failure->message : items_of(step)});
  }
  put(harmless(to_yaml(*value)) + "\n" + table(rows));
  if (const std::string next = next_command(node, *record); !context.quiet && !next.empty()) {
    std::fprintf(stderr, "%s\n", harmless(next).c_str());
  }
  return kDone;
}

Value value_of(const RunId& run, const node::ReplayReport& report) {
  Value difference;
  if (report.difference) {
    difference = object({{"entry", static_cast<std::int64_t>(report.difference->seq.get())},
                         {"what", report.difference->what},
                         {"recorded", report.difference->recorded},
                         {"computed", report.difference->computed}});
  }
  return object({{"run", run.get()},
                 {"entries", static_cast<std::int64_t>(report.entries)},
                 {"checkpoints", static_cast<std::int64_t>(report.checkpoints)},
                 {"state", name_of(report.state)},
                 {"digest", to_string(report.digest)},
                 {"output", report.output},
                 {"difference", difference}});
}

int replay(const Context& context, node::Node& node, const RunId& run, std::uint64_t at) {
  const auto last = node.store().last_seq(run);
  if (!last || last->get() < at) {
    return complain(last ? node::no_entry(run, *last, Seq(at)) : last.error());
  }
  const auto report =
      node::replay(node.store(), run, at > 0 ? std::optional(Seq(at)) : std::nullopt);
  if (!report) {
    return complain(report.error());
  }
  if (context.structured()) {
    print_value(context.format, value_of(run, *report));
  } else if (report->difference) {
    put(harmless("entry " + std::to_string(report->difference->seq.get()) + " differs in its " +
                 report->difference->what + "\n  recorded " + report->difference->recorded +
                 "\n  computed " + report->difference->computed + "\n"));
  } else {
    put(std::to_string(report->entries) + " entries and " + std::to_string(report->checkpoints) +
        " checkpoints replayed without a difference: " + std::string(name_of(report->state)) +
        ", state " + to_string(report->digest) + "\n");
  }
  return report->difference ? kFailed : kDone;
}

} // namespace

void add_status(CLI::App& run, Chosen& chosen) {
  add_on_run(run, chosen, "status", "What a run is, and where each step stands", status);
}

void add_replay(CLI::App& run, Chosen& chosen) {
  auto at = std::make_shared<std::uint64_t>(0);
  CLI::App& command = add_on_run(
      run, chosen, "replay", "Fold the journal again and compare every digest",
      [at](const Context& c, node::Node& n, const RunId& id) { return replay(c, n, id, *at); });
  command.add_option("--at", *at, "Stop after this entry")->type_name("ENTRY")->check(from_one());
}

} // namespace skein::cli
