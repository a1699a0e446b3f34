#include "cli/context.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

#include "core/value/json.h"

namespace skein::cli {
namespace {

volatile std::sig_atomic_t interrupts = 0;

void on_interrupt(int) {
  interrupts = interrupts + 1;
  if (interrupts > 1) {
    ::_exit(kInterrupted);
  }
}

int exit_code_of(const Error& error) {
  switch (error.code) {
    case Code::storage_in_use:
      return kUnreachable;
    case Code::usage_invalid:
    case Code::file_unreadable:
    case Code::yaml_invalid:
    case Code::yaml_limit:
    case Code::resource_kind_unknown:
    case Code::resource_key_unknown:
    case Code::resource_value_invalid:
    case Code::flow_step_unknown:
    case Code::flow_graph_invalid:
    case Code::expression_syntax:
    case Code::expression_type:
    case Code::json_invalid:
    case Code::schema_violation:
      return kWrongUsage;
    default:
      return kFailed;
  }
}

void append_yaml(std::string& out, const Value& value, std::size_t indent) {
  const std::string pad(indent, ' ');
  if (value.is(Kind::map) && !value.as_map().empty()) {
    for (const auto& [key, item] : value.as_map()) {
      const bool nested = (item.is(Kind::map) && !item.as_map().empty()) ||
                          (item.is(Kind::list) && !item.as_list().empty());
      out += pad + (key.is(Kind::string) ? std::string(key.as_string()) : to_json(key)) + ":";
      out += nested ? "\n" : " ";
      append_yaml(out, item, nested ? indent + 2 : 0);
    }
  } else if (value.is(Kind::list) && !value.as_list().empty()) {
    for (const Value& item : value.as_list()) {
      std::string inner;
      append_yaml(inner, item, indent + 2);
      out += pad + "- " + inner.substr(std::min(inner.find_first_not_of(' '), inner.size()));
    }
  } else {
    out += to_json(value) + "\n"; // JSON scalars are YAML scalars
  }
}

// An environment variable as words between commas.
std::vector<std::string> words_of(const char* name) {
  std::vector<std::string> words;
  const char* text = std::getenv(name);
  std::stringstream stream(text != nullptr ? text : "");
  for (std::string word; std::getline(stream, word, ',');) {
    if (!word.empty()) {
      words.push_back(word);
    }
  }
  return words;
}

Value text_or_null(const std::string& text) { return text.empty() ? Value() : Value(text); }

} // namespace

Result<std::unique_ptr<node::Node>> Context::open(bool recover) const {
  node::Settings settings;
  settings.data = data;
  settings.recover = recover;
  settings.http_allow = words_of("SKEIN_HTTP_ALLOW");
  const auto sandbox = words_of("SKEIN_SANDBOX");
  settings.sandbox = sandbox.empty() || sandbox.front() != "none";
  if (settings.sandbox && !sandbox.empty() && sandbox.front() != "bubblewrap") {
    return Error{Code::usage_invalid,
                 "SKEIN_SANDBOX is \"" + sandbox.front() + "\", not bubblewrap or none"};
  }
  return node::Node::open(std::move(settings));
}

int complain(const Error& error) {
  std::fprintf(stderr, "error: %s\n", harmless(to_string(error)).c_str());
  return exit_code_of(error);
}

std::string harmless(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out.push_back((byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f ? '?' : c);
  }
  return out;
}

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
  Value error;
  if (record.failure) {
    error = object({{"code", record.failure->code},
                    {"message", record.failure->message},
                    {"hint", record.failure->hint},
                    {"step", text_or_null(record.failure->step)}});
  }
  return object({{"id", record.id.get()},
                 {"kind", record.kind},
                 {"definition", record.definition},
                 {"revision", to_string(record.revision)},
                 {"state", name_of(record.state)},
                 {"reason", text_or_null(record.reason)},
                 {"waiting_for", text_or_null(record.waiting_for)},
                 {"input", input},
                 {"output", record.output},
                 {"error", error},
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

void print_value(const Context& context, const Value& value) {
  std::fputs(
      (context.format == Format::yaml ? to_yaml(value) : to_pretty_json(value) + "\n").c_str(),
      stdout);
}

std::string to_yaml(const Value& value) {
  std::string out;
  append_yaml(out, value, 0);
  return out;
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += harmless(row[i]) +
              (i + 1 < row.size() ? std::string(widths[i] - row[i].size() + 2, ' ') : "");
    }
    out += line + "\n";
  }
  return out;
}

Result<Value> fields_of(const std::vector<std::string>& words) {
  std::vector<MapEntry> entries;
  for (const std::string& word : words) {
    const auto equals = word.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Error{Code::usage_invalid, "\"" + word + "\" is not NAME=VALUE"};
    }
    const std::string text = word.substr(equals + 1);
    const auto json = parse_json(text);
    std::erase_if(entries,
                  [&](const MapEntry& e) { return e.first.as_string() == word.substr(0, equals); });
    entries.emplace_back(word.substr(0, equals), json ? *json : Value(text));
  }
  return Value::of_map(std::move(entries));
}

