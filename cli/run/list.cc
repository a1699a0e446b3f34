#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <thread>
#include <utility>

#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/input.h"
#include "cli/run/interrupt.h"

namespace skein::cli {
namespace {

struct Wanted {
  std::string state;
  std::string flow;
  std::vector<std::string> labels;
  std::size_t limit = 500;
  bool watch = false;
};

RunFilter filter_of(const Wanted& wanted) {
  RunFilter filter;
  filter.definition = wanted.flow;
  filter.limit = wanted.limit;
  filter.state = parse_run_state(wanted.state);
  for (const std::string& label : wanted.labels) {
    const auto equals = label.find('=');
    filter.labels.emplace_back(label.substr(0, equals), label.substr(equals + 1));
  }
  return filter;
}

int print_values(const Context& context, const Store& store,
                 const std::vector<RunRecord>& records) {
  std::vector<Value> values;
  for (const RunRecord& record : records) {
    const auto value = to_value(store, record);
    if (!value) {
      return complain(value.error());
    }
    values.push_back(*value);
  }
  print_value(context.format, Value::of_list(std::move(values)));
  return kDone;
}

void print_table(const Context& context, const std::vector<RunRecord>& records) {
  const bool wide = context.format == Format::wide;
  std::vector<std::vector<std::string>> rows{{"ID", "FLOW", "STATE", "WAITING FOR", "CREATED"}};
  if (wide) {
    rows[0].insert(rows[0].end(), {"UPDATED", "STEPS", "REVISION", "REASON"});
  }
  for (const RunRecord& record : records) {
    rows.push_back({record.id.get(), record.definition, std::string(name_of(record.state)),
                    record.waiting_for, to_string(record.created_at)});
    if (wide) {
      rows.back().insert(rows.back().end(),
                         {to_string(record.updated_at), std::to_string(record.steps),
                          to_string(record.revision).substr(0, 19), shortened(record.reason, 60)});
    }
  }
  put(table(rows));
}

// One whose journal cannot be folded is listed as it is stored: `run status` says what is wrong.
void catch_up(const Store& store, std::vector<RunRecord>& records) {
  for (RunRecord& record : records) {
    if (auto now = caught_up(store, record)) {
      record = std::move(*now);
    }
  }
}

// One line for each run whose state is new, until Ctrl-C.
int watch(const Store& store, const RunFilter& filter) {
  constexpr std::chrono::milliseconds kBetweenLooks{250};
  catch_interrupts();
  std::map<std::string, std::string> seen;
  while (!interrupted()) {
    const auto records = store.list_runs(filter);
    if (!records) {
      return complain(records.error());
    }
    for (auto record = records->rbegin(); record != records->rend(); ++record) {
      const std::string state = std::string(name_of(record->state)) + "  " + record->waiting_for;
      if (std::exchange(seen[record->id.get()], state) != state) {
        put(harmless(to_string(record->updated_at) + "  " + record->id.get() + "  " + state) +
            "\n");
      }
    }
    std::fflush(stdout);
    std::this_thread::sleep_for(kBetweenLooks);
  }
  return kInterrupted;
}

int list(const Context& context, const Wanted& wanted) {
  if (const auto labels = fields_of(wanted.labels); !labels) {
    return complain(labels.error());
  }
  const auto node = context.open();
  if (node && wanted.watch) {
    return watch((*node)->store(), filter_of(wanted));
  }
  auto records = node ? (*node)->store().list_runs(filter_of(wanted)) : node.error();
  if (!records) {
    return complain(records.error());
  }
  if (context.structured() || context.format == Format::wide) {
    catch_up((*node)->store(), *records);
  }
  if (context.structured()) {
    return print_values(context, (*node)->store(), *records);
  }
  if (context.format != Format::name) {
    print_table(context, *records);
    return kDone;
  }
  for (const RunRecord& record : *records) {
    put(record.id.get() + "\n");
  }
  return kDone;
}

} // namespace

void add_runs_list(CLI::App& runs, Chosen& chosen) {
  auto wanted = std::make_shared<Wanted>();
  CLI::App* command = runs.add_subcommand("list", "Runs, newest first");
  command->add_option("--state", wanted->state, "In this state")
      ->type_name("STATE")
      ->check(CLI::IsMember(
          {"pending", "running", "waiting", "paused", "succeeded", "failed", "cancelled"}));
  command->add_option("--flow", wanted->flow, "Of this flow")
      ->type_name("FLOW")
      ->check(not_empty());
  command->add_option("--label", wanted->labels, "With this label; all must match")
      ->type_name("NAME=VALUE");
  command->add_option("--limit", wanted->limit, "At most so many")
      ->type_name("N")
      ->check(from_one());
  command->add_flag("-w,--watch", wanted->watch, "A line for each change, until Ctrl-C");
  command->callback([wanted, &chosen] {
    chosen = [wanted](const Context& context) { return list(context, *wanted); };
  });
}

} // namespace skein::cli
