#include "scenarios/scenario.h"

#include <charconv>
#include <fstream>
#include <map>
#include <sstream>

#include "core/flow/loader.h"
#include "core/value/json.h"
#include "schemas/yaml.h"

namespace skein::scenarios {
namespace {

constexpr std::string_view kRule = "----";

Error bad(std::string detail) { return Error{Code::usage_invalid, std::move(detail)}; }

/// key=value words of an input line; a value that starts with { [ or " goes on to its end as JSON.
struct Words {
  std::vector<std::string> plain;
  std::map<std::string, std::string> named;
};

std::size_t end_of_json(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      i += c == '\\' ? 1 : 0;
      quoted = c != '"';
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      --depth;
    }
    if (depth == 0 && !quoted && (i + 1 == text.size() || text[i + 1] == ' ')) {
      return i + 1;
    }
  }
  return text.size();
}

Words words_of(std::string_view line) {
  Words words;
  while (!line.empty()) {
    if (line.front() == ' ') {
      line.remove_prefix(1);
      continue;
    }
    const std::size_t stop = line.find_first_of(" =");
    const std::string word(line.substr(0, stop));
    if (stop == std::string_view::npos || line[stop] == ' ') {
      words.plain.push_back(word);
      line.remove_prefix(std::min(stop, line.size()));
      continue;
    }
    line.remove_prefix(stop + 1);
    const std::size_t length = end_of_json(line);
    words.named[word] = std::string(line.substr(0, length));
    line.remove_prefix(length);
  }
  return words;
}

Value json_of(const Words& words, const std::string& key) {
  const auto found = words.named.find(key);
  if (found == words.named.end()) {
    return Value();
  }
  auto value = parse_json(found->second);
  return value ? *value : Value(found->second);
}

std::string text_of(const Words& words, const std::string& key) {
  const Value value = json_of(words, key);
  return value.is(Kind::string) ? std::string(value.as_string()) : std::string();
}

std::uint32_t attempt_of(const Words& words) {
  const Value value = json_of(words, "attempt");
  return value.is(Kind::integer) ? static_cast<std::uint32_t>(value.as_int()) : 1;
}

std::uint32_t depth_of(const Words& words) {
  const Value value = json_of(words, "depth");
  return value.is(Kind::integer) ? static_cast<std::uint32_t>(value.as_int()) : 0;
}

// The end of a child: with a code it did not succeed.
flow::ChildEnded ended_event(const Words& words, Instant at, const std::string& child) {
  std::optional<flow::Failure> failure;
  if (words.named.contains("code")) {
    failure = flow::Failure{text_of(words, "code"),
                            text_of(words, "message"),
                            {},
                            {},
                            json_of(words, "retryable") == Value(true)};
  }
  return {at, RunId(child), json_of(words, "output"), std::move(failure)};
}

Result<flow::Event> step_event(const std::string& kind, const Words& words, Instant at,
                               const flow::Place& place) {
  if (kind == "begun") {
    const auto effect_class = parse_effect_class(text_of(words, "class"));
    return flow::Event(flow::Begun{at,
                                   place,
                                   attempt_of(words),
                                   effect_class.value_or(EffectClass::unsafe),
                                   RunId(text_of(words, "child")),
                                   {}});
  }
  if (kind == "succeeded") {
    return flow::Event(flow::Succeeded{at, place, attempt_of(words), json_of(words, "output")});
  }
  if (kind == "failed") {
    const bool retryable = json_of(words, "retryable") == Value(true);
    return flow::Event(flow::Failed{
        at, place, attempt_of(words),
        flow::Failure{text_of(words, "code"), text_of(words, "message"), {}, {}, retryable}});
  }
  if (kind == "in_doubt") {
    return flow::Event(flow::FoundInDoubt{at, place, attempt_of(words)});
  }
  if (kind == "approve" || kind == "reject") {
    return flow::Event(flow::Answered{at, place, kind == "approve", text_of(words, "by"),
                                      text_of(words, "comment")});
  }
  const std::string how = text_of(words, "how");
  if (kind == "settle" && (how == "retry" || how == "succeed" || how == "fail")) {
    return flow::Event(flow::Settled{at, place,
                                     how == "retry"     ? flow::Settled::How::retry
                                     : how == "succeed" ? flow::Settled::How::succeed
                                                        : flow::Settled::How::fail,
                                     json_of(words, "output"), text_of(words, "by")});
  }
  return bad("no such input: " + kind);
}

