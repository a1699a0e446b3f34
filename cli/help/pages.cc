#include "cli/help/pages.h"

#include <algorithm>

#include "cli/context.h"

namespace skein::cli {

const ExitCode kExitCodes[6] = {
    {kDone, "succeeded"},
    {kFailed, "the run or the request failed"},
    {kWrongUsage, "wrong usage or an invalid file"},
    {kUnreachable, "the data directory is in use or cannot be used, or the node is unreachable"},
    {kWaiting, "the run is waiting or paused"},
    {kInterrupted, "interrupted"},
};

const Variable kVariables[10] = {
    {"SKEIN_DATA", "the data directory, as --data"},
    {"SKEIN_SANDBOX", "bubblewrap or none: how shell steps that do not say are shut in"},
    {"SKEIN_SHELL_COMMANDS", "the only commands that shell steps may run, between commas"},
    {"SKEIN_SHELL_ENV", "more variables that commands get from the environment, between commas"},
    {"SKEIN_SHELL_NETWORK", "allow (default) or deny: whether shell steps may ask for the network"},
    {"SKEIN_SHELL_UNSANDBOXED", "allow (default) or deny: whether they may ask for no sandbox"},
    {"SKEIN_HTTP_ALLOW", "what http steps may reach besides public addresses, between commas"},
    {"NO_COLOR", "as --no-color, where it is set to anything"},
    {"USER", "who approves, cancels and pauses"},
    {"COLUMNS", "how wide the terminal is, where it does not say itself"},
};

namespace {

struct Line {
  std::string left;
  std::string right;
};

std::string lined_up(const std::vector<Line>& lines) {
  std::size_t width = 0;
  for (const Line& line : lines) {
    width = std::max(width, line.left.size());
  }
  std::string out;
  for (const Line& line : lines) {
    out += "  " + line.left + std::string(width - line.left.size() + 2, ' ') + line.right + "\n";
  }
  return out;
}

std::string with_choices(const std::string& summary, const std::vector<std::string>& choices) {
  std::string text;
  for (const std::string& choice : choices) {
    text += (text.empty() ? "" : ", ") + choice;
  }
  return text.empty() || summary.find(choices.back()) != std::string::npos ? summary
                                                                           : summary + ": " + text;
}

std::string escaped_for_man(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '-') {
      out += "\\-";
    } else if (c == '\\') {
      out += "\\e";
    } else {
      out.push_back(c);
    }
  }
  return out.starts_with('.') || out.starts_with('\'') ? "\\&" + out : out;
}

void append_man(std::string& out, std::string_view term, std::string_view text) {
  out += ".TP\n.B " + escaped_for_man(term) + "\n" + escaped_for_man(text) + "\n";
}

std::string for_table(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) {
    text.insert(at, "\\");
  }
  return text;
}

void append_markdown(std::string& out, const CommandRow& row) {
  out += "\n## " + row.path + "\n\n" + row.summary + ".\n\n```text\n" + usage_of(row) + "\n```\n";
  if (!row.words.empty() || !row.flags.empty()) {
    out += "\n| | |\n|---|---|\n";
  }
  for (const Word& word : row.words) {
    out +=
        "| `" + word.name + "` | " + for_table(with_choices(word.summary, word.choices)) + " |\n";
  }
  for (const Flag& flag : row.flags) {
    out += "| `" + text_of(flag) + "` | " + for_table(with_choices(flag.summary, flag.choices)) +
           " |\n";
  }
  if (!row.footer.empty()) {
    out += "\n```text\n" + row.footer + "\n```\n";
  }
}

} // namespace

