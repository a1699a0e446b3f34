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

int config_view(const Context& context) {
  std::error_code ignored;
  const Value value = object({{"data", context.data.string()},
                              {"data_exists", std::filesystem::exists(context.data, ignored)},
                              {"log_level", context.log_level},
                              {"colour", context.colour},
                              {"user", context.user}});
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
