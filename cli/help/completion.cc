#include <algorithm>
#include <functional>
#include <set>

#include "cli/help/pages.h"

namespace skein::cli {
namespace {

bool is_file(const std::string& value) { return value.find("FILE") != std::string::npos; }

std::string for_shell(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    out += c == '\'' ? "'\\''" : std::string(1, c);
  }
  return out + "'";
}

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  std::string out;
  for (const std::string& word : words) {
    out += (out.empty() ? "" : std::string(between)) + word;
  }
  return out;
}

std::vector<std::string> spellings(const Flag& flag) {
  std::vector<std::string> all;
  if (!flag.shortly.empty()) {
    all.push_back("-" + flag.shortly);
  }
  if (!flag.name.empty()) {
    all.push_back("--" + flag.name);
  }
  return all;
}

// 'skein run'|'skein run flow'|…: the paths that a word leads to.
std::string paths_of(const CommandRow& root) {
  std::vector<std::string> paths;
  for (const CommandRow* row : flattened(root)) {
    if (row != &root) {
      paths.push_back(for_shell(row->path));
    }
  }
  return joined(paths, "|");
}

// The row's flags and those that go with every command.
std::vector<Flag> flags_of(const CommandRow& root, const CommandRow& row) {
  std::vector<Flag> flags = row.flags;
  if (&row != &root) {
    for (const Flag& flag : root.flags) {
      const bool hidden = std::any_of(row.flags.begin(), row.flags.end(), [&](const Flag& own) {
        return own.name == flag.name || (!own.shortly.empty() && own.shortly == flag.shortly);
      });
      if (!hidden) {
        flags.push_back(flag);
      }
    }
  }
  return flags;
}

// Below `help` stand the words of every other command once more.
CommandRow with_help_words(CommandRow root) {
  const std::function<CommandRow(const CommandRow&, const std::string&)> named =
      [&](const CommandRow& row, const std::string& above) {
        CommandRow copy;
        copy.name = row.name;
        copy.path = above + " " + row.name;
        copy.summary = row.summary;
        for (const CommandRow& command : row.commands) {
          copy.commands.push_back(named(command, copy.path));
        }
        return copy;
      };
  const auto help = std::ranges::find(root.commands, "help", &CommandRow::name);
  for (const CommandRow& command : root.commands) {
    if (help != root.commands.end() && command.name != "help") {
      help->commands.push_back(named(command, help->path));
    }
  }
  return root;
}

// -o|--output|…: what takes the next word as its value, whatever the command is.
std::string flags_with_values(const CommandRow& root) {
  std::set<std::string> all;
  for (const CommandRow* row : flattened(root)) {
    for (const Flag& flag : row->flags) {
      if (!flag.value.empty()) {
        const auto names = spellings(flag);
        all.insert(names.begin(), names.end());
      }
    }
  }
  return joined({all.begin(), all.end()}, "|");
}

// bash and zsh: finds the command, `at`, and how many words stand behind it, `n`.
std::string walk(const CommandRow& root, const std::string& from, const std::string& to,
                 const std::string& all) {
  return "  for ((i = " + from + "; i < " + to + "; i++)); do\n    word=${" + all +
         "[i]}\n    case \"$at $word\" in\n      " + paths_of(root) +
         ")\n        at=\"$at $word\" ;;\n      *)\n        case \"$word\" in\n          " +
         flags_with_values(root) + ")\n            i=$((i + 1))\n            [[ ${" + all +
         "[i]} == = ]] && i=$((i + 1)) ;;\n          -*|=) ;;\n          *) n=$((n + 1)) ;;\n"
         "        esac ;;\n    esac\n  done\n";
}

using Complete = std::function<std::string(const Flag&)>;

// `path` "" is any command.
std::string value_case(const std::string& path, const Flag& flag, const Complete& complete) {
  std::vector<std::string> cases;
  for (const std::string& spelling : spellings(flag)) {
    cases.push_back((path.empty() ? "*" : "") + for_shell(path + " " + spelling));
  }
  return "    " + joined(cases, "|") + ") " + complete(flag) + "; return ;;\n";
}

// bash and zsh: case lines for what follows a flag that takes a value. A command's own flag hides
// the one of the same name that goes with every command.
std::string values_of(const CommandRow& root, const Complete& complete) {
  std::string out;
  for (const CommandRow* row : flattened(root)) {
    for (const Flag& flag : row->flags) {
      out += row == &root || flag.value.empty() ? "" : value_case(row->path, flag, complete);
    }
  }
  for (const Flag& flag : root.flags) {
    out += flag.value.empty() ? "" : value_case("", flag, complete);
  }
  return out;
}

