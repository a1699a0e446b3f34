#include "tools/shell/command.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "core/value/json.h"
#include "tools/arguments.h"
#include "tools/hidden.h"

namespace skein::tools {
namespace {

namespace fs = std::filesystem;

std::string_view value_of(const std::vector<std::string>& environment, std::string_view name) {
  for (const std::string& entry : environment) {
    if (entry.starts_with(name) && entry.size() > name.size() && entry[name.size()] == '=') {
      return std::string_view(entry).substr(name.size() + 1);
    }
  }
  return {};
}

void set(std::vector<std::string>& environment, const std::string& name, std::string_view value) {
  std::erase_if(environment, [&](const std::string& e) { return e.starts_with(name + "="); });
  environment.push_back(name + "=" + std::string(value));
}

std::string name_of_command(const Value& input) {
  const Value* command = input.find("command");
  return command == nullptr ? "the script" : "\"" + plain_text(command->as_list()[0]) + "\"";
}

std::string tail_of(std::string_view text) {
  constexpr std::size_t kLongest = 1'500;
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
    text.remove_suffix(1);
  }
  const bool cut = text.size() > kLongest;
  return (cut ? "…" : "") + repaired_utf8(text.substr(cut ? text.size() - kLongest : 0));
}

// What it wrote is kept only here where it failed.
std::string last_words(const ChildOutcome& outcome) {
  const std::string err = tail_of(outcome.err);
  const std::string out = tail_of(outcome.out);
  return (err.empty() ? "" : ": " + err) +
         (out.empty() ? "" : (err.empty() ? ": " : "; ") + ("stdout: " + out));
}

bool is_accepted(const Value& input, int exit_code) {
  const Value* accepted = input.find("ok_exit_codes");
  if (accepted == nullptr) {
    return exit_code == 0;
  }
  return std::any_of(accepted->as_list().begin(), accepted->as_list().end(),
                     [&](const Value& code) { return code == Value(exit_code); });
}

Result<Value> parsed_output(std::string_view how, const ChildOutcome& outcome) {
  if (outcome.truncated) {
    return Error{Code::tool_output_limit, "the output is longer than max_output and so not parsed",
                 "raise max_output, or leave out `parse`"};
  }
  if (how == "json") {
    auto value = parse_json(outcome.out);
    if (!value) {
      return Error{Code::tool_failed, "standard output is no JSON: " + value.error().detail};
    }
    return value;
  }
  std::vector<Value> lines;
  std::string_view rest = outcome.out;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    lines.emplace_back(repaired_utf8(rest.substr(0, end)));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return Value::of_list(std::move(lines));
}

Error stopped_error(const ToolCall& call, const ChildOutcome& outcome) {
  const std::string name = name_of_command(call.input);
  switch (outcome.stopped) {
    case Stopped::timeout:
      return {Code::tool_timeout,
              name + " did not end in time and was stopped after " + to_string(outcome.duration) +
                  last_words(outcome),
              "raise `timeout`, or make the work smaller"};
    case Stopped::flood:
      return {Code::tool_output_limit, name + " wrote far more than max_output and was stopped",
              "raise max_output, or write to a file"};
    case Stopped::processes:
      return {Code::tool_failed, name + " started too many processes and was stopped"};
    default:
      return {Code::step_cancelled, name + " was cancelled"};
  }
}

} // namespace

Result<std::vector<std::string>> environment_of(const ToolCall& call, const ToolSettings& settings,
                                                const std::string& home) {
  std::vector<std::string> out;
  for (const std::string& name : settings.shell.pass_environment) {
    if (const char* value = std::getenv(name.c_str())) {
      set(out, name, value);
    }
  }
  if (value_of(out, "PATH").empty()) {
    set(out, "PATH", "/usr/local/bin:/usr/bin:/bin");
  }
  set(out, "HOME", home);
  if (const Value* own = call.input.find("env")) {
    for (const auto& [name, value] : own->as_map()) {
      if (name.as_string().starts_with("SKEIN_")) {
        return Error{Code::tool_input_invalid,
                     "at /env/" + std::string(name.as_string()) +
                         ": names that begin with SKEIN_ are Skein's own"};
      }
      const std::string text = plain_text(value);
      if (text.find('\0') != std::string::npos) {
        return Error{Code::tool_input_invalid,
                     "at /env/" + std::string(name.as_string()) + ": must not have a NUL in it"};
      }
      set(out, std::string(name.as_string()), text);
    }
  }
  set(out, "SKEIN_RUN_ID", call.run.get());
  set(out, "SKEIN_STEP_ID", call.step);
  set(out, "SKEIN_ATTEMPT", std::to_string(call.attempt));
  set(out, "SKEIN_EFFECT_KEY", call.key);
  return out;
}

