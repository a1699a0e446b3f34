#include "cli/help/tree.h"

#include <CLI/CLI.hpp>
#include <algorithm>

namespace skein::cli {
namespace {

// CLI11 writes the choices into the name of the type: "TEXT:{a,b}".
std::vector<std::string> choices_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const auto open = type.find('{');
  const auto close = type.find('}', open);
  std::vector<std::string> choices;
  if (open == std::string::npos || close == std::string::npos) {
    return choices;
  }
  for (std::string& choice : CLI::detail::split(type.substr(open + 1, close - open - 1), ',')) {
    choices.push_back(std::move(choice));
  }
  return choices;
}

bool repeats(const CLI::Option& option) { return option.get_items_expected_max() > 1; }

Flag flag_of(const CLI::Option& option) {
  Flag flag;
  flag.shortly = option.get_snames().empty() ? "" : option.get_snames().front();
  flag.name = option.get_lnames().empty() ? "" : option.get_lnames().front();
  flag.summary = option.get_description();
  flag.choices = choices_of(option);
  if (option.get_items_expected_max() > 0) {
    const std::string type = option.get_type_name();
    flag.value = type.substr(0, type.find(':'));
  }
  flag.required = option.get_required();
  flag.repeated = repeats(option);
  return flag;
}

void append_words(std::string& usage, const CommandRow& row) {
  for (const Word& word : row.words) {
    std::string name = word.name;
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    name += word.repeated ? "..." : "";
    usage += word.required ? " " + name : " [" + name + "]";
  }
}

} // namespace

CommandRow row_of(const CLI::App& app, const std::string& parent) {
  CommandRow row;
  row.name = app.get_name();
  row.path = parent.empty() ? row.name : parent + " " + row.name;
  row.summary = app.get_description();
  row.footer = app.get_footer();
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_description().empty() || (!parent.empty() && option == app.get_help_ptr())) {
      continue;
    }
    if (option->get_positional()) {
      const std::string type = option->get_type_name();
      row.words.push_back({option->get_name(true), option->get_description(),
                           type.substr(0, type.find(':')), choices_of(*option),
                           option->get_required(), repeats(*option)});
    } else {
      row.flags.push_back(flag_of(*option));
    }
  }
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!command->get_group().empty()) {
      row.commands.push_back(row_of(*command, row.path));
    }
  }
  return row;
}

std::string usage_of(const CommandRow& row) {
  std::string usage = row.path;
  append_words(usage, row);
  if (!row.commands.empty()) {
    usage += " COMMAND";
  }
  for (const Flag& flag : row.flags) {
    if (flag.required) {
      usage += " --" + flag.name + " " + flag.value + (flag.repeated ? "..." : "");
    }
  }
  return usage + " [OPTIONS]";
}

std::string text_of(const Flag& flag) {
  std::string text = flag.shortly.empty() ? "" : "-" + flag.shortly;
  if (!flag.name.empty()) {
    text += (text.empty() ? "--" : ", --") + flag.name;
  }
  return flag.value.empty() ? text : text + " " + flag.value;
}

std::vector<const CommandRow*> flattened(const CommandRow& root) {
  std::vector<const CommandRow*> rows{&root};
  for (const CommandRow& command : root.commands) {
    const auto below = flattened(command);
    rows.insert(rows.end(), below.begin(), below.end());
  }
  return rows;
}

} // namespace skein::cli
