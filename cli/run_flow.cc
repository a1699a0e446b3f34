#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/commands.h"
#include "core/value/json.h"
#include "node/system_clock.h"
#include "schemas/yaml.h"

namespace skein::cli {
namespace {

struct Wanted {
  std::string flow;
  std::vector<std::string> input;
  std::string input_file;
  std::string id;
  std::vector<std::string> labels;
  bool detach = false;
};

// A file is applied first; a name is taken from the data directory.
Result<flow::DefinitionPtr> definition_for(node::Node& node, const std::string& flow) {
  if (flow == "-" || flow.find('/') != std::string::npos || flow.ends_with(".yaml") ||
      flow.ends_with(".yml") || flow.ends_with(".json")) {
    const auto text = read_file(flow);
    if (!text) {
      return text.error();
    }
    const auto documents = schemas::read_yaml(*text, flow);
    if (!documents) {
      return documents.error();
    }
    if (documents->size() != 1) {
      return Error{Code::usage_invalid,
                   flow + " has " + std::to_string(documents->size()) + " documents, not one flow",
                   "apply it with `skein apply -f " + flow + "` and run one by its name"};
    }
    return node::apply_flow(node.store(), documents->front(), node::SystemClock().now(),
                            &node.tools());
  }
  const auto row = node.store().resource("Flow", flow);
  return row ? node::definition_of(node.store(), row->hash) : row.error();
}

int run_flow(const Context& context, const Wanted& wanted) {
  const auto input = input_of(wanted.input, wanted.input_file);
  const auto labels = fields_of(wanted.labels);
  if (!input || !labels) {
    return complain(input ? labels.error() : input.error());
  }
  auto node = context.open();
  if (!node) {
    return complain(node.error());
  }
  const auto definition = definition_for(**node, wanted.flow);
  if (!definition) {
    return complain(definition.error());
  }
  node::StartRequest request{*definition, *input, *labels, {}, {}};
  if (!wanted.id.empty()) {
    request.id = RunId(wanted.id);
  }
  const auto run = (*node)->start(request);
  if (!run) {
    return complain(run.error());
  }
  if (wanted.detach) {
    std::puts(run->get().c_str());
    return kDone;
  }
  if (!context.quiet) {
    std::fprintf(stderr, "run %s\n", run->get().c_str());
  }
  return follow(context, **node, *run);
}

} // namespace

void add_run_flow(CLI::App& run, Chosen& chosen) {
  auto wanted = std::make_shared<Wanted>();
  CLI::App* flow = run.add_subcommand("flow", "Run a flow from a file or by its name");
  flow->add_option("flow", wanted->flow, "FILE or NAME")->required();
  flow->add_option("-i,--input", wanted->input, "JSON, or NAME=VALUE as often as needed");
  flow->add_option("--input-file", wanted->input_file, "File with the input as JSON");
  flow->add_option("--id", wanted->id, "Run id; starting it again is the same run");
  flow->add_option("--label", wanted->labels, "NAME=VALUE");
  flow->add_flag("--detach", wanted->detach, "Print the id as soon as the run is durable");
  flow->callback([wanted, &chosen] {
    chosen = [wanted](const Context& context) { return run_flow(context, *wanted); };
  });
}

} // namespace skein::cli