std::string quoted(const std::string& text) { return to_json(Value(text)); }

std::string describe_effect(const flow::Machine& m, const flow::Dispatch& e) {
  return "dispatch " + m.text_of(e.place) + " attempt=" + std::to_string(e.attempt) +
         " input=" + to_json(e.input);
}
std::string describe_effect(const flow::Machine& m, const flow::Execute& e) {
  return "execute " + m.text_of(e.place) + " attempt=" + std::to_string(e.attempt);
}
std::string describe_effect(const flow::Machine& m, const flow::Abandon& e) {
  return "abandon " + m.text_of(e.place) + " attempt=" + std::to_string(e.attempt);
}
std::string describe_effect(const flow::Machine&, const flow::ArmTimer& e) {
  return "arm_timer " + std::to_string(e.timer) + " due=" + to_string(Millis{e.due.ms});
}
std::string describe_effect(const flow::Machine&, const flow::DisarmTimer& e) {
  return "disarm_timer " + std::to_string(e.timer);
}
std::string what(WaitRow::What what) {
  return what == WaitRow::What::signal ? "signal " : "approval ";
}
std::string describe_effect(const flow::Machine&, const flow::OpenWait& e) {
  return "open_wait " + what(e.what) + e.name;
}
std::string describe_effect(const flow::Machine&, const flow::CloseWait& e) {
  return "close_wait " + what(e.what) + e.name;
}
std::string describe_effect(const flow::Machine&, const flow::Emit& e) {
  return "emit " + e.type + " id=" + e.id + " event=" + to_json(e.event);
}
std::string describe_effect(const flow::Machine&, const flow::Proceed&) { return "proceed"; }
std::string describe_effect(const flow::Machine&, const flow::Show& e) {
  return "show " + std::string(name_of(e.state));
}
std::string describe_effect(const flow::Machine&, const flow::Finish& e) {
  return "finish " + std::string(name_of(e.state)) + " output=" + to_json(e.output) +
         (e.failure ? " code=" + e.failure->code + " message=" + quoted(e.failure->message) : "") +
         (e.parent.empty() ? "" : " parent=" + e.parent);
}
std::string describe_effect(const flow::Machine&, const flow::StartChild& e) {
  return "start_child " + e.child.get() + " flow=" + e.flow + " depth=" + std::to_string(e.depth) +
         " input=" + to_json(e.input) + (e.labels.is_null() ? "" : " labels=" + to_json(e.labels));
}
std::string describe_effect(const flow::Machine&, const flow::CancelChild& e) {
  return "cancel_child " + e.child.get();
}

} // namespace

Result<Scenario> read_scenario(const std::string& file) {
  std::ifstream in(file);
  Scenario scenario;
  scenario.file = file;
  std::string yaml;
  std::string line;
  bool in_flow = false;
  bool in_expected = false;
  while (std::getline(in, line)) {
    if (scenario.inputs.empty() && !line.starts_with("at ")) {
      scenario.preamble += line + "\n";
      in_flow = in_flow ? line.starts_with("  ") || line.empty() : line == "flow";
      yaml += in_flow && line != "flow" ? line.substr(std::min<std::size_t>(2, line.size())) + "\n"
                                        : "";
    } else if (line.starts_with("at ")) {
      scenario.inputs.push_back({line, {}});
      in_expected = false;
    } else if (line == kRule) {
      in_expected = true;
    } else if (in_expected && !line.empty()) {
      scenario.inputs.back().expected.push_back(line);
    }
  }
  const auto documents = schemas::read_yaml(yaml, file);
  if (!documents) {
    return documents.error();
  }
  flow::Loaded loaded = flow::load(documents->front());
  if (!loaded.definition) {
    return loaded.findings.front().error;
  }
  scenario.definition = loaded.definition;
  return scenario;
}

