#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "cli/commands.h"
#include "core/flow/loader.h"
#include "core/value/json.h"
#include "node/system_clock.h"
#include "schemas/yaml.h"

namespace skein::cli {
namespace {

// Files as named; of a directory its YAML and JSON files, by name.
Result<std::vector<Document>> documents_of(const std::vector<std::string>& names) {
  std::vector<std::string> files;
  for (const std::string& name : names) {
    std::error_code ignored;
    if (!std::filesystem::is_directory(name, ignored)) {
      files.push_back(name);
      continue;
    }
    std::vector<std::string> inside;
    for (const auto& entry : std::filesystem::directory_iterator(name, ignored)) {
      const std::string extension = entry.path().extension();
      if (extension == ".yaml" || extension == ".yml" || extension == ".json") {
        inside.push_back(entry.path());
      }
    }
    std::sort(inside.begin(), inside.end());
    files.insert(files.end(), inside.begin(), inside.end());
  }
  std::vector<Document> all;
  for (const std::string& file : files) {
    const auto text = read_file(file);
    if (!text) {
      return text.error();
    }
    auto documents = schemas::read_yaml(*text, file);
    if (!documents) {
      return documents.error();
    }
    std::move(documents->begin(), documents->end(), std::back_inserter(all));
  }
  return all;
}

int validate(const std::vector<std::string>& files, bool lenient) {
  const auto documents = documents_of(files);
  if (!documents) {
    return complain(documents.error());
  }
  int code = kDone;
  for (const Document& document : *documents) {
    flow::LoadOptions options;
    options.lenient = lenient;
    const flow::Loaded loaded = flow::load(document, options);
    for (const flow::Finding& finding : loaded.findings) {
      std::fprintf(stderr, "%s: %s\n", finding.warning ? "warning" : "error",
                   harmless(to_string(finding.error)).c_str());
    }
    if (!loaded.definition) {
      code = kWrongUsage;
    } else {
      std::printf("%s: flow %s is valid\n", document.file.c_str(), loaded.definition->name.c_str());
    }
  }
  return code;
}

int apply(const Context& context, const std::vector<std::string>& files, bool lenient) {
  const auto documents = documents_of(files);
  auto node = documents ? context.open() : Result<std::unique_ptr<node::Node>>(documents.error());
  if (!node) {
    return complain(node.error());
  }
  for (const Document& document : *documents) {
    const auto definition = node::apply_flow((*node)->store(), document, node::SystemClock().now(),
                                             &(*node)->tools(), lenient);
    if (!definition) {
      return complain(definition.error());
    }
    const auto row = (*node)->store().resource("Flow", (*definition)->name);
    std::printf("flow %s: revision %llu\n", (*definition)->name.c_str(),
                row ? static_cast<unsigned long long>(row->revision) : 0ULL);
  }
  return kDone;
}

Value value_of(const ResourceRow& row) {
  const auto content = parse_json(row.content);
  return object({{"name", row.name},
                 {"revision", static_cast<std::int64_t>(row.revision)},
                 {"hash", to_string(row.hash)},
                 {"applied_at", to_string(row.applied_at)},
                 {"resource", content ? *content : Value()}});
}

int get(const Context& context, const std::string& name) {
  auto node = context.open();
  if (!node) {
    return complain(node.error());
  }
  std::vector<ResourceRow> found;
  if (name.empty()) {
    auto all = (*node)->store().list_resources("Flow");
    if (!all) {
      return complain(all.error());
    }
    found = std::move(*all);
  } else {
    auto one = (*node)->store().resource("Flow", name);
    if (!one) {
      return complain(one.error());
    }
    found.push_back(std::move(*one));
  }
  std::vector<Value> values;
  std::vector<std::vector<std::string>> rows{{"NAME", "REVISION", "APPLIED"}};
  for (const ResourceRow& row : found) {
    values.push_back(value_of(row));
    rows.push_back({row.name, std::to_string(row.revision), to_string(row.applied_at)});
  }
  if (context.format == Format::json || context.format == Format::yaml) {
    print_value(context, name.empty() ? Value::of_list(std::move(values)) : values.front());
  } else {
    std::fputs(table(rows).c_str(), stdout);
  }
  return kDone;
}

int describe(const Context& context, const std::string& name) {
  auto node = context.open();
  const auto row = node ? (*node)->store().resource("Flow", name) : node.error();
  if (!row) {
    return complain(row.error());
  }
  std::fputs(harmless(to_yaml(value_of(*row))).c_str(), stdout);
  return kDone;
}

int remove(const Context& context, const std::string& name) {
  auto node = context.open();
  const auto row = node ? (*node)->store().delete_resource("Flow", name, node::SystemClock().now())
                        : node.error();
  if (!row) {
    return complain(row.error());
  }
  std::printf("flow %s deleted\n", name.c_str());
  return kDone;
}

void check_kind(const std::string& kind) {
  if (kind != "flow" && kind != "flows" && kind != "Flow") {
    throw CLI::ValidationError("kind", "this version knows the kind flow, not " + kind);
  }
}

} // namespace

void add_resource_commands(CLI::App& app, Chosen& chosen) {
  struct Wanted {
    std::vector<std::string> files;
    std::string kind;
    std::string name;
    bool lenient = false;
  };
  for (const bool applies : {true, false}) {
    auto wanted = std::make_shared<Wanted>();
    CLI::App* command =
        app.add_subcommand(applies ? "apply" : "validate",
                           applies ? "Store new revisions of resources" : "Check files");
    command->add_option("-f,--file", wanted->files, "File, directory, or - for standard input")
        ->required();
    command->add_flag("--lenient", wanted->lenient, "Unknown keys are warnings");
    command->callback([wanted, applies, &chosen] {
      chosen = [wanted, applies](const Context& context) {
        return applies ? apply(context, wanted->files, wanted->lenient)
                       : validate(wanted->files, wanted->lenient);
      };
    });
  }
  using Act = int (*)(const Context&, const std::string&);
  struct Row {
    const char* name;
    const char* summary;
    Act act;
    bool named;
  };
  for (const Row& row :
       {Row{"get", "List resources, or show one", get, false},
        Row{"describe", "Everything about one resource", describe, true},
        Row{"delete", "Delete a resource; runs in flight keep theirs", remove, true}}) {
    auto wanted = std::make_shared<Wanted>();
    CLI::App* command = app.add_subcommand(row.name, row.summary);
    command->add_option("kind", wanted->kind, "flow")->required();
    command->add_option("name", wanted->name, "Name")->required(row.named);
    command->callback([wanted, act = row.act, &chosen] {
      check_kind(wanted->kind);
      chosen = [wanted, act](const Context& context) { return act(context, wanted->name); };
    });
  }
}

} // namespace skein::cli
