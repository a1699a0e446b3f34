#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <optional>

#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/input.h"
#include "cli/resource/checked.h"
#include "cli/resource/named.h"
#include "cli/run/follow.h"
#include "cli/run/one_run.h"

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
Result<flow::DefinitionPtr> definition_for(node::Node& node, const Wanted& wanted,
                                           const std::optional<Document>& file) {
  if (file) {
    return node::apply_flow(node.store(), *file, now(), &node.tools(), wanted.lenient);
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

// A file that is wrong, or an input that does not fit it, changes nothing in the data directory.
int check_file(const Context& context, const Document& file, const Value& input, bool lenient) {
  const auto definition = checked(context, file, lenient);
  if (!definition) {
    return kWrongUsage;
  }
  const auto fits = node::check_input(*definition, input);
  return fits ? kDone : complain(of_input(fits.error()));
}

int start(const Context& context, const Wanted& wanted, const Value& input, const Value& labels,
          const std::optional<Document>& file) {
  const auto node = wanted.detach ? context.open(file.has_value())
                    : file        ? context.make_and_work()
                                  : context.open_to_work();
  const auto definition = node ? definition_for(**node, wanted, file) : node.error();
  if (!definition) {
    return complain(definition.error());
  }
  node::StartRequest request{*definition, input, labels, {}, {}};
  if (!wanted.id.empty()) {
    request.id = RunId(wanted.id);
  }
  const auto run = (*node)->start(request);
  if (!run) {
    return complain(of_input(run.error()));
  }
  if (wanted.detach) {
    return show_detached(context, **node, *run);
  }
  if (!context.quiet) {
    std::fprintf(stderr, "run %s\n", run->get().c_str());
  }
  return follow(context, **node, *run, {wanted.watch ? Show::tree : Show::progress, stderr});
}

int run_flow(const Context& context, const Wanted& wanted) {
  const auto input = input_of(wanted.input, wanted.input_file);
  const auto labels = fields_of(wanted.labels);
  if (!input || !labels) {
    return complain(input ? labels.error() : input.error());
  }
  std::optional<Document> file;
  if (names_a_file(wanted.flow)) {
    auto document = document_of(wanted.flow);
    if (!document) {
      return complain(document.error());
    }
    if (const int code = check_file(context, *document, *input, wanted.lenient); code != kDone) {
      return code;
    }
    file = std::move(*document);
  }
  return start(context, wanted, *input, *labels, file);
}

} // namespace

void add_run_flow(CLI::App& parent, Chosen& chosen, const char* name) {
  auto wanted = std::make_shared<Wanted>();
  CLI::App* flow =
      parent.add_subcommand(name, "Run a flow from a file, which applies it, or by its name");
  flow->add_option("flow", wanted->flow, "File, - for standard input, or name of an applied flow")
      ->required()
      ->type_name("FILE");
  flow->add_option("-i,--input", wanted->input, "JSON, or NAME=VALUE as often as needed")
      ->type_name("INPUT")
      ->allow_extra_args(false);
  flow->add_option("--input-file", wanted->input_file, "File with the input as JSON")
      ->type_name("FILE")
      ->check(not_empty());
  flow->add_option("--id", wanted->id, "Run id; starting it again is the same run")
      ->type_name("ID")
      ->check(not_empty());
  flow->add_option("--label", wanted->labels, "Label of the run")->type_name("NAME=VALUE");
  flow->add_flag("--lenient", wanted->lenient, "Unknown keys are warnings");
  flow->add_flag("--watch", wanted->watch, "Draw the run while it goes on");
  flow->add_flag("--detach", wanted->detach,
                 "Record the run and print its id; `skein run resume` starts it");
  flow->footer(
      "A file is applied first, as by `skein apply`: it becomes the newest revision of the flow of "
      "that name.\n\nExample:\n  skein run flow deploy.yaml -i service=web -i replicas=3 --id "
      "deploy-42");
  flow->callback([wanted, &chosen] {
    chosen = [wanted](const Context& context) { return run_flow(context, *wanted); };
  });
}

} // namespace skein::cli
