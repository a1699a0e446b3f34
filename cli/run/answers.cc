#include <CLI/CLI.hpp>
#include <memory>

#include "cli/checks.h"
#include "cli/run/one_run.h"
#include "core/value/json.h"

namespace skein::cli {
namespace {

struct Answer {
  std::string step;
  std::string comment;
  bool detach = false;
};

void add_answer(CLI::App& run, Chosen& chosen, bool approved) {
  auto wanted = std::make_shared<Answer>();
  CLI::App& command = add_on_run(
      run, chosen, approved ? "approve" : "reject",
      approved ? "Agree to an approval step" : "Refuse an approval step",
      [wanted, approved](const Context& context, node::Node& node, const RunId& id) {
        const auto place = place_of(node, id, wanted->step);
        return place ? tell(context, node, id,
                            flow::Answered{now(), *place, approved, context.user, wanted->comment},
                            wanted->detach)
                     : complain(place.error());
      });
  command.add_option("step", wanted->step, "Step, as STEP or STEP[ITEM]")
      ->required()
      ->type_name("STEP");
  command.add_option("--comment", wanted->comment, "Why")->type_name("TEXT");
  command.add_flag("--detach", wanted->detach, "Do not stay with the run");
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
        const auto json = parse_json(wanted->payload);
        const Value payload = wanted->payload.empty() ? Value()
                              : json                  ? *json
                                                      : Value(wanted->payload);
        return tell(context, node, id, flow::Signalled{now(), wanted->id, wanted->name, payload},
                    wanted->detach);
      });
  command.add_option("name", wanted->name, "Name of the signal")->required()->type_name("NAME");
  command.add_option("--payload", wanted->payload, "JSON or text")->type_name("JSON");
  command.add_option("--id", wanted->id, "Repeats of the same id are dropped")
      ->type_name("ID")
      ->check(not_empty());
  command.add_flag("--detach", wanted->detach, "Do not stay with the run");
}

} // namespace

void add_answers(CLI::App& run, Chosen& chosen) {
  add_answer(run, chosen, true);
  add_answer(run, chosen, false);
  add_signal(run, chosen);
}

} // namespace skein::cli