Result<std::string> directory_of(const Value& input, const ToolSettings& settings) {
  const std::vector<std::string>& roots = settings.roots;
  const auto wanted = text_at(input, "cwd");
  if (!wanted && roots.empty()) {
    return std::string();
  }
  const fs::path path = (roots.empty() ? fs::path("/") : fs::path(roots[0])) / wanted.value_or("");
  std::error_code problem;
  const std::string real = fs::canonical(path, problem).string();
  if (problem) {
    return Error{Code::tool_failed, "the working directory " + path.string() +
                                        " cannot be used: " + problem.message()};
  }
  const bool inside = std::any_of(roots.begin(), roots.end(), [&](const std::string& root) {
    return is_at_or_below(real, root);
  });
  if (!inside) {
    return Error{Code::tool_denied, "the working directory " + real + " is in no declared root",
                 "use a directory below " + (roots.empty() ? "a declared root" : roots[0])};
  }
  const auto hidden = is_hidden(real, settings.hidden);
  if (!hidden) {
    return hidden.error();
  }
  if (*hidden) {
    return Error{Code::tool_denied,
                 "the working directory " + real + " is in the data directory of the node",
                 "start skein in another directory, or name one with `cwd`"};
  }
  return real;
}

Result<std::string> find_command(const std::string& name,
                                 const std::vector<std::string>& environment,
                                 const std::string& directory, const Sandbox* sandbox) {
  if (name.find('/') != std::string::npos) {
    return name.starts_with('/') ? name : directory + "/" + name;
  }
  std::string_view path = value_of(environment, "PATH");
  while (!path.empty()) {
    const std::string folder(path.substr(0, path.find(':')));
    path.remove_prefix(std::min(folder.size() + 1, path.size()));
    const std::string candidate = folder + "/" + name;
    const bool shown = sandbox == nullptr || visible_in_sandbox(folder, *sandbox);
    if (folder.starts_with('/') && shown && ::access(candidate.c_str(), X_OK) == 0 &&
        !fs::is_directory(candidate)) {
      return candidate;
    }
  }
  return Error{Code::tool_unavailable,
               "there is no command \"" + name + "\" in PATH" +
                   (sandbox == nullptr ? "" : " that the sandbox shows"),
               "install it, or give its absolute path"};
}

ToolResult result_of(const ToolCall& call, const ChildOutcome& outcome, bool sandbox) {
  if (outcome.stopped != Stopped::no) {
    return stopped_error(call, outcome);
  }
  if (sandbox && outcome.exit_code != 0 &&
      (outcome.err.starts_with("bwrap: ") || outcome.err.starts_with("prlimit: "))) {
    return Error{
        Code::tool_unavailable,
        "the sandbox could not run " + name_of_command(call.input) + ": " + tail_of(outcome.err)};
  }
  if (!is_accepted(call.input, outcome.exit_code)) {
    const std::string how = outcome.signal != 0
                                ? "was killed by signal " + std::to_string(outcome.signal)
                                : "ended with exit code " + std::to_string(outcome.exit_code);
    return Error{
        Code::tool_failed, name_of_command(call.input) + " " + how + last_words(outcome),
        outcome.signal != 0 ? "" : "list the code in ok_exit_codes where it is no failure"};
  }
  std::vector<MapEntry> output{{"exit_code", outcome.exit_code},
                               {"stdout", repaired_utf8(outcome.out)},
                               {"stderr", repaired_utf8(outcome.err)},
                               {"truncated", outcome.truncated},
                               {"duration_ms", outcome.duration.count}};
  if (const auto how = text_at(call.input, "parse")) {
    auto parsed = parsed_output(*how, outcome);
    if (!parsed) {
      return parsed.error();
    }
    output.emplace_back("parsed", std::move(*parsed));
  }
  return Value::of_map(std::move(output));
}

} // namespace skein::tools
