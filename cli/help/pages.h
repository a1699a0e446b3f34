#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cli/help/tree.h"

/// The tree of commands, written for the places that read it.
namespace skein::cli {

/// What --help prints about one command.
std::string help_page(const CommandRow& row);
/// skein(1) for man.
std::string man_page(const CommandRow& root);
/// docs/cli.md.
std::string markdown_page(const CommandRow& root);
/// A completion script; nothing for a shell that is not bash, zsh or fish.
std::optional<std::string> completion_script(const CommandRow& root, std::string_view shell);

/// "EXIT CODES": code and meaning, for every page.
struct ExitCode {
  int code;
  std::string_view meaning;
};
extern const ExitCode kExitCodes[6];

struct Variable {
  std::string_view name;
  std::string_view meaning;
};
extern const Variable kVariables[10];

} // namespace skein::cli
