#include <CLI/CLI.hpp>
#include <memory>

#include "cli/checks.h"
#include "cli/event/asking.h"
#include "gateway/target.h"

namespace skein::cli {
namespace {

struct Range {
  std::string trigger;
  std::string from;
  std::string to;
};

int list(const Context& context) {
  return print_items(context, ask_node(context, {"GET", "/v1/triggers"}),
                     {"name", "flow", "kind", "paused", "next"}, "name");
}

int replay(const Context& context, const Range& range) {
  const auto answer = ask_node(
      context, {"POST", "/v1/triggers/" + gateway::percent_encoded(range.trigger) + "/replay" +
                            query_of({{"from", range.from}, {"to", range.to}})});
  const Value* took = answer ? answer->find("events") : nullptr;
  const std::int64_t count = took != nullptr && took->is(Kind::integer) ? took->as_int() : 0;
  return print_answer(context, answer,
                      "trigger " + range.trigger + " took " + std::to_string(count) + " events");
}

} // namespace

void add_event_replay(CLI::App& group, Chosen& chosen) {
  auto range = std::make_shared<Range>();
  CLI::App* command = group.add_subcommand(
      "replay", "Give a trigger events of before; what they started already stays one run");
  command->add_option("trigger", range->trigger, "Name of the trigger")
      ->required()
      ->type_name("TRIGGER");
  command->add_option("--from", range->from, "Sequence of the first; else the oldest that is kept")
      ->type_name("NUMBER")
      ->check(from_one());
  command->add_option("--to", range->to, "Sequence of the last; else the newest")
      ->type_name("NUMBER")
      ->check(from_one());
  command->callback([range, &chosen] {
    chosen = [range](const Context& context) { return replay(context, *range); };
  });
}

void add_triggers(CLI::App& app, Chosen& chosen) {
  CLI::App& trigger = *app.add_subcommand("trigger", "What starts flows by itself");
  trigger.require_subcommand(1);
  trigger.add_subcommand("list", "Triggers in force, those of flows too, and when they fire next")
      ->callback([&chosen] { chosen = list; });
  add_event_replay(trigger, chosen);
}

} // namespace skein::cli
