#include <algorithm>
#include <functional>

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

// case lines for what follows a flag that takes a value.
std::string values_of(const CommandRow& root,
                      const std::function<std::string(const Flag&)>& complete) {
  std::string out;
  for (const CommandRow* row : flattened(root)) {
    for (const Flag& flag : flags_of(root, *row)) {
      if (!flag.value.empty()) {
        std::vector<std::string> cases;
        for (const std::string& spelling : spellings(flag)) {
          cases.push_back(for_shell(row->path + " " + spelling));
        }
        out += "    " + joined(cases, "|") + ") " + complete(flag) + "; return ;;\n";
      }
    }
  }
  return out;
}

/// Adds what the words after a command may be; whether one may be a file.
bool add_words(std::vector<std::string>& words, const CommandRow& row) {
  bool files = false;
  for (const Word& word : row.words) {
    words.insert(words.end(), word.choices.begin(), word.choices.end());
    files = files || is_file(word.value);
  }
  return files;
}

std::string bash(const CommandRow& root) {
  std::string out =
      "# Completion of skein for bash, written by `skein completion bash`.\n_skein() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
      "  local at=skein words='' files='' i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n    case \"$at ${COMP_WORDS[i]}\" in\n      " +
      paths_of(root) +
      ")\n        at=\"$at ${COMP_WORDS[i]}\" ;;\n    esac\n  done\n  case \"$at $prev\" in\n" +
      values_of(root,
                [](const Flag& flag) -> std::string {
                  if (!flag.choices.empty()) {
                    return "COMPREPLY=($(compgen -W " + for_shell(joined(flag.choices, " ")) +
                           " -- \"$cur\"))";
                  }
                  return flag.value == "DIR"   ? "COMPREPLY=($(compgen -d -- \"$cur\"))"
                         : is_file(flag.value) ? "COMPREPLY=($(compgen -f -- \"$cur\"))"
                                               : "COMPREPLY=()";
                }) +
      "  esac\n  case \"$at\" in\n";
  for (const CommandRow* row : flattened(root)) {
    std::vector<std::string> flags;
    for (const Flag& flag : flags_of(root, *row)) {
      const auto names = spellings(flag);
      flags.insert(flags.end(), names.begin(), names.end());
    }
    std::vector<std::string> words;
    for (const CommandRow& command : row->commands) {
      words.push_back(command.name);
    }
    const bool files = add_words(words, *row);
    out += "    " + for_shell(row->path) + ")\n      words=" + for_shell(joined(words, " ")) +
           (files ? " files=yes" : "") +
           "\n      [[ $cur == -* ]] && words=" + for_shell(joined(flags, " ")) + " files='' ;;\n";
  }
  return out +
         "  esac\n  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
         "  [[ -n $files ]] && COMPREPLY+=($(compgen -f -- \"$cur\"))\n  return 0\n}\n"
         "complete -o filenames -F _skein skein\n";
}

std::string zsh(const CommandRow& root) {
  std::string out =
      "#compdef skein\n# Completion of skein for zsh, written by `skein completion zsh`.\n"
      "_skein() {\n  local at=skein word files=''\n  local -a commands flags\n"
      "  for word in ${words[2,CURRENT-1]}; do\n    case \"$at $word\" in\n      " +
      paths_of(root) +
      ")\n        at=\"$at $word\" ;;\n    esac\n  done\n  case \"$at ${words[CURRENT-1]}\" in\n" +
      values_of(root,
                [](const Flag& flag) -> std::string {
                  if (!flag.choices.empty()) {
                    return "compadd -- " + joined(flag.choices, " ");
                  }
                  return flag.value == "DIR"   ? "_files -/"
                         : is_file(flag.value) ? "_files"
                                               : "_message " + for_shell(flag.value);
                }) +
      "  esac\n  case \"$at\" in\n";
  for (const CommandRow* row : flattened(root)) {
    std::vector<std::string> commands;
    std::vector<std::string> flags;
    for (const CommandRow& command : row->commands) {
      commands.push_back(for_shell(command.name + ":" + command.summary));
    }
    const bool files = add_words(commands, *row);
    for (const Flag& flag : flags_of(root, *row)) {
      for (const std::string& name : spellings(flag)) {
        flags.push_back(for_shell(name + ":" + flag.summary));
      }
    }
    out += "    " + for_shell(row->path) + ")\n      commands=(" + joined(commands, "\n        ") +
           ")" + (files ? " files=yes" : "") + "\n      flags=(" + joined(flags, "\n        ") +
           ") ;;\n";
  }
  return out +
         "  esac\n  if [[ ${words[CURRENT]} == -* ]]; then\n    _describe -o option flags\n"
         "  else\n    (( $#commands )) && _describe command commands\n"
         "    [[ -n $files ]] && _files\n  fi\n  return 0\n}\n_skein \"$@\"\n";
}

std::string fish(const CommandRow& root) {
  std::string out =
      "# Completion of skein for fish, written by `skein completion fish`.\n"
      "function __skein_at\n  set -l at skein\n  for word in (commandline -opc)[2..-1]\n"
      "    switch \"$at $word\"\n      case ";
  for (const CommandRow* row : flattened(root)) {
    out += row != &root ? for_shell(row->path) + " " : "";
  }
  out +=
      "\n        set at \"$at $word\"\n    end\n  end\n  test \"$at\" = \"$argv\"\nend\n"
      "complete -c skein -f\n";
  for (const CommandRow* row : flattened(root)) {
    const std::string begin = "complete -c skein -n '__skein_at " + row->path + "'";
    for (const CommandRow& command : row->commands) {
      out += begin + " -a " + command.name + " -d " + for_shell(command.summary) + "\n";
    }
    for (const Word& word : row->words) {
      out +=
          word.choices.empty() ? "" : begin + " -a " + for_shell(joined(word.choices, " ")) + "\n";
      out += is_file(word.value) ? begin + " -F\n" : "";
    }
    for (const Flag& flag : flags_of(root, *row)) {
      out += begin + (flag.shortly.empty() ? "" : " -s " + flag.shortly) +
             (flag.name.empty() ? "" : " -l " + flag.name) + (flag.value.empty() ? "" : " -r") +
             (flag.choices.empty() ? "" : " -a " + for_shell(joined(flag.choices, " "))) +
             (is_file(flag.value) || flag.value == "DIR" ? " -F" : "") + " -d " +
             for_shell(flag.summary) + "\n";
    }
  }
  return out;
}

} // namespace

std::optional<std::string> completion_script(const CommandRow& root, std::string_view shell) {
  return shell == "bash"   ? std::optional(bash(root))
         : shell == "zsh"  ? std::optional(zsh(root))
         : shell == "fish" ? std::optional(fish(root))
                           : std::nullopt;
}

} // namespace skein::cli
