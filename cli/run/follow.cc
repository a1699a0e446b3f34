#include "cli/run/follow.h"

#include <cstdio>

#include "cli/run/interrupt.h"
#include "core/value/json.h"
#include "node/replay.h"

namespace skein::cli {
namespace {

// What a person could do now, as a command.
std::string next_command(const RunRecord& record) {
  const std::string& run = record.id.get();
  const std::string& what = record.waiting_for;
  if (what.starts_with("approval ")) {
    return "answer with: skein run approve " + run + " " + what.substr(9);
  }
  if (what.starts_with("signal ")) {
    return "send it with: skein run signal " + run + " " + what.substr(7);
  }
  if (what.starts_with("settle ")) {
    return "decide with: skein run retry " + run + " --step " + what.substr(7) +
           " [--done JSON | --failed]";
  }
  return record.state == RunState::paused || what.starts_with("timer ")
             ? "go on with: skein run resume " + run
             : "";
}

void tell_waiting(const RunRecord& record) {
  std::fprintf(stderr, "run %s is %s for %s%s%s\n", record.id.get().c_str(),
               std::string(name_of(record.state)).c_str(), harmless(record.waiting_for).c_str(),
               record.reason.empty() ? "" : ": ", harmless(record.reason).c_str());
  if (const std::string next = harmless(next_command(record)); !next.empty()) {
    std::fprintf(stderr, "  %s\n", next.c_str());
  }
}

// " in step count[3]", where it was a step that the run failed with.
std::string failed_step(const Store& store, const RunRecord& record) {
  if (!record.failure) {
    return "";
  }
  const auto machine = node::machine_at(store, record.id);
  if (!machine) {
    return "";
  }
  for (const auto& step : machine->view()) {
    // What is around a step fails with the same: the step itself is meant.
    if (step.failure && machine->step_at(step.place).id == record.failure->step &&
        step.failure->code == record.failure->code &&
        step.failure->message == record.failure->message) {
      return " in step " + step.name;
    }
  }
  return "";
}

} // namespace

int tell_outcome(const Context& context, const Store& store, const RunRecord& record,
                 bool with_output) {
  if (with_output && context.structured()) {
    const auto value = to_value(store, record);
    if (!value) {
      return complain(value.error());
    }
    print_value(context.format, *value);
  } else if (with_output && context.format == Format::name) {
    put(record.id.get() + "\n");
  } else if (with_output && record.state == RunState::succeeded && !record.output.is_null()) {
    put(harmless(record.output.is(Kind::string) ? std::string(record.output.as_string())
                                                : to_pretty_json(record.output)) +
        "\n");
  }
  switch (record.state) {
    case RunState::succeeded:
      return kDone;
    case RunState::failed:
    case RunState::cancelled:
      std::fprintf(stderr, "run %s %s%s: %s\n", record.id.get().c_str(),
                   std::string(name_of(record.state)).c_str(),
                   harmless(failed_step(store, record)).c_str(), harmless(record.reason).c_str());
      return kFailed;
    default:
      if (!context.quiet) {
        tell_waiting(record);
      }
      return kWaiting;
  }
}

int follow(const Context& context, node::Node& node, const RunId& run, Shown shown) {
  catch_interrupts(run);
  const bool silent = context.quiet && shown.show == Show::progress;
  Watcher watcher(context, node, run, silent ? Show::nothing : shown.show, shown.to);
  const auto record = node.wait(run, true, [&] {
    watcher.tick();
    return interrupted();
  });
  watcher.finish();
  if (!record) {
    return complain(record.error());
  }
  if (interrupted() && !is_final(record->state)) {
    return complain(Error{Code::interrupted, "run " + run.get() + " is interrupted",
                          "go on with `skein run resume " + run.get() + "`"});
  }
  return tell_outcome(context, node.store(), *record, shown.to != stdout);
}

} // namespace skein::cli
