#include <CLI/CLI.hpp>
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
  std::vector<Value> valid;
  for (const Document& document : *documents) {
    const auto definition = checked(context, document, wanted.lenient);
    if (!definition) {
      code = kWrongUsage;
    } else if (context.format == Format::name) {
      put("flow/" + definition->name + "\n");
    } else if (!context.structured()) {
      put(document.file + ": flow " + definition->name + " is valid\n");
    } else {
      valid.push_back(
          object({{"file", document.file}, {"kind", "Flow"}, {"name", definition->name}}));
    }
  }
  if (context.structured()) {
    print_value(context, Value::of_list(std::move(valid)));
  }
  return code;
}

// "created", "changed" or "unchanged", by what there was before.
std::string_view came_to(const Result<ResourceRow>& before, const ResourceRow& after) {
  return !before ? "created" : before->revision == after.revision ? "unchanged" : "changed";
}

Result<Value> apply_one(const Context& context, node::Node& node, const Document& document,
                        const std::string& name, bool lenient) {
  const auto before = node.store().resource("Flow", name);
  const auto definition = node::apply_flow(node.store(), document, now(), &node.tools(), lenient);
  const auto row =
      definition ? node.store().resource("Flow", (*definition)->name) : definition.error();
  if (!row) {
    return row.error();
  }
  const std::string what(came_to(before, *row));
  if (context.format == Format::name) {
    put("flow/" + row->name + "\n");
  } else if (!context.structured()) {
    put("flow " + row->name + ": revision " + std::to_string(row->revision) + ", " + what + "\n");
  }
  return object({{"kind", "Flow"},
                 {"name", row->name},
                 {"revision", static_cast<std::int64_t>(row->revision)},
                 {"hash", to_string(row->hash)},
                 {"applied_at", to_string(row->applied_at)},
                 {"result", what}});
}

// All or nothing: a file that is wrong keeps the others from being applied.
int apply(const Context& context, const Wanted& wanted) {
  const auto documents = documents_of(wanted.files);
  if (!documents) {
    return complain(documents.error());
  }
  std::vector<std::string> names;
  for (const Document& document : *documents) {
    if (const auto definition = checked(context, document, wanted.lenient)) {
      names.push_back(definition->name);
    }
  }
  if (names.size() < documents->size()) {
    return kWrongUsage;
  }
  auto node = context.open(true);
  if (!node) {
    return complain(node.error());
  }
  std::vector<Value> applied;
  for (std::size_t i = 0; i < names.size(); ++i) {
    auto row = apply_one(context, **node, (*documents)[i], names[i], wanted.lenient);
    if (!row) {
      return complain(row.error());
    }
    applied.push_back(std::move(*row));
  }
  if (context.structured()) {
    print_value(context, Value::of_list(std::move(applied)));
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