// bash and zsh: what the next word may be, by how many stand there already.
std::string words_of(const CommandRow& row, const std::string& variable) {
  std::string out;
  for (std::size_t i = 0; i < row.words.size(); ++i) {
    const Word& word = row.words[i];
    const std::string assigns = is_file(word.value) ? "files=yes"
                                : word.choices.empty()
                                    ? ""
                                    : variable + "=(" + joined(word.choices, " ") + ")";
    out += assigns.empty() ? ""
                           : "        " + (word.repeated ? std::string("*") : std::to_string(i)) +
                                 ") " + assigns + " ;;\n";
  }
  return out.empty() ? "" : "      case $n in\n" + out + "      esac\n";
}

std::vector<std::string> names_of(const std::vector<Flag>& flags) {
  std::vector<std::string> names;
  for (const Flag& flag : flags) {
    const auto all = spellings(flag);
    names.insert(names.end(), all.begin(), all.end());
  }
  return names;
}

std::string bash_value(const Flag& flag) {
  if (!flag.choices.empty()) {
    return "COMPREPLY=($(compgen -W " + for_shell(joined(flag.choices, " ")) + " -- \"$cur\"))";
  }
  return flag.value == "DIR"   ? "_skein_files -d"
         : is_file(flag.value) ? "_skein_files -f"
                               : "COMPREPLY=()";
}

std::string bash(const CommandRow& root) {
  // `=` ends a word of bash: --state=failed comes as three of them.
  std::string out =
      "# Completion of skein for bash, written by `skein completion bash`.\n"
      "_skein_files() {\n  compopt -o filenames 2>/dev/null\n"
      "  mapfile -t COMPREPLY < <(compgen \"$1\" -- \"$cur\")\n}\n"
      "_skein() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
      "  local at=skein n=0 flags='' files='' word i\n  local -a words=()\n"
      "  if [[ $cur == = ]]; then\n    cur=''\n  elif [[ $prev == = ]]; then\n"
      "    prev=${COMP_WORDS[COMP_CWORD-2]}\n  fi\n" +
      walk(root, "1", "COMP_CWORD", "COMP_WORDS") + "  case \"$at $prev\" in\n" +
      values_of(root, bash_value) + "  esac\n  case \"$at\" in\n";
  for (const CommandRow* row : flattened(root)) {
    std::vector<std::string> commands;
    for (const CommandRow& command : row->commands) {
      commands.push_back(command.name);
    }
    out += "    " + for_shell(row->path) +
           ")\n      flags=" + for_shell(joined(names_of(flags_of(root, *row)), " ")) + "\n" +
           (commands.empty() ? words_of(*row, "words")
                             : "      words=(" + joined(commands, " ") + ")\n") +
           "      ;;\n";
  }
  return out +
         "  esac\n  if [[ $cur == -* ]]; then\n    COMPREPLY=($(compgen -W \"$flags\" -- "
         "\"$cur\"))\n"
         "  elif [[ -n $files ]]; then\n    _skein_files -f\n  else\n"
         "    COMPREPLY=($(compgen -W \"${words[*]}\" -- \"$cur\"))\n  fi\n  return 0\n}\n"
         "complete -F _skein skein\n";
}

std::string zsh_value(const Flag& flag) {
  if (!flag.choices.empty()) {
    return "compadd -- " + joined(flag.choices, " ");
  }
  return flag.value == "DIR"   ? "_files -/"
         : is_file(flag.value) ? "_files"
                               : "_message " + for_shell(flag.value);
}

