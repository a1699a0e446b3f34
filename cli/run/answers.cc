#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>

#include "cli/checks.h"
#include "cli/input.h"
#include "cli/run/one_run.h"
#include "cli/run/waiting.h"

namespace skein::cli {
namespace {

struct Answer {
  std::string step;
  std::string comment;
  bool detach = false;
};

// A second approval by the same person is none.
void say_if_repeated(const Context& context, node::Node& node, const RunId& run,
                     const std::string& step) {
  const auto record = record_of(node.store(), run.get());
  const auto waits = record ? waits_of(node.store(), *record) : std::vector<flow::Machine::Wait>();
  for (const auto& wait : waits) {
    const auto& names = wait.approved_by;
    if (wait.step == step && std::find(names.begin(), names.end(), context.user) != names.end()) {
      std::fprintf(stderr, "%s has approved %s already, which counts once\n",
                   harmless(context.user).c_str(), harmless(step).c_str());
    }
  }
}

void add_answer(CLI::App& run, Chosen& chosen, bool approved) {
  auto wanted = std::make_shared<Answer>();
  CLI::App& command = add_on_run(
      run, chosen, approved ? "approve" : "reject",
      approved ? "Agree to an approval step" : "Refuse an approval step",
      [wanted, approved](const Context& context, node::Node& node, const RunId& id) {
        const auto place = place_of(node, id, wanted->step);
        if (place && approved && !context.quiet) {
          say_if_repeated(context, node, id, wanted->step);
        }
        return place ? tell(context, node, id,
                            flow::Answered{now(), *place, approved, context.user, wanted->comment},
                            wanted->detach)
                     : complain(place.error());
      },
      Stays::yes);
  command.add_option("step", wanted->step, "Step, as STEP or STEP[ITEM]")
      ->required()
      ->type_name("STEP");
  command.add_option("--comment", wanted->comment, "Why")->type_name("TEXT");
  command.add_flag("--detach", wanted->detach, "Only record it; `skein run resume` goes on");
}

struct Signal {
  std::string name;
  std::string payload;
  std::string id;
  bool detach = false;
};

void add_signal(CLI::App& run, Chosen& chosen) {
  auto wanted = std::make_shared<Signal>();
  CLI::App& command = add_on_run(
      run, chosen, "signal", "Send a signal to a run",
      [wanted](const Context& context, node::Node& node, const RunId& id) {
        const auto payload = wanted->payload.empty() ? Result<Value>(Value())
                                                     : value_of(wanted->payload, "the payload");
        return payload ? tell(context, node, id,
                              flow::Signalled{now(), wanted->id, wanted->name, *payload},
                              wanted->detach)
                       : complain(payload.error());
      },
      Stays::yes);
  command.add_option("name", wanted->name, "Name of the signal")->required()->type_name("NAME");
  command.add_option("--payload", wanted->payload, "JSON or text")->type_name("JSON");
  command.add_option("--id", wanted->id, "Repeats of the same id are dropped")
      ->type_name("ID")
      ->check(not_empty());
  command.add_flag("--detach", wanted->detach, "Only record it; `skein run resume` goes on");
}

} // namespace

void add_answers(CLI::App& run, Chosen& chosen) {
  add_answer(run, chosen, true);
  add_answer(run, chosen, false);
  add_signal(run, chosen);
}

} // namespace skein::cli
