#include "cli/context.h"

#include <cstdlib>
#include <sstream>
#include <vector>

#include "cli/run/waiting.h"
#include "core/base/nearest.h"
#include "core/run/rows.h"
#include "node/replay.h"
#include "node/system_clock.h"

namespace skein::cli {
namespace {

// An environment variable as words between commas.
std::vector<std::string> words_of(const char* name) {
  std::vector<std::string> words;
  const char* text = std::getenv(name);
  std::stringstream stream(text != nullptr ? text : "");
  for (std::string word; std::getline(stream, word, ',');) {
    const std::size_t begin = word.find_first_not_of(" \t");
    if (begin != std::string::npos) {
      words.push_back(word.substr(begin, word.find_last_not_of(" \t") + 1 - begin));
    }
  }
  return words;
}

struct Switch {
  const char* variable;
  bool node::Settings::*setting;
  std::string_view on; ///< as it is where the variable says nothing
  std::string_view off;
};
constexpr Switch kSwitches[] = {
    {"SKEIN_SANDBOX", &node::Settings::sandbox, "bubblewrap", "none"},
    {"SKEIN_SHELL_NETWORK", &node::Settings::shell_network, "allow", "deny"},
    {"SKEIN_SHELL_UNSANDBOXED", &node::Settings::shell_unsandboxed, "allow", "deny"},
};

struct WordList {
  const char* variable;
  std::vector<std::string> node::Settings::*setting;
};
constexpr WordList kWordLists[] = {
    {"SKEIN_SHELL_COMMANDS", &node::Settings::shell_commands},
    {"SKEIN_SHELL_ENV", &node::Settings::shell_environment},
    {"SKEIN_HTTP_ALLOW", &node::Settings::http_allow},
};

// After each variable, so that an error belongs to the last one.
Result<void> check_after(const char* variable, const node::Settings& settings) {
  auto checked = node::check(settings);
  if (!checked) {
    return Error{checked.error().code, std::string(variable) + ": " + checked.error().detail,
                 checked.error().hint};
  }
  return {};
}

// What the environment lets tools do.
Result<void> read_environment(node::Settings& settings) {
  for (const auto& [variable, setting, on, off] : kSwitches) {
    const auto words = words_of(variable);
    if (words.size() > 1 || (words.size() == 1 && words[0] != on && words[0] != off)) {
      return Error{Code::usage_invalid, std::string(variable) + " is \"" + std::getenv(variable) +
                                            "\", not " + std::string(on) + " or " +
                                            std::string(off)};
    }
    settings.*setting = words.empty() || words[0] == on;
    if (auto checked = check_after(variable, settings); !checked) {
      return checked;
    }
  }
  for (const auto& [variable, setting] : kWordLists) {
    settings.*setting = words_of(variable);
    if (auto checked = check_after(variable, settings); !checked) {
      return checked;
    }
  }
  return {};
}

Value text_or_null(const std::string& text) { return text.empty() ? Value() : Value(text); }

Error unknown_run(const Store& store, const std::string& run) {
  constexpr std::size_t kLooked = 1'000;
  RunFilter filter;
  filter.limit = kLooked;
  const auto records = store.list_runs(filter);
  std::vector<std::string_view> ids;
  for (std::size_t i = 0; records && i < records->size(); ++i) {
    ids.push_back((*records)[i].id.get());
  }
  return Error{Code::run_unknown, "there is no run \"" + run + "\"" + did_you_mean(run, ids),
               "see `skein runs list`"};
}

Value error_of(const RunRecord& record) {
  return record.failure ? object({{"code", record.failure->code},
                                  {"message", record.failure->message},
                                  {"hint", record.failure->hint},
                                  {"step", text_or_null(record.failure->step)}})
                        : Value();
}

} // namespace

Result<node::Settings> Context::settings() const {
  node::Settings settings;
  settings.data = data;
  settings.recover = false;
  auto told = read_environment(settings);
  return told ? Result<node::Settings>(std::move(settings)) : told.error();
}

namespace {

struct Opening {
  bool make = false;
  bool works = false;
  bool recover = false;
};

Result<std::unique_ptr<node::Node>> open_node(const Context& context, Opening how) {
  auto told = context.settings();
  if (!told) {
    return told.error();
  }
  told->make = how.make;
  told->starts_effects = how.works;
  told->recover = how.recover;
  return node::Node::open(std::move(*told));
}

} // namespace

Result<std::unique_ptr<node::Node>> Context::open(bool make) const {
  return open_node(*this, {.make = make});
}

Result<std::unique_ptr<node::Node>> Context::open_to_work(bool recover) const {
  return open_node(*this, {.works = true, .recover = recover});
}

Result<std::unique_ptr<node::Node>> Context::make_and_work() const {
  return open_node(*this, {.make = true, .works = true});
}

Instant now() { return node::SystemClock().now(); }

Result<Value> to_value(const Store& store, const RunRecord& record) {
  Value input;
  const auto read = store.read_journal(record.id, Seq(1), [&](const Entry& entry) {
    if (const auto* created = std::get_if<flow::Created>(&entry.event)) {
      input = created->input;
    }
    return false;
  });
  const auto last = store.last_seq(record.id);
  if (!read || !last) {
    return read ? last.error() : read.error();
  }
  std::vector<Value> waits;
  for (const auto& wait : waits_of(store, record)) {
    waits.push_back(to_value(wait));
  }
  return object({{"id", record.id.get()},
                 {"kind", record.kind},
                 {"definition", record.definition},
                 {"revision", to_string(record.revision)},
                 {"state", name_of(record.state)},
                 {"reason", text_or_null(record.reason)},
                 {"waiting_for", text_or_null(record.waiting_for)},
                 {"waits", Value::of_list(std::move(waits))},
                 {"input", input},
                 {"output", record.output},
                 {"error", error_of(record)},
                 {"parent", text_or_null(record.parent)},
                 {"labels", record.labels.is_null() ? Value::of_map({}) : record.labels},
                 {"created_at", to_string(record.created_at)},
                 {"updated_at", to_string(record.updated_at)},
                 {"entries", static_cast<std::int64_t>(last->get())},
                 {"usage", object({{"input_tokens", 0},
                                   {"output_tokens", 0},
                                   {"cost", 0.0},
                                   {"steps", static_cast<std::int64_t>(record.steps)}})}});
}

Result<RunRecord> caught_up(const Store& store, RunRecord record) {
  if (is_final(record.state)) {
    return record;
  }
  Instant at = record.updated_at;
  const auto last = store.last_seq(record.id);
  const auto read = last ? store.read_journal(record.id, *last,
                                              [&](const Entry& entry) {
                                                at = flow::at_of(entry.event);
                                                return false;
                                              })
                         : last.error();
  const auto machine = read ? node::machine_at(store, record.id) : read.error();
  if (!machine) {
    return machine.error();
  }
  show(record, *machine, at);
  return record;
}

Result<RunRecord> record_of(const Store& store, const std::string& run) {
  auto record = store.find_run(RunId(run));
  if (!record) {
    return record.error();
  }
  return *record ? Result<RunRecord>(std::move(**record))
                 : Result<RunRecord>(unknown_run(store, run));
}

} // namespace skein::cli
