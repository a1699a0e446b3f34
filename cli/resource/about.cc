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

} // namespace

void add_about(CLI::App& app, Chosen& chosen) {
  app.add_subcommand("api-resources", "The kinds of resources")->callback([&chosen] {
    chosen = api_resources;
  });
}

} // namespace skein::cli
