#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>

#include "cli/checks.h"
#include "cli/commands.h"
#include "core/flow/machine.h"
#include "core/value/json.h"
#include "node/replay.h"

namespace skein::cli {
namespace {

constexpr std::size_t kColumns = 50;

using Facts = std::map<std::string, Value>;

void add_members(Facts& facts, const std::string& prefix, const Value* map) {
  if (map == nullptr || !map->is(Kind::map)) {
    return;
  }
  for (const auto& [key, value] : map->as_map()) {
    facts[prefix + "." + std::string(key.as_string())] = value;
  }
}

// What a run came to, as named values.
Result<Facts> facts_of(const Store& store, const RunRecord& record) {
  const auto machine = node::machine_at(store, record.id);
  if (!machine) {
    return machine.error();
  }
  Facts facts;
  const Value cells = machine->checkpoint(Seq(1)).cells;
  if (const Value* run = cells.find("run")) {
    add_members(facts, "input", run->find("input"));
    add_members(facts, "vars", run->find("vars"));
  }
  for (const auto& step : machine->view()) {
    facts["steps." + step.name + ".status"] = step.status;
    facts["steps." + step.name + ".output"] = step.output;
    if (step.failure) {
      facts["steps." + step.name + ".error"] = step.failure->code + ": " + step.failure->message;
    }
  }
  facts["state"] = name_of(record.state);
  facts["waiting_for"] = record.waiting_for;
  if (record.output.is(Kind::map)) {
    add_members(facts, "output", &record.output);
  } else {
    facts["output"] = record.output;
  }
  facts["revision"] = to_string(record.revision);
  return facts;
}

struct Change {
  std::string name;
  Value first;
  Value second;
};

std::vector<Change> changes(const Facts& first, const Facts& second) {
  std::map<std::string, Change> all;
  for (const auto& [name, value] : first) {
    all[name] = {name, value, Value()};
  }
  for (const auto& [name, value] : second) {
    all[name].name = name;
    all[name].second = value;
  }
  std::vector<Change> different;
  for (auto& [name, change] : all) {
    if (change.first != change.second) {
      different.push_back(std::move(change));
    }
  }
  return different;
}

// How many entries the journals begin with in common.
Result<std::uint64_t> shared_entries(const Store& store, const RunId& first, const RunId& second) {
  std::vector<Digest> digests;
  const auto read = store.read_journal(first, Seq(1), [&](const Entry& entry) {
    digests.push_back(entry.state);
    return true;
  });
  std::uint64_t same = 0;
  const auto compared = store.read_journal(second, Seq(1), [&](const Entry& entry) {
    if (same == digests.size() || std::holds_alternative<flow::Forked>(entry.event) ||
        digests[same] != entry.state) {
      return false;
    }
    ++same;
    return true;
  });
  if (!read || !compared) {
    return read ? compared.error() : read.error();
  }
  return same;
}

std::string brief(const Value& value) {
  return value.is_null() ? "-" : shortened(to_json(value), kColumns);
}

int print(const Context& context, const RunId& first, const RunId& second, std::uint64_t same,
          const std::vector<Change>& different) {
  std::vector<Value> values;
  std::vector<std::vector<std::string>> rows{{"WHAT", first.get(), second.get()}};
  for (const Change& change : different) {
    values.push_back(
        object({{"what", change.name}, {"first", change.first}, {"second", change.second}}));
    rows.push_back({change.name, brief(change.first), brief(change.second)});
  }
  if (context.structured()) {
    print_value(context.format, object({{"first", first.get()},
                                        {"second", second.get()},
                                        {"shared_entries", static_cast<std::int64_t>(same)},
                                        {"changes", Value::of_list(std::move(values))}}));
  } else {
    put(same > 0 ? "the same up to entry " + std::to_string(same) + "\n"
                 : "different from the first entry on\n");
    put(different.empty() ? "both came to the same\n" : table(rows));
  }
  return kDone;
}

int diff(const Context& context, const std::string& first, const std::string& second) {
  const auto node = context.open();
  if (!node) {
    return complain(node.error());
  }
  const Store& store = (*node)->store();
  const auto a = record_of(store, first);
  const auto b = record_of(store, second);
  if (!a || !b) {
    return complain(a ? b.error() : a.error());
  }
  const auto facts_a = facts_of(store, *a);
  const auto facts_b = facts_of(store, *b);
  const auto same = shared_entries(store, a->id, b->id);
  if (!facts_a || !facts_b || !same) {
    return complain(!facts_a ? facts_a.error() : !facts_b ? facts_b.error() : same.error());
  }
  return print(context, a->id, b->id, *same, changes(*facts_a, *facts_b));
}

} // namespace

void add_run_diff(CLI::App& run, Chosen& chosen) {
  struct Wanted {
    std::string first;
    std::string second;
  };
  auto wanted = std::make_shared<Wanted>();
  CLI::App* command = run.add_subcommand("diff", "What two runs did differently");
  command->add_option("first", wanted->first, "Run id")
      ->required()
      ->type_name("RUN")
      ->check(not_empty());
  command->add_option("second", wanted->second, "Run id")
      ->required()
      ->type_name("RUN")
      ->check(not_empty());
  command->footer("The exit code is 0 also where they came to something different.");
  command->callback([wanted, &chosen] {
    chosen = [wanted](const Context& context) {
      return diff(context, wanted->first, wanted->second);
    };
  });
}

} // namespace skein::cli