Result<std::string> read_file(const std::string& file) {
  std::stringstream text;
  if (file == "-") {
    text << std::cin.rdbuf();
    return text.str();
  }
  std::ifstream in(file);
  if (!in || std::filesystem::is_directory(file)) {
    return Error{Code::file_unreadable, "cannot read " + file};
  }
  text << in.rdbuf();
  return text.str();
}

Result<Value> input_of(const std::vector<std::string>& words, const std::string& file) {
  if (!file.empty()) {
    const auto text = read_file(file);
    return text ? parse_json(*text) : text.error();
  }
  if (words.size() == 1 && !words[0].empty() && words[0].find_first_of("{[\"") == 0) {
    return parse_json(words[0]);
  }
  return fields_of(words);
}

int follow(const Context& context, node::Node& node, const RunId& run) {
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
  const auto record = node.wait(run, true, [] { return interrupts > 0; });
  if (!record) {
    return complain(record.error());
  }
  const bool stopped = interrupts > 0 && !is_final(record->state);
  if (context.format == Format::json || context.format == Format::yaml) {
    const auto value = to_value(node.store(), *record);
    if (!value) {
      return complain(value.error());
    }
    print_value(context, *value);
  } else if (record->state == RunState::succeeded && !record->output.is_null()) {
    std::puts(harmless(record->output.is(Kind::string) ? std::string(record->output.as_string())
                                                       : to_pretty_json(record->output))
                  .c_str());
  }
  if (stopped) {
    std::fprintf(stderr, "run %s is interrupted; go on with: skein run resume %s\n",
                 run.get().c_str(), run.get().c_str());
    return kInterrupted;
  }
  switch (record->state) {
    case RunState::succeeded:
      return kDone;
    case RunState::waiting:
    case RunState::paused:
      if (!context.quiet) {
        std::fprintf(stderr, "run %s is %s for %s%s%s\n", run.get().c_str(),
                     std::string(name_of(record->state)).c_str(),
                     harmless(record->waiting_for).c_str(), record->reason.empty() ? "" : ": ",
                     harmless(record->reason).c_str());
        if (record->waiting_for.starts_with("approval ")) {
          std::fprintf(stderr, "  answer with: skein run approve %s %s\n", run.get().c_str(),
                       record->waiting_for.substr(9).c_str());
        } else if (record->waiting_for.starts_with("signal ")) {
          std::fprintf(stderr, "  send it with: skein run signal %s %s\n", run.get().c_str(),
                       record->waiting_for.substr(7).c_str());
        } else if (record->waiting_for.starts_with("settle ")) {
          std::fprintf(stderr,
                       "  decide with: skein run retry %s --step %s [--done JSON | --failed]\n",
                       run.get().c_str(), record->waiting_for.substr(7).c_str());
        }
      }
      return kWaiting;
    default:
      std::fprintf(stderr, "run %s %s: %s\n", run.get().c_str(),
                   std::string(name_of(record->state)).c_str(), harmless(record->reason).c_str());
      return kFailed;
  }
}

} // namespace skein::cli
