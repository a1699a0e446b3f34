#include "cli/help/usage_error.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/nearest.h"

namespace skein::cli {
namespace {

std::string path_of(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return parent == nullptr ? app.get_name() : path_of(*parent) + " " + app.get_name();
}

std::vector<std::string> commands_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!command->get_group().empty()) {
      names.push_back(command->get_name());
    }
  }
  return names;
}

const CLI::App* command_of(const CLI::App& app, const std::string& name) {
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->check_name(name)) {
      return command;
    }
  }
  return nullptr;
}

// A flag of the command or of one above it.
const CLI::Option* flag_of(const CLI::App& app, const std::string& spelled) {
  for (const CLI::App* at = &app; at != nullptr; at = at->get_parent()) {
    if (const CLI::Option* option = at->get_option_no_throw(spelled)) {
      return option;
    }
  }
  return nullptr;
}

std::optional<std::string> nearest_of(const std::string& word,
                                      const std::vector<std::string>& names) {
  const std::vector<std::string_view> views(names.begin(), names.end());
  const auto near = nearest(word, views);
  return near ? std::optional(std::string(*near)) : std::nullopt;
}

Error unknown_flag(const CLI::App& app, const std::string& spelled) {
  std::vector<std::string> names;
  for (const CLI::App* at = &app; at != nullptr; at = at->get_parent()) {
    for (const CLI::Option* option : at->get_options()) {
      for (const std::string& name : option->get_lnames()) {
        names.push_back("--" + name);
      }
    }
  }
  const auto near = spelled.starts_with("--") ? nearest_of(spelled, names) : std::nullopt;
  return Error{Code::usage_invalid, "`" + path_of(app) + "` has no flag " + spelled,
               near ? "did you mean " + *near + "?" : "see `" + path_of(app) + " --help`"};
}

// What people look for by the words of other tools: path and word, and what it is here.
struct Elsewhere {
  std::string_view said;
  std::string_view meant;
};
constexpr Elsewhere kElsewhere[] = {
    {"skein run list", "skein runs list"},
    {"skein run ls", "skein runs list"},
    {"skein list", "skein runs list"},
    {"skein ls", "skein runs list"},
    {"skein ps", "skein runs list"},
    {"skein logs", "skein run logs"},
    {"skein status", "skein run status"},
    {"skein history", "skein run history"},
    {"skein watch", "skein run watch"},
    {"skein cancel", "skein run cancel"},
    {"skein pause", "skein run pause"},
    {"skein approve", "skein run approve"},
    {"skein reject", "skein run reject"},
    {"skein signal", "skein run signal"},
    {"skein retry", "skein run retry"},
    {"skein replay", "skein run replay"},
    {"skein fork", "skein run fork"},
    {"skein export", "skein run export"},
    {"skein start", "skein run flow"},
    {"skein create", "skein apply"},
    {"skein run start", "skein run flow"},
    {"skein run describe", "skein run status"},
    {"skein run get", "skein run status"},
    {"skein run show", "skein run status"},
    {"skein runs get", "skein run status"},
    {"skein flow list", "skein get flows"},
    {"skein flow ls", "skein get flows"},
    {"skein flow start", "skein flow run"},
    {"skein visualize", "skein flow visualize"},
    {"skein rollback", "skein flow rollback"},
};

std::optional<std::string> known_elsewhere(const CLI::App& app, const std::string& word) {
  const std::string said = path_of(app) + " " + word;
  for (const auto& [elsewhere, meant] : kElsewhere) {
    if (said == elsewhere) {
      return std::string(meant);
    }
  }
  // `runs status` and `run lists`: the word belongs to the other one of the two.
  if (path_of(app) == "skein runs" && command_of(*app.get_parent()->get_subcommand("run"), word)) {
    return "skein run " + word;
  }
  if (path_of(app) == "skein run" && (word.ends_with(".yaml") || word.ends_with(".yml"))) {
    return "skein run flow " + word;
  }
  return std::nullopt;
}