void write_scenario(const Scenario& scenario) {
  std::ofstream out(scenario.file);
  out << scenario.preamble;
  for (std::size_t i = 0; i < scenario.inputs.size(); ++i) {
    out << scenario.inputs[i].line << "\n" << kRule << "\n";
    for (const std::string& line : scenario.inputs[i].expected) {
      out << line << "\n";
    }
    out << (i + 1 < scenario.inputs.size() ? "\n" : "");
  }
}

Result<flow::Event> event_of(std::string_view line, const flow::Machine& machine) {
  const Words words = words_of(line);
  if (words.plain.size() < 3) {
    return bad("an input is `at TIME EVENT …`, not: " + std::string(line));
  }
  const auto span = parse_millis(words.plain[1]);
  if (!span) {
    return span.error();
  }
  const Instant at{span->count};
  const std::string& kind = words.plain[2];
  const std::string name = words.plain.size() > 3 ? words.plain[3] : "";
  if (kind == "created") {
    return flow::Event(flow::Created{at, machine.definition().name, machine.definition().revision,
                                     1, 7, json_of(words, "input"), json_of(words, "labels"),
                                     text_of(words, "parent"), depth_of(words)});
  }
  if (kind == "ended") {
    return flow::Event(ended_event(words, at, name));
  }
  if (kind == "forked") {
    return flow::Event(
        flow::Forked{at, "source", 1, json_of(words, "vars"), json_of(words, "input")});
  }
  if (kind == "expired") {
    std::uint64_t timer = 0;
    std::from_chars(name.data(), name.data() + name.size(), timer);
    return flow::Event(flow::Expired{at, timer});
  }
  if (kind == "signal") {
    return flow::Event(flow::Signalled{at, text_of(words, "id"), name, json_of(words, "payload")});
  }
  if (kind == "cancel") {
    return flow::Event(flow::CancelAsked{at, text_of(words, "by"), text_of(words, "reason")});
  }
  if (kind == "pause") {
    return flow::Event(flow::PauseAsked{at, text_of(words, "by"), text_of(words, "reason")});
  }
  if (kind == "resume") {
    return flow::Event(flow::ResumeAsked{at, text_of(words, "by")});
  }
  if (kind == "proceed") {
    return flow::Event(flow::Proceeded{at});
  }
  const auto place = machine.place_of(name);
  return place ? step_event(kind, words, at, *place) : Result<flow::Event>(place.error());
}

std::vector<std::string> describe(const flow::Machine& machine) {
  std::string run = "run " + std::string(name_of(machine.state()));
  run += machine.reason().empty() ? "" : " reason=" + quoted(machine.reason());
  run += machine.waiting_for().empty() ? "" : " waiting_for=" + quoted(machine.waiting_for());
  std::vector<std::string> lines{run};
  for (const auto& step : machine.view()) {
    if (step.status == "pending") {
      continue;
    }
    std::string text = "step " + step.name + " " + step.status;
    text += step.attempt > 0 ? " attempt=" + std::to_string(step.attempt) : "";
    text += step.output.is_null() ? "" : " output=" + to_json(step.output);
    text += step.failure ? " error=" + step.failure->code : "";
    text += step.child.empty() ? "" : " child=" + step.child;
    lines.push_back(text);
  }
  return lines;
}

std::string describe(const flow::Effect& effect, const flow::Machine& machine) {
  return "effect " + std::visit([&](const auto& e) { return describe_effect(machine, e); }, effect);
}

} // namespace skein::scenarios
