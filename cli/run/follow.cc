#include "cli/run/follow.h"

#include <cstdio>

#include "cli/run/interrupt.h"
#include "cli/run/waiting.h"
#include "core/value/json.h"
#include "node/replay.h"

namespace skein::cli {
namespace {

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

// With its hint and what to do next; as JSON where errors are.
void tell_failed(const Context& context, node::Node& node, const RunRecord& record) {
  const std::string& run = record.id.get();
  const std::string state(name_of(record.state));
  const std::string hint = record.failure ? record.failure->hint : "";
  if (errors_are_json()) {
    const Value body = object(
        {{"code", record.failure ? Value(record.failure->code) : Value()},
         {"message", record.failure ? record.failure->message : record.reason},
         {"hint", hint},
         {"run", run},
         {"state", state},
         {"step", record.failure && !record.failure->step.empty() ? Value(record.failure->step)
                                                                  : Value()}});
    std::fprintf(stderr, "%s\n", to_json(object({{"error", body}})).c_str());
    return;
  }
  std::fprintf(stderr, "run %s %s%s: %s\n", run.c_str(), state.c_str(),
               harmless(failed_step(node.store(), record)).c_str(),
               harmless(record.reason).c_str());
  if (!hint.empty()) {
    std::fprintf(stderr, "  hint: %s\n", harmless(hint).c_str());
  }
  if (const std::string next = next_command(node, record); !context.quiet && !next.empty()) {
    std::fprintf(stderr, "  %s\n", harmless(next).c_str());
  }
}

} // namespace

int tell_outcome(const Context& context, node::Node& node, const RunRecord& record,
                 bool with_output) {
  if (with_output && context.structured()) {
    const auto value = to_value(node.store(), record);
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
      tell_failed(context, node, record);
      return kFailed;
    default:
      if (!context.quiet && !errors_are_json()) { // what is printed says it
        tell_waiting(node, record);
      }
      return kWaiting;
  }
}

int follow(const Context& context, node::Node& node, const RunId& run, Shown shown) {
  node.remote() ? catch_interrupts_beside(run) : catch_interrupts(run);
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
    said_how_to_go_on();
    if (node.remote()) {
      return complain(Error{Code::interrupted, "run " + run.get() + " goes on without this command",
                            "see it with `skein run watch " + run.get() +
                                "`; end it with `skein run cancel " + run.get() + "`"});
    }
    return complain(Error{Code::interrupted, "run " + run.get() + " is interrupted",
                          "go on with `skein run resume " + run.get() + "`"});
  }
  return tell_outcome(context, node, *record, shown.to != stdout);
}

} // namespace skein::cli
