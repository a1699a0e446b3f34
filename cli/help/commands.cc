#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "cli/commands.h"
#include "cli/help/pages.h"
#include "cli/help/usage_error.h"

namespace skein::cli {
namespace {

struct Wanted {
  std::vector<std::string> words;
  bool man = false;
  bool markdown = false;
};

int help(const CLI::App& app, const Wanted& wanted) {
  const CommandRow root = row_of(app);
  if (wanted.man || wanted.markdown) {
    put(wanted.man ? man_page(root) : markdown_page(root));
    return kDone;
  }
  const CommandRow* row = &root;
  for (const std::string& word : wanted.words) {
    const auto below =
        std::find_if(row->commands.begin(), row->commands.end(),
                     [&](const CommandRow& command) { return command.name == word; });
    if (below == row->commands.end()) {
      return complain(usage_error(app, wanted.words, "there is no such command"));
    }
    row = &*below;
  }
  put(help_page(*row));
  return kDone;
}

} // namespace

void add_help(CLI::App& app, Chosen& chosen) {
  auto wanted = std::make_shared<Wanted>();
  CLI::App* command = app.add_subcommand("help", "What a command does");
  command->add_option("command", wanted->words, "Words of the command")->type_name("COMMAND");
  command->add_flag("--man", wanted->man, "The manual page, for man");
  command->add_flag("--markdown", wanted->markdown, "All commands, as docs/cli.md has them");
  command->callback([wanted, &app, &chosen] {
    chosen = [wanted, &app](const Context&) { return help(app, *wanted); };
  });

  auto shell = std::make_shared<std::string>();
  command = app.add_subcommand("completion", "A completion script for a shell");
  command->add_option("shell", *shell, "Shell")
      ->type_name("SHELL")
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->required();
  command->footer(
      "Example:\n  source <(skein completion bash)   # in ~/.bashrc\n  source <(skein completion "
      "zsh) "
      "   # in ~/.zshrc, after compinit\n  skein completion fish > "
      "~/.config/fish/completions/skein.fish");
  command->callback([shell, &app, &chosen] {
    chosen = [shell, &app](const Context&) {
      put(completion_script(row_of(app), *shell).value_or(""));
      return kDone;
    };
  });
}

} // namespace skein::cli
