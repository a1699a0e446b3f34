#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "cli/commands.h"
#include "cli/input.h"
#include "cli/resource/checked.h"
#include "cli/resource/named.h"

namespace skein::cli {
namespace {

struct Wanted {
  std::vector<std::string> files;
  bool lenient = false;
};

std::string noun_of(const std::string& kind) {
  const auto row = std::ranges::find(kinds(), kind, &KindRow::kind);
  return row == kinds().end() ? "" : row->name;
}

// Among what is checked together; what is applied already is nobody's to know here.
flow::KnowsFlow flows_of(const std::vector<Document>& documents) {
  std::vector<std::string> names;
  for (const Document& document : documents) {
    const Node* metadata = document.root.find("metadata");
    const Node* name = metadata != nullptr ? metadata->find("name") : nullptr;
    if (name != nullptr && name->scalar.is(Kind::string)) {
      names.emplace_back(name->scalar.as_string());
    }
  }
  return [names = std::move(names)](std::string_view flow) {
    return std::ranges::find(names, flow) != names.end();
  };
}

int validate(const Context& context, const Wanted& wanted) {
  const auto documents = documents_of(wanted.files);
  if (!documents) {
    return complain(documents.error());
  }
  int code = kDone;
  std::vector<Value> valid;
  const flow::KnowsFlow knows_flow = flows_of(*documents);
  for (const Document& document : *documents) {
    const auto found = checked_document(context, document, wanted.lenient, knows_flow);
    const std::string noun = noun_of(found.kind);
    if (found.name.empty()) {
      code = kWrongUsage;
    } else if (context.format == Format::name) {
      put(noun + "/" + found.name + "\n");
    } else if (!context.structured()) {
      put(document.file + ": " + noun + " " + found.name + " is valid\n");
    } else {
      valid.push_back(
          object({{"file", document.file}, {"kind", found.kind}, {"name", found.name}}));
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
  const std::string kind = node::kind_of(document);
  const std::string noun = noun_of(kind);
  const auto before = node.store().resource(kind, name);
  const auto row = node::apply_document(node.store(), document, now(), &node.tools(), lenient);
  if (!row) {
    return row.error();
  }
  const std::string what(came_to(before, *row));
  if (context.format == Format::name) {
    put(noun + "/" + row->name + "\n");
  } else if (!context.structured()) {
    put(noun + " " + row->name + ": revision " + std::to_string(row->revision) + ", " + what +
        "\n");
  }
  return object({{"kind", kind},
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
    auto found = checked_document(context, document, wanted.lenient);
    if (!found.name.empty()) {
      names.push_back(std::move(found.name));
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
