#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/input.h"
#include "cli/resource/named.h"
#include "cli/run/follow.h"

namespace skein::cli {
namespace {

struct Wanted {
  std::string flow;
  std::vector<std::string> input;
  std::string input_file;
  std::string id;
  std::vector<std::string> labels;
  bool lenient = false;
  bool watch = false;
  bool detach = false;
};

// A file is applied first; a name is taken from the data directory.
Result<flow::DefinitionPtr> definition_for(node::Node& node, const Wanted& wanted) {
  if (names_a_file(wanted.flow)) {
    const auto document = document_of(wanted.flow);
    return document
               ? node::apply_flow(node.store(), *document, now(), &node.tools(), wanted.lenient)
               : document.error();
  }
  const auto row = resource_of(node.store(), kinds().front(), wanted.flow);
  return row ? node::definition_of(node.store(), row->hash) : row.error();
}

Error of_input(Error error) {
  if (error.code == Code::schema_violation) {
    error.detail = "the input does not fit the flow: " + error.detail;
    error.hint =
        error.hint.empty() ? "give each field with -i NAME=VALUE, or all with -i JSON" : error.hint;
  }
  return error;
}

int run_flow(const Context& context, const Wanted& wanted) {
  const auto input = input_of(wanted.input, wanted.input_file);
  const auto labels = fields_of(wanted.labels);
  if (!input || !labels) {
    return complain(input ? labels.error() : input.error());
  }
  auto node = wanted.detach ? context.open_to_record() : context.open();
  const auto definition = node ? definition_for(**node, wanted) : node.error();
  if (!definition) {
    return complain(definition.error());
  }
  node::StartRequest request{*definition, *input, *labels, {}, {}};
  if (!wanted.id.empty()) {
    request.id = RunId(wanted.id);
  }
  const auto run = (*node)->start(request);
  if (!run) {
    return complain(of_input(run.error()));
  }
  if (wanted.detach) {
    put(run->get() + "\n");
    return kDone;
  }
  if (!context.quiet) {
    std::fprintf(stderr, "run %s\n", run->get().c_str());
  }
  return follow(context, **node, *run, {wanted.watch ? Show::tree : Show::progress, stderr});
}

} // namespace

void add_run_flow(CLI::App& parent, Chosen& chosen, const char* name) {
  auto wanted = std::make_shared<Wanted>();
  CLI::App* flow = parent.add_subcommand(name, "Run a flow from a file or by its name");
  flow->add_option("flow", wanted->flow, "File, - for standard input, or name of an applied flow")
      ->required()
      ->type_name("FILE");
  flow->add_option("-i,--input", wanted->input, "JSON, or NAME=VALUE as often as needed")
      ->type_name("INPUT");
  flow->add_option("--input-file", wanted->input_file, "File with the input as JSON")
      ->type_name("FILE");
  flow->add_option("--id", wanted->id, "Run id; starting it again is the same run")
      ->type_name("ID");
  flow->add_option("--label", wanted->labels, "Label of the run")->type_name("NAME=VALUE");
  flow->add_flag("--lenient", wanted->lenient, "Unknown keys are warnings");
  flow->add_flag("--watch", wanted->watch, "Draw the run while it goes on");
  flow->add_flag("--detach", wanted->detach, "Print the id as soon as the run is durable");
  flow->footer(
      "Example:\n  skein run flow deploy.yaml -i service=web -i replicas=3 --id deploy-42");
  flow->callback([wanted, &chosen] {
    chosen = [wanted](const Context& context) { return run_flow(context, *wanted); };
  });
}

} // namespace skein::cli