std::string zsh(const CommandRow& root) {
  std::string out =
      "#compdef skein\n# Completion of skein for zsh, written by `skein completion zsh`.\n"
      "_skein() {\n  local at=skein word prev=${words[CURRENT-1]} files=''\n  local -i n=0 i\n"
      "  local -a commands flags\n" +
      walk(root, "2", "CURRENT", "words") +
      "  if [[ ${words[CURRENT]} == --*=* ]]; then\n    prev=${words[CURRENT]%%=*}\n"
      "    compset -P '*='\n  fi\n  case \"$at $prev\" in\n" +
      values_of(root, zsh_value) + "  esac\n  case \"$at\" in\n";
  for (const CommandRow* row : flattened(root)) {
    std::vector<std::string> commands;
    std::vector<std::string> flags;
    for (const CommandRow& command : row->commands) {
      commands.push_back(for_shell(command.name + ":" + command.summary));
    }
    for (const Flag& flag : flags_of(root, *row)) {
      for (const std::string& name : spellings(flag)) {
        flags.push_back(for_shell(name + ":" + flag.summary));
      }
    }
    out += "    " + for_shell(row->path) + ")\n" +
           (commands.empty() ? words_of(*row, "commands")
                             : "      commands=(" + joined(commands, "\n        ") + ")\n") +
           "      flags=(" + joined(flags, "\n        ") + ") ;;\n";
  }
  return out +
         "  esac\n  if [[ ${words[CURRENT]} == -* ]]; then\n    _describe -o option flags\n"
         "  else\n    (( $#commands )) && _describe command commands\n"
         "    [[ -n $files ]] && _files\n  fi\n  return 0\n}\n"
         "# Sourced it registers itself; from fpath it completes.\n"
         "if [[ ${funcstack[1]} == _skein ]]; then\n  _skein \"$@\"\n"
         "elif (( $+functions[compdef] )); then\n  compdef _skein skein\n"
         "else\n  print -u2 'skein: run compinit before this'\nfi\n";
}

// What a word may be: -x is no file at all, -F a file.
std::string fish_values(const std::string& value, const std::vector<std::string>& choices) {
  return !choices.empty() ? " -x -a " + for_shell(joined(choices, " "))
         : value == "DIR" ? " -x -a '(__fish_complete_directories)'"
         : is_file(value) ? " -r -F"
                          : " -x";
}

std::string fish_walk(const CommandRow& root) {
  std::string paths;
  for (const CommandRow* row : flattened(root)) {
    paths += row != &root ? " " + for_shell(row->path) : "";
  }
  std::string with_values = flags_with_values(root);
  std::ranges::replace(with_values, '|', ' ');
  return "# Whether the command is $argv[1], with $argv[2] words behind it where that is given.\n"
         "function __skein_at\n  set -l at skein\n  set -l n 0\n  set -l skip no\n"
         "  for word in (commandline -opc)[2..-1]\n    if test $skip = yes\n      set skip no\n"
         "      continue\n    end\n    switch \"$at $word\"\n      case" +
         paths +
         "\n        set at \"$at $word\"\n        continue\n    end\n    switch \"$word\"\n"
         "      case " +
         with_values +
         "\n        set skip yes\n      case '-*'\n      case '*'\n"
         "        set n (math $n + 1)\n    end\n  end\n"
         "  test \"$at\" = \"$argv[1]\"\n"
         "  and begin; test (count $argv) -eq 1; or test \"$n\" = \"$argv[2]\"; end\nend\n"
         "complete -c skein -f\n";
}

std::string fish(const CommandRow& root) {
  std::string out =
      "# Completion of skein for fish, written by `skein completion fish`.\n" + fish_walk(root);
  const auto begin = [](const CommandRow& row, const std::string& count) {
    return "complete -c skein -n '__skein_at \"" + row.path + "\"" + count + "'";
  };
  for (const CommandRow* row : flattened(root)) {
    for (const CommandRow& command : row->commands) {
      out += begin(*row, "") + " -a " + command.name + " -d " + for_shell(command.summary) + "\n";
    }
    for (std::size_t i = 0; row->commands.empty() && i < row->words.size(); ++i) {
      const Word& word = row->words[i];
      const std::string here = begin(*row, word.repeated ? "" : " " + std::to_string(i));
      out += !word.choices.empty() ? here + " -a " + for_shell(joined(word.choices, " ")) + "\n"
             : is_file(word.value) ? here + " -F\n"
                                   : "";
    }
    for (const Flag& flag : flags_of(root, *row)) {
      out += begin(*row, "") + (flag.shortly.empty() ? "" : " -s " + flag.shortly) +
             (flag.name.empty() ? "" : " -l " + flag.name) +
             (flag.value.empty() ? "" : fish_values(flag.value, flag.choices)) + " -d " +
             for_shell(flag.summary) + "\n";
    }
  }
  return out;
}

} // namespace

std::optional<std::string> completion_script(const CommandRow& plain, std::string_view shell) {
  const CommandRow root = with_help_words(plain);
  return shell == "bash"   ? std::optional(bash(root))
         : shell == "zsh"  ? std::optional(zsh(root))
         : shell == "fish" ? std::optional(fish(root))
                           : std::nullopt;
}

} // namespace skein::cli
