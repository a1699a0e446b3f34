#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "cli/commands.h"
#include "cli/input.h"
#include "cli/resource/checked.h"

namespace skein::cli {
namespace {

struct Wanted {
  std::vector<std::string> files;
  bool lenient = false;
};

int validate(const Context& context, const Wanted& wanted) {
  const auto documents = documents_of(wanted.files);
  if (!documents) {
    return complain(documents.error());
  }
  int code = kDone;
  for (const Document& document : *documents) {
    if (const auto definition = checked(context, document, wanted.lenient)) {
      put(document.file + ": flow " + definition->name + " is valid\n");
    } else {
      code = kWrongUsage;
    }
  }
  return code;
}

// All or nothing: a file that is wrong keeps the others from being applied.
int apply(const Context& context, const Wanted& wanted) {
  const auto documents = documents_of(wanted.files);
  if (!documents) {
    return complain(documents.error());
  }
  const auto wrong = std::count_if(
      documents->begin(), documents->end(),
      [&](const Document& document) { return !checked(context, document, wanted.lenient); });
  if (wrong > 0) {
    return kWrongUsage;
  }
  auto node = context.open_or_make();
  if (!node) {
    return complain(node.error());
  }
  for (const Document& document : *documents) {
    const auto definition =
        node::apply_flow((*node)->store(), document, now(), &(*node)->tools(), wanted.lenient);
    if (!definition) {
      return complain(definition.error());
    }
    const auto row = (*node)->store().resource("Flow", (*definition)->name);
    put("flow " + (*definition)->name + ": revision " + std::to_string(row ? row->revision : 0) +
        "\n");
  }
  return kDone;
}

using Act = int (*)(const Context&, const Wanted&);

void add(CLI::App& app, Chosen& chosen, const char* name, const char* summary, Act act) {
  auto wanted = std::make_shared<Wanted>();
  CLI::App* command = app.add_subcommand(name, summary);
  command->add_option("-f,--file", wanted->files, "File, directory, or - for standard input")
      ->required()
      ->type_name("FILE");
  command->add_flag("--lenient", wanted->lenient, "Unknown keys are warnings");
  command->callback([wanted, act, &chosen] {
    chosen = [wanted, act](const Context& context) { return act(context, *wanted); };
  });
}

} // namespace

void add_files(CLI::App& app, Chosen& chosen) {
  add(app, chosen, "apply", "Store new revisions of resources", apply);
  add(app, chosen, "validate", "Check files", validate);
}

} // namespace skein::cli
