#include <CLI/CLI.hpp>
#include <memory>

#include "cli/checks.h"
#include "cli/run/one_run.h"
#include "cli/run/story.h"
#include "node/fork.h"

namespace skein::cli {
namespace {

constexpr std::size_t kWhatColumns = 80;

struct Wanted {
  std::string step;
  std::uint64_t from = 1;
};

int history(const Context& context, node::Node& node, const RunId& run, const Wanted& wanted) {
  Story story(
      [&](const ContentHash& revision) { return node::definition_of(node.store(), revision); });
  std::vector<std::vector<std::string>> rows{
      {"TIME", "ENTRY", "STEP", "WHAT", "CAUSE", "EFFECT KEY"}};
  std::vector<Value> values;
  std::optional<Error> failure;
  const std::size_t columns = context.format == Format::wide ? SIZE_MAX : kWhatColumns;
  const auto read = node.store().read_journal(run, Seq(1), [&](const Entry& entry) {
    const auto told = story.take(entry);
    if (!told) {
      failure = told.error();
      return false;
    }
    const bool shown = told->seq.get() >= wanted.from && told->is_about(wanted.step);
    if (shown && context.structured()) {
      values.push_back(to_value(entry, *told));
    } else if (shown) {
      rows.push_back({to_string(told->at), std::to_string(told->seq.get()), told->step,
                      shortened(told->what, columns), told->cause, told->key});
    }
    return true;
  });
  if (!read || failure) {
    return complain(failure ? *failure : read.error());
  }
  if (auto known = story.knows_step(wanted.step); !known) {
    return complain(known.error());
  }
  if (wanted.from > story.last().get()) {
    return complain(node::no_entry(run, story.last(), Seq(wanted.from)));
  }
  if (context.structured()) {
    print_value(context.format, Value::of_list(std::move(values)));
  } else {
    put(table(rows));
  }
  return kDone;
}

} // namespace

void add_history(CLI::App& run, Chosen& chosen) {
  auto wanted = std::make_shared<Wanted>();
  CLI::App& command = add_on_run(run, chosen, "history", "The journal as a story",
                                 [wanted](const Context& c, node::Node& n, const RunId& id) {
                                   return history(c, n, id, *wanted);
                                 });
  command.add_option("--step", wanted->step, "Only of this step")
      ->type_name("STEP")
      ->check(not_empty());
  command.add_option("--from", wanted->from, "From this entry on")
      ->type_name("ENTRY")
      ->check(from_one());
}

} // namespace skein::cli
