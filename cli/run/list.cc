#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/input.h"
#include "cli/run/interrupt.h"
#include "cli/run/waiting.h"

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

// Those whose time is over, and which the next process that goes on with them sees to.
std::set<RunId> overdue(const Store& store) {
  constexpr std::size_t kLooked = 10'000;
  std::set<RunId> runs;
  const auto due = store.due_timers(now(), kLooked);
  for (std::size_t i = 0; due && i < due->size(); ++i) {
    runs.insert((*due)[i].run);
  }
  return runs;
}

std::string what_it_asks(const Store& store, const RunRecord& record) {
  const auto waits = record.state == RunState::waiting ? waits_of(store, record)
                                                       : std::vector<flow::Machine::Wait>();
  return waits.empty() ? "" : shortened(question_of(waits.front()), 60);
}

void print_table(const Context& context, node::Node& node, const std::vector<RunRecord>& records) {
  const Store& store = node.store();
  const bool wide = context.format == Format::wide;
  std::vector<std::vector<std::string>> rows{{"ID", "FLOW", "STATE", "WAITING FOR", "CREATED"}};
  if (wide) {
    rows[0].insert(rows[0].end(), {"UPDATED", "STEPS", "REVISION", "REASON", "QUESTION"});
  }
  const std::set<RunId> late = overdue(store);
  std::size_t idle = 0; // nobody works on them where this process has the data directory
  for (const RunRecord& record : records) {
    rows.push_back({record.id.get(), record.definition, std::string(name_of(record.state)),
                    record.waiting_for + (late.contains(record.id) ? " (overdue)" : ""),
                    to_string(record.created_at)});
    idle += record.state == RunState::pending || record.state == RunState::running ? 1 : 0;
    if (wide) {
      rows.back().insert(rows.back().end(),
                         {to_string(record.updated_at), std::to_string(record.steps),
                          to_string(record.revision).substr(0, 19), shortened(record.reason, 60),
                          what_it_asks(store, record)});
    }
  }
  put(table(rows));
  if (idle > 0 && !context.quiet && !node.remote()) {
    std::fprintf(stderr, "nobody works on %zu of them; go on with: skein resume --all\n", idle);
  }
}

// One whose journal cannot be folded is listed as it is stored: `run status` says what is wrong.
void catch_up(const Store& store, std::vector<RunRecord>& records) {
  for (RunRecord& record : records) {
    if (auto now = caught_up(store, record)) {
      record = std::move(*now);
    }
  }
}

/// What changes whenever a process has stored something.
using Trace = std::map<std::string, std::pair<std::uintmax_t, std::filesystem::file_time_type>>;

Trace trace_of(const std::filesystem::path& directory) {
  Trace trace;
  std::error_code failure;
  for (std::filesystem::directory_iterator at(directory, failure), end; !failure && at != end;
       at.increment(failure)) {
    std::error_code gone;
    trace[at->path().filename()] = {at->file_size(gone), at->last_write_time(gone)};
  }
  return trace;
}

bool reader_is_gone() {
  pollfd out{STDOUT_FILENO, 0, 0};
  return ::poll(&out, 1, 0) > 0 && (out.revents & (POLLERR | POLLNVAL)) != 0;
}

using Seen = std::map<std::string, std::string>;

Result<void> look(const Context& context, const RunFilter& filter, Seen& seen) {
  const auto node = context.open();
  auto records = node ? (*node)->store().list_runs(filter) : node.error();
  if (!records) {
    return records.error();
  }
  catch_up((*node)->store(), *records);
  for (auto record = records->rbegin(); record != records->rend(); ++record) {
    const std::string state = std::string(name_of(record->state)) + "  " + record->waiting_for;
    if (std::exchange(seen[record->id.get()], state) == state) {
      continue;
    }
    if (context.structured()) {
      const auto value = to_value((*node)->store(), *record);
      if (!value) {
        return value.error();
      }
      print_next(context.format, *value);
    } else {
      put(context.format == Format::name
              ? record->id.get() + "\n"
              : harmless(to_string(record->updated_at) + "  " + record->id.get() + "  " + state) +
                    "\n");
    }
  }
  std::fflush(stdout);
  return {};
}

// One line for each run whose state is new, until Ctrl-C or until nobody reads. Opens the directory
// only to look, and only once another process has stored something: it must not keep those out.
int watch(const Context& context, const RunFilter& filter) {
  // A node elsewhere leaves no trace here of what it stores: it is asked each time, less often.
  const bool elsewhere = !context.server.empty();
  const std::chrono::milliseconds between_looks(elsewhere ? 1'000 : 250);
  catch_interrupts();
  Seen seen;
  std::optional<Trace> trace;
  while (!interrupted() && !reader_is_gone()) {
    if (!trace || elsewhere || trace_of(context.data) != *trace) {
      const auto looked = look(context, filter, seen);
      if (!looked && looked.error().code != Code::storage_in_use) {
        return complain(looked.error());
      }
      trace = looked ? std::optional(trace_of(context.data)) : std::nullopt;
    }
    std::this_thread::sleep_for(between_looks);
  }
  return interrupted() ? kInterrupted : kDone;
}

int list(const Context& context, const Wanted& wanted) {
  if (const auto labels = fields_of(wanted.labels); !labels) {
    return complain(labels.error());
  }
  if (wanted.watch) {
    return watch(context, filter_of(wanted));
  }
  const auto node = context.open();
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
    print_table(context, **node, *records);
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
