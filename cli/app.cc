#include "cli/app.h"

#include <fcntl.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>

#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/contexts.h"
#include "cli/event/asking.h"
#include "cli/help/pages.h"
#include "cli/help/usage_error.h"
#include "cli/log.h"
#include "cli/version.h"

namespace skein::cli {
namespace {

std::filesystem::path default_data() {
  if (const char* data = std::getenv("SKEIN_DATA"); data != nullptr && *data != '\0') {
    return data;
  }
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home != nullptr ? home : ".") / ".local/share/skein";
}

struct Flags {
  std::string data;
  std::string context;
  std::string format = "text";
  std::string log_level;
  std::string log_format = "text";
  bool quiet = false;
  bool no_color = false;
};

// What a flag says goes before the environment, and that before the contexts. A mistake in their
// file is one only for commands that go by it.
void find_place(const Flags& flags, Context& context) {
  context.data_given = !flags.data.empty();
  context.data = default_data();
  const char* from_environment = std::getenv("SKEIN_DATA");
  if (flags.context.empty() &&
      (context.data_given || (from_environment != nullptr && *from_environment != '\0'))) {
    context.data = context.data_given ? std::filesystem::path(flags.data) : context.data;
    return;
  }
  if (context.data_given) {
    context.data = flags.data; // a context is being made, or this is a mistake
    context.trouble =
        Error{Code::usage_invalid, "--context and --data name two places", "leave one of them out"};
    return;
  }
  const auto contexts = read_contexts();
  if (!contexts) {
    context.trouble = contexts.error();
    return;
  }
  const std::string name = flags.context.empty() ? contexts->current : flags.context;
  if (name.empty()) {
    return;
  }
  const auto named = context_named(*contexts, name);
  if (!named) {
    context.trouble = named.error();
    return;
  }
  context.name = named->name;
  context.server = named->server;
  context.token = named->token;
  if (!named->data.empty()) {
    context.data = named->data;
  }
}

Context context_of(const Flags& flags) {
  static const std::vector<std::pair<std::string, Format>> kFormats{
      {"text", Format::text}, {"table", Format::text}, {"json", Format::json},
      {"yaml", Format::yaml}, {"wide", Format::wide},  {"name", Format::name}};
  Context context;
  find_place(flags, context);
  context.quiet = flags.quiet;
  const char* no_color = std::getenv("NO_COLOR");
  context.colour = !flags.no_color && (no_color == nullptr || *no_color == '\0');
  context.log_level = flags.log_level;
  const char* user = std::getenv("USER");
  context.user = user != nullptr && *user != '\0' ? user : "operator";
  for (const auto& [name, format] : kFormats) {
    if (name == flags.format) {
      context.format = format;
    }
  }
  return context;
}

void add_flags(CLI::App& app, Flags& flags) {
  app.set_help_flag("-h,--help", "What a command does");
  app.add_option("--data", flags.data,
                 "Data directory; else that of SKEIN_DATA, else ~/.local/share/skein")
      ->type_name("DIR")
      ->check(not_empty());
  app.add_option("--context", flags.context, "Node or data directory by name; see `skein config`")
      ->type_name("NAME")
      ->check(not_empty());
  app.add_option("-o,--output", flags.format, "How results are printed")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"text", "json", "yaml", "table", "wide", "name"}));
  app.add_option("--log-level", flags.log_level, "What is logged to standard error")
      ->type_name("LEVEL")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}));
  app.add_option("--log-format", flags.log_format, "How it is logged: text, or JSON lines")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"text", "json"}));
  app.add_flag("-q,--quiet", flags.quiet, "Nothing but data and errors");
  app.add_flag("--no-color", flags.no_color, "No colours");
  app.set_version_flag("--version", version_line(), "What this binary is");
}

void add_version(CLI::App& app, Chosen& chosen) {
  app.add_subcommand("version", "What this binary is")->callback([&chosen] {
    chosen = [](const Context& context) {
      put((context.format == Format::json ? version_json() : version_line()) + "\n");
      return kDone;
    };
  });
}