// `get runs`: runs are no resources.
std::optional<std::string> run_command_for(const CLI::App& app, const std::string& refused) {
  const std::string path = path_of(app);
  if (!refused.starts_with("kind: run")) {
    return std::nullopt;
  }
  return path == "skein get"        ? std::optional<std::string>("skein runs list")
         : path == "skein describe" ? std::optional<std::string>("skein run status")
                                    : std::nullopt;
}

// The parser's own words, in ours.
std::string in_our_words(std::string what) {
  std::replace(what.begin(), what.end(), '\n', ' ');
  const auto in_quotes = [](const std::string& text) { return "\"" + text + "\""; };
  if (const auto at = what.find(": At Most 1 required but received"); at != what.npos) {
    return what.substr(0, at) + " is given more than once";
  }
  if (const auto at = what.find(": 1 required "); at != what.npos && what.ends_with(" missing")) {
    return what.substr(0, at) + " needs a value";
  }
  const auto set = what.find(" not in {");
  const auto colon = what.find(": ");
  if (set != what.npos && colon < set && what.ends_with("}")) {
    std::string choices = what.substr(set + 9, what.size() - set - 10);
    for (std::size_t at = 0; (at = choices.find(',', at)) != choices.npos; at += 2) {
      choices.insert(at + 1, " ");
    }
    return what.substr(0, colon + 2) + in_quotes(what.substr(colon + 2, set - colon - 2)) +
           " is none of " + choices;
  }
  return what;
}

// The nearest of the choices, where it was one of them that was misspelt.
std::optional<std::string> nearest_choice(const std::string& refused) {
  const auto set = refused.find(" not in {");
  const auto colon = refused.find(": ");
  if (set == refused.npos || colon > set || !refused.ends_with("}")) {
    return std::nullopt;
  }
  return nearest_of(refused.substr(colon + 2, set - colon - 2),
                    CLI::detail::split(refused.substr(set + 9, refused.size() - set - 10), ','));
}

Error unknown_command(const CLI::App& app, const std::string& word) {
  if (const auto meant = known_elsewhere(app, word)) {
    return Error{Code::usage_invalid, "`" + path_of(app) + "` has no command \"" + word + "\"",
                 "here it is `" + *meant + "`"};
  }
  const auto near = nearest_of(word, commands_of(app));
  return Error{Code::usage_invalid, "`" + path_of(app) + "` has no command \"" + word + "\"",
               near ? "did you mean `" + path_of(app) + " " + *near + "`?"
                    : "see `" + path_of(app) + " --help`"};
}

} // namespace

Error usage_error(const CLI::App& app, std::span<const std::string> words,
                  const std::string& refused) {
  const CLI::App* at = &app;
  bool deepest = false;
  for (std::size_t i = 0; i < words.size() && words[i] != "--"; ++i) {
    const std::string& word = words[i];
    if (word.size() > 1 && word.front() == '-') {
      const std::string spelled =
          word.starts_with("--") ? word.substr(0, word.find('=')) : word.substr(0, 2);
      const CLI::Option* flag = flag_of(*at, spelled);
      if (flag == nullptr) {
        return unknown_flag(*at, spelled);
      }
      i += flag->get_items_expected_max() > 0 && spelled == word ? 1 : 0;
    } else if (!deepest) {
      if (const CLI::App* command = command_of(*at, word)) {
        at = command;
      } else if (!commands_of(*at).empty()) {
        return unknown_command(*at, word);
      }
      deepest = commands_of(*at).empty();
    }
  }
  if (!commands_of(*at).empty()) {
    std::string names;
    for (const std::string& name : commands_of(*at)) {
      names += (names.empty() ? "" : ", ") + name;
    }
    return Error{Code::usage_invalid, "`" + path_of(*at) + "` needs a command: " + names,
                 "see `" + path_of(*at) + " --help`"};
  }
  const auto meant = run_command_for(*at, refused);
  const auto near = nearest_choice(refused);
  return Error{Code::usage_invalid, in_our_words(refused),
               meant  ? "runs are no resources: here it is `" + *meant + "`"
               : near ? "did you mean " + *near + "?"
                      : "see `" + path_of(*at) + " --help`"};
}

} // namespace skein::cli
