#pragma once

#include <memory>
#include <string>
#include <vector>

namespace CLI {
class App;
}

/// The commands as the parser knows them, in a form that help, completion, man page and docs/cli.md
/// are all written from, so that none of them can drift.
namespace skein::cli {

struct Flag {
  std::string shortly; ///< "o" of -o, or ""
  std::string name;    ///< "output" of --output, or ""
  std::string summary;
  std::string value;                ///< "FILE", "TEXT", …; "" where it takes none
  std::vector<std::string> choices; ///< where only these are allowed
  bool required = false;
  bool repeated = false;
};

struct Word { ///< a positional argument
  std::string name;
  std::string summary;
  std::string value; ///< as of a flag
  std::vector<std::string> choices;
  bool required = false;
  bool repeated = false;
};

struct CommandRow {
  std::string path; ///< "skein run flow"
  std::string name; ///< "flow"
  std::string summary;
  std::string footer; ///< examples and remarks, or ""
  std::vector<Word> words;
  std::vector<Flag> flags;
  std::vector<CommandRow> commands;
};

/// The tree below a command. Hidden commands (of group "") and flags without a summary are left
/// out, and --help but at the root.
CommandRow row_of(const CLI::App& app, const std::string& parent = "");

/// "skein run flow FLOW [OPTIONS]".
std::string usage_of(const CommandRow& row);
/// "-o, --output FORMAT".
std::string text_of(const Flag& flag);
/// Every row of the tree, parents before their commands.
std::vector<const CommandRow*> flattened(const CommandRow& root);

} // namespace skein::cli
