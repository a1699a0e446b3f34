#include <CLI/CLI.hpp>
#include <memory>

#include "cli/draw/picture.h"
#include "cli/input.h"
#include "cli/resource/named.h"
#include "core/flow/loader.h"
#include "schemas/yaml.h"

namespace skein::cli {
namespace {

struct Wanted {
  std::string flow;
  std::string format = "ascii";
};

Result<Document> applied(const Context& context, const std::string& name) {
  const auto node = context.open();
  const auto row = node ? resource_of((*node)->store(), kinds().front(), name) : node.error();
  if (!row) {
    return row.error();
  }
  auto documents = schemas::read_yaml(row->content, "flow " + name);
  return documents ? Result<Document>(std::move(documents->front())) : documents.error();
}

int visualize(const Context& context, const Wanted& wanted) {
  const auto document =
      names_a_file(wanted.flow) ? document_of(wanted.flow) : applied(context, wanted.flow);
  if (!document) {
    return complain(document.error());
  }
  flow::LoadOptions options;
  options.lenient = true; // a drawing of what is there
  const flow::Loaded loaded = flow::load(*document, options);
  if (!loaded.definition) {
    for (const flow::Finding& finding : loaded.findings) {
      if (!finding.warning) {
        complain(finding.error);
      }
    }
    return kWrongUsage;
  }
  const FlowPicture picture = picture_of(*loaded.definition, *document);
  put(wanted.format == "dot"       ? to_dot(picture)
      : wanted.format == "mermaid" ? to_mermaid(picture)
                                   : to_ascii(picture));
  return kDone;
}

} // namespace

void add_visualize(CLI::App& flow, Chosen& chosen) {
  auto wanted = std::make_shared<Wanted>();
  CLI::App* command = flow.add_subcommand("visualize", "Draw a flow");
  command->add_option("flow", wanted->flow, "File, or name of an applied flow")
      ->required()
      ->type_name("FILE");
  command->add_option("-o,--output", wanted->format, "How it is drawn")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"ascii", "dot", "mermaid"}));
  command->footer("Example:\n  skein flow visualize deploy.yaml -o dot | dot -Tsvg > deploy.svg");
  command->callback([wanted, &chosen] {
    chosen = [wanted](const Context& context) { return visualize(context, *wanted); };
  });
}

} // namespace skein::cli