CLI::App& group(CLI::App& app, const char* name, const char* summary) {
  return *app.add_subcommand(name, summary)->require_subcommand(1);
}

void add_runs(CLI::App& app, Chosen& chosen) {
  CLI::App& run = group(app, "run", "Run a flow, and look after runs");
  add_run_flow(run, chosen, "flow");
  for (const auto add :
       {add_status, add_watch, add_logs, add_history, add_answers, add_pause, add_resume,
        add_cancel, add_retry, add_replay, add_fork, add_run_diff, add_export}) {
    add(run, chosen);
  }
  add_runs_list(group(app, "runs", "Lists of runs"), chosen);
  add_resume(app, chosen);
}

void add_flow(CLI::App& app, Chosen& chosen) {
  CLI::App& flow = group(app, "flow", "The same, noun first");
  add_files(flow, chosen);
  add_diff(flow, chosen);
  add_resources(flow, chosen, Noun::flow);
  add_revisions(flow, chosen);
  add_visualize(flow, chosen);
  add_run_flow(flow, chosen, "run");
  for (const auto add : {add_status, add_logs, add_watch, add_pause, add_resume, add_cancel}) {
    add(flow, chosen);
  }
}

void let_global_flags_stand_anywhere(CLI::App& app) {
  app.fallthrough();
  for (CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    let_global_flags_stand_anywhere(*command);
  }
}

// The parsed command whose page was asked for.
const CLI::App& deepest(const CLI::App& app) {
  const auto parsed = app.get_subcommands();
  return parsed.empty() ? app : deepest(*parsed.front());
}

std::string path_above(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  if (parent == nullptr) {
    return "";
  }
  const std::string above = path_above(*parent);
  return above.empty() ? parent->get_name() : above + " " + parent->get_name();
}

// A database that opens as number 1 would receive what is printed.
void fill_standard_files() {
  for (const int file : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(file, F_GETFD) < 0) {
      ::open("/dev/null", file == STDERR_FILENO ? O_WRONLY : O_RDONLY);
    }
  }
}

// So that a reader that goes away fails a write. Not ignored: commands that tools start would
// inherit that.
void survive_closed_pipes() {
  std::signal(SIGPIPE, [](int) {});
}

bool asks_for_json(const std::vector<std::string>& words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool separate = (words[i] == "-o" || words[i] == "--output") && i + 1 < words.size();
    if (words[i] == "-ojson" || words[i] == "--output=json" ||
        (separate && words[i + 1] == "json")) {
      return true;
    }
  }
  return false;
}

} // namespace

void add_commands(CLI::App& app, Chosen& chosen) {
  app.require_subcommand(1);
  add_runs(app, chosen);
  add_files(app, chosen);
  add_diff(app, chosen);
  add_resources(app, chosen, Noun::any);
  add_flow(app, chosen);
  add_triggers(app, chosen);
  add_events(app, chosen);
  add_about(app, chosen);
  add_eval(app, chosen);
  add_serve(app, chosen);
  add_node(app, chosen);
  add_cluster(app, chosen);
  add_config(app, chosen);
  add_doctor(app, chosen);
  add_help(app, chosen);
  add_version(app, chosen);
  let_global_flags_stand_anywhere(app);
}

int run(int argc, char** argv) {
  fill_standard_files();
  survive_closed_pipes();
  CLI::App app("run durable flows, agents and fleets", "skein");
  Flags flags;
  Chosen chosen;
  add_flags(app, flags);
  add_commands(app, chosen);
  const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  errors_as_json(asks_for_json(words));
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::CallForHelp&) {
    const CLI::App& asked = deepest(app);
    put(help_page(row_of(asked, path_above(asked))));
    return finish_output(kDone);
  } catch (const CLI::Success& done) {
    put(std::string(done.what()) + "\n");
    return finish_output(kDone);
  } catch (const CLI::ParseError& error) {
    return complain(usage_error(app, words, error.what()));
  }
  set_up_log(flags.log_level.empty() ? "warn" : flags.log_level, flags.log_format == "json");
  return finish_output(chosen(context_of(flags)));
}

} // namespace skein::cli