std::string help_page(const CommandRow& row) {
  std::string out = row.summary + "\n\nUsage: " + usage_of(row) + "\n";
  std::vector<Line> lines;
  for (const Word& word : row.words) {
    lines.push_back({word.name, with_choices(word.summary, word.choices)});
  }
  out += lines.empty() ? "" : "\nArguments:\n" + lined_up(lines);
  lines.clear();
  for (const CommandRow& command : row.commands) {
    lines.push_back({command.name, command.summary});
  }
  out += lines.empty() ? "" : "\nCommands:\n" + lined_up(lines);
  lines.clear();
  for (const Flag& flag : row.flags) {
    lines.push_back({text_of(flag), with_choices(flag.summary, flag.choices)});
  }
  out += "\nOptions:\n" + lined_up(lines);
  return row.footer.empty() ? out : out + "\n" + row.footer + "\n";
}

std::string man_page(const CommandRow& root) {
  std::string out =
      ".TH SKEIN 1 \"\" \"Skein\" \"User Commands\"\n.SH NAME\nskein \\- " +
      escaped_for_man(root.summary) +
      "\n.SH SYNOPSIS\n.B skein\n.I COMMAND\n.RI [ OPTIONS ]\n.SH DESCRIPTION\n"
      "Every input of a run is written to its journal before it has an effect, so a run survives "
      "a\n"
      "crash, goes on where it was, and can be replayed, inspected and forked.\n.SH OPTIONS\n";
  for (const Flag& flag : root.flags) {
    append_man(out, text_of(flag), with_choices(flag.summary, flag.choices));
  }
  out += ".SH COMMANDS\n";
  for (const CommandRow* row : flattened(root)) {
    if (!row->commands.empty()) {
      continue;
    }
    out += ".SS " + escaped_for_man(usage_of(*row)) + "\n" + escaped_for_man(row->summary) + ".\n";
    for (const Word& word : row->words) {
      append_man(out, word.name, with_choices(word.summary, word.choices));
    }
    for (const Flag& flag : row->flags) {
      append_man(out, text_of(flag), with_choices(flag.summary, flag.choices));
    }
  }
  out += ".SH EXIT STATUS\n";
  for (const ExitCode& exit : kExitCodes) {
    append_man(out, std::to_string(exit.code), exit.meaning);
  }
  out += ".SH ENVIRONMENT\n";
  for (const Variable& variable : kVariables) {
    append_man(out, variable.name, variable.meaning);
  }
  return out +
         ".SH FILES\n.TP\n.I ~/.local/share/skein\nthe data directory where nothing else is said; "
         "one process at a time has it\n"
         ".SH DIAGNOSTICS\nErrors have a number, SKnnnn, with a page under docs/errors/ of the "
         "sources.\n";
}

std::string markdown_page(const CommandRow& root) {
  std::string out =
      "# Command line\n\nWritten by `skein help --markdown` from the commands themselves.\n\n"
      "Data goes to standard output, everything else to standard error. With `-o json` errors are\n"
      "JSON as well: `{\"error\":{\"code\":…,\"message\":…,\"hint\":…}}`.\n"
      "\n| Exit code | Meaning |\n|---|---|\n";
  for (const ExitCode& exit : kExitCodes) {
    out += "| " + std::to_string(exit.code) + " | " + std::string(exit.meaning) + " |\n";
  }
  out +=
      "\nOne process at a time has a data directory. While one goes on with a run, every command\n"
      "about that directory from another terminal ends with 3, also one that would look at the\n"
      "run, pause, cancel or answer it: stop the process with Ctrl-C (the run goes on with\n"
      "`skein run resume`), or wait for its end.\n"
      "\n| Variable | Meaning |\n|---|---|\n";
  for (const Variable& variable : kVariables) {
    out += "| `" + std::string(variable.name) + "` | " + std::string(variable.meaning) + " |\n";
  }
  out += "\nThese options go with every command:\n\n| | |\n|---|---|\n";
  for (const Flag& flag : root.flags) {
    out += "| `" + text_of(flag) + "` | " + for_table(with_choices(flag.summary, flag.choices)) +
           " |\n";
  }
  for (const CommandRow* row : flattened(root)) {
    if (row->commands.empty()) {
      append_markdown(out, *row);
    }
  }
  return out;
}

} // namespace skein::cli
