#include <CLI/CLI.hpp>

#include "cli/run/one_run.h"

namespace skein::cli {
namespace {

int export_run(const Context& context, node::Node& node, const RunId& run) {
  const auto record = record_of(node.store(), run.get());
  const auto value = record ? node::export_of(node.store(), *record) : record.error();
  if (!value) {
    return complain(value.error());
  }
  print_value(context.format == Format::yaml ? Format::yaml : Format::json, *value);
  return kDone;
}

} // namespace

void add_export(CLI::App& run, Chosen& chosen) {
  CLI::App& command = add_on_run(run, chosen, "export",
                                 "The run, its definition and every entry, as JSON", export_run);
  command.footer("Example:\n  skein run export incident-1 > incident-1.json");
}

} // namespace skein::cli
