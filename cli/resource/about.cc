#include <unistd.h>

#include <CLI/CLI.hpp>

#include "cli/resource/named.h"

namespace skein::cli {
namespace {

int api_resources(const Context& context) {
  std::vector<Value> values;
  std::vector<std::vector<std::string>> rows{{"NAME", "KIND", "APIVERSION", "WHAT IT IS"}};
  for (const KindRow& kind : kinds()) {
    rows.push_back({kind.plural, kind.kind, kind.version, kind.summary});
    values.push_back(object({{"name", kind.plural},
                             {"kind", kind.kind},
                             {"apiVersion", kind.version},
                             {"summary", kind.summary}}));
    if (context.format == Format::name) {
      put(std::string(kind.plural) + "\n");
    }
  }
  if (context.structured()) {
    print_value(context.format, Value::of_list(std::move(values)));
  } else if (context.format != Format::name) {
    put(table(rows));
  }
  return kDone;
}

Value list_of(const std::vector<std::string>& words) {
  return Value::of_list(std::vector<Value>(words.begin(), words.end()));
}

// Refuses what every other command refuses.
int config_view(const Context& context) {
  const auto settings = context.settings();
  if (!settings) {
    return complain(settings.error());
  }
  std::error_code ignored;
  const Value value = object(
      {{"data", context.data.string()},
       {"data_exists", std::filesystem::exists(context.data, ignored)},
       {"log_level", context.log_level},
       {"colour", context.colour && ::isatty(STDOUT_FILENO) != 0},
       {"user", context.user},
       {"tools", object({{"sandbox", settings->sandbox ? "bubblewrap" : "none"},
                         {"shell_unsandboxed", settings->shell_unsandboxed ? "allow" : "deny"},
                         {"shell_network", settings->shell_network ? "allow" : "deny"},
                         {"shell_commands", settings->shell_commands.empty()
                                                ? Value("any")
                                                : list_of(settings->shell_commands)},
                         {"shell_environment", list_of(settings->shell_environment)},
                         {"http_allow", list_of(settings->http_allow)}})}});
  print_value(context.format == Format::json ? Format::json : Format::yaml, value);
  return kDone;
}

} // namespace

void add_about(CLI::App& app, Chosen& chosen) {
  app.add_subcommand("api-resources", "The kinds of resources")->callback([&chosen] {
    chosen = api_resources;
  });
  CLI::App* config = app.add_subcommand("config", "What this command goes by");
  config->require_subcommand(1)
      ->add_subcommand("view", "What flags and environment came to")
      ->callback([&chosen] { chosen = config_view; });
}

} // namespace skein::cli
