#include "cli/app.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>

#include "cli/commands.h"
#include "cli/version.h"
#include "core/base/nearest.h"

namespace skein::cli {
namespace {

std::filesystem::path default_data() {
  if (const char* data = std::getenv("SKEIN_DATA")) {
    return data;
  }
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home != nullptr ? home : ".") / ".local/share/skein";
}

struct Flags {
  std::string data = default_data().string();
  std::string format = "text";
  std::string log_level = "warn";
  bool quiet = false;
  bool no_color = false;
};

void set_up_log(const Flags& flags) {
  auto log =
      std::make_shared<spdlog::logger>("skein", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  log->set_level(spdlog::level::from_str(flags.log_level));
  spdlog::set_default_logger(std::move(log));
}

Context context_of(const Flags& flags) {
  static const std::vector<std::pair<std::string, Format>> kFormats{
      {"text", Format::text}, {"table", Format::text}, {"json", Format::json},
      {"yaml", Format::yaml}, {"wide", Format::wide},  {"name", Format::name}};
  Context context;
  context.data = flags.data;
  context.quiet = flags.quiet;
  const char* user = std::getenv("USER");
  context.user = user != nullptr ? user : "operator";
  for (const auto& [name, format] : kFormats) {
    if (name == flags.format) {
      context.format = format;
    }
  }
  return context;
}

void add_flags(CLI::App& app, Flags& flags) {
  app.add_option("--data", flags.data, "Data directory (SKEIN_DATA)");
  app.add_option("-o,--output", flags.format, "text, json, yaml, table, wide or name")
      ->check(CLI::IsMember({"text", "json", "yaml", "table", "wide", "name"}));
  app.add_option("--log-level", flags.log_level, "trace, debug, info, warn, error or off");
  app.add_flag("-q,--quiet", flags.quiet, "Nothing but data and errors");
  app.add_flag("--no-color", flags.no_color, "No colours (NO_COLOR)");
  app.fallthrough();
}

int wrong_usage(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  std::string hint = "see `skein --help`";
  if (argc > 1 && argv[1][0] != '-' &&
      std::find(names.begin(), names.end(), argv[1]) == names.end()) {
    const std::vector<std::string_view> known(names.begin(), names.end());
    if (const auto near = nearest(argv[1], known)) {
      hint = "did you mean `skein " + std::string(*near) + "`?";
    }
  }
  std::string what = error.what();
  std::replace(what.begin(), what.end(), '\n', ' ');
  return complain(Error{Code::usage_invalid, what, hint});
}

void add_version(CLI::App& app, Chosen& chosen) {
  app.add_subcommand("version", "What this binary is")->callback([&chosen] {
    chosen = [](const Context& context) {
      std::puts((context.format == Format::json ? version_json() : version_line()).c_str());
      return kDone;
    };
  });
}

} // namespace

int run(int argc, char** argv) {
  CLI::App app("Durable runs of agents, fleets and flows", "skein");
  Flags flags;
  Chosen chosen;
  add_flags(app, flags);
  app.set_version_flag("--version", version_line());
  app.require_subcommand(1);
  CLI::App* run = app.add_subcommand("run", "Run a flow, and look after runs");
  run->require_subcommand(1)->fallthrough();
  add_run_flow(*run, chosen);
  add_run_commands(*run, chosen);
  CLI::App* runs = app.add_subcommand("runs", "Lists of runs");
  runs->require_subcommand(1)->fallthrough();
  add_runs_list(*runs, chosen);
  CLI::App* flow = app.add_subcommand("flow", "The same, noun first");
  flow->require_subcommand(1)->fallthrough();
  add_run_commands(*flow, chosen);
  add_resource_commands(app, chosen);
  add_eval(app, chosen);
  add_doctor(app, chosen);
  add_version(app, chosen);
  for (CLI::App* group : {&app, run, runs, flow}) {
    for (CLI::App* command : group->get_subcommands([](const CLI::App*) { return true; })) {
      command->fallthrough();
    }
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& done) {
    return app.exit(done);
  } catch (const CLI::ParseError& error) {
    return wrong_usage(app, error, argc, argv);
  }
  set_up_log(flags);
  return chosen(context_of(flags));
}

} // namespace skein::cli
