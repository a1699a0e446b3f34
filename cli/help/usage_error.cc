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

Error unknown_command(const CLI::App& app, const std::string& word) {
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
  std::string what = refused;
  std::replace(what.begin(), what.end(), '\n', ' ');
  return Error{Code::usage_invalid, what, "see `" + path_of(*at) + " --help`"};
}

} // namespace skein::cli
