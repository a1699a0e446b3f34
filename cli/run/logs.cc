#include <CLI/CLI.hpp>
#include <memory>
#include <string_view>

#include "cli/checks.h"
#include "cli/run/one_run.h"
#include "cli/run/story.h"
#include "core/value/json.h"

namespace skein::cli {
namespace {

struct Wanted {
  std::string step;
  std::size_t tail = 0;
};

struct LogLine {
  Instant at;
  std::string step;
  std::string stream; ///< stdout, stderr, error, or the level of a log step
  std::string text;
};

/// What steps printed and logged, as the journal has it.
class Logs {
 public:
  explicit Logs(Story& story) : story_(story) {}

  void take(const Entry& entry) {
    if (const auto* done = std::get_if<flow::Succeeded>(&entry.event)) {
      about(done->place, done->at);
      if (!log_message(done->place)) {
        stream(done->output, "stdout");
        stream(done->output, "stderr");
      }
    } else if (const auto* failed = std::get_if<flow::Failed>(&entry.event)) {
      about(failed->place, failed->at);
      add("error", failed->failure.code + ": " + failed->failure.message);
    }
  }

  std::vector<LogLine> lines;

 private:
  void about(const flow::Place& place, Instant at) {
    at_ = at;
    step_ = story_.machine()->text_of(place);
  }

  bool log_message(const flow::Place& place) {
    const auto* tool = std::get_if<flow::ToolStep>(&story_.machine()->step_at(place).kind);
    const auto attempt = story_.attempts().find(place);
    if (tool == nullptr || tool->tool != "log" || attempt == story_.attempts().end()) {
      return false;
    }
    const Value* message = attempt->second.input.find("message");
    const Value* level = attempt->second.input.find("level");
    add(level != nullptr && level->is(Kind::string) ? std::string(level->as_string()) : "info",
        message == nullptr          ? ""
        : message->is(Kind::string) ? std::string(message->as_string())
                                    : to_json(*message));
    return true;
  }

  void stream(const Value& output, const char* name) {
    const Value* text = output.find(name);
    if (text != nullptr && text->is(Kind::string) && !text->as_string().empty()) {
      add(name, text->as_string());
    }
  }

  void add(const std::string& stream, std::string_view text) {
    while (!text.empty()) {
      const auto end = text.find('\n');
      lines.push_back({at_, step_, stream, std::string(text.substr(0, end))});
      text.remove_prefix(end == text.npos ? text.size() : end + 1);
    }
  }

  Story& story_;
  Instant at_;
  std::string step_;
};

void print(const Context& context, const std::vector<LogLine>& lines) {
  std::vector<Value> values;
  for (const LogLine& line : lines) {
    if (context.structured()) {
      values.push_back(object({{"at", to_string(line.at)},
                               {"step", line.step},
                               {"stream", line.stream},
                               {"line", line.text}}));
    } else {
      put(to_string(line.at) + "  " + line.step + " " + line.stream + ": " + harmless(line.text) +
          "\n");
    }
  }
  if (context.structured()) {
    print_value(context.format, Value::of_list(std::move(values)));
  }
}

int logs(const Context& context, node::Node& node, const RunId& run, const Wanted& wanted) {
  Story story(
      [&](const ContentHash& revision) { return node::definition_of(node.store(), revision); });
  Logs logs(story);
  std::optional<Error> failure;
  const auto read = node.store().read_journal(run, Seq(1), [&](const Entry& entry) {
    const auto told = story.take(entry);
    if (!told) {
      failure = told.error();
      return false;
    }
    if (told->is_about(wanted.step)) {
      logs.take(entry);
    }
    return true;
  });
  if (!read || failure) {
    return complain(failure ? *failure : read.error());
  }
  if (auto known = story.knows_step(wanted.step); !known) {
    return complain(known.error());
  }
  if (wanted.tail > 0 && logs.lines.size() > wanted.tail) {
    logs.lines.erase(logs.lines.begin(),
                     logs.lines.end() - static_cast<std::ptrdiff_t>(wanted.tail));
  }
  print(context, logs.lines);
  return kDone;
}

} // namespace

void add_logs(CLI::App& run, Chosen& chosen) {
  auto wanted = std::make_shared<Wanted>();
  CLI::App& command = add_on_run(run, chosen, "logs", "What steps printed and logged",
                                 [wanted](const Context& c, node::Node& n, const RunId& id) {
                                   return logs(c, n, id, *wanted);
                                 });
  command.add_option("--step", wanted->step, "Only of this step")
      ->type_name("STEP")
      ->check(not_empty());
  command.add_option("--tail", wanted->tail, "Only the last lines")
      ->type_name("N")
      ->check(from_one());
}

} // namespace skein::cli
