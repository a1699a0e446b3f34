#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>
#include <memory>
#include <vector>

#include "cli/input.h"
#include "cli/resource/checked.h"
#include "cli/resource/named.h"
#include "cli/text_diff.h"
#include "core/flow/loader.h"
#include "core/value/json.h"

namespace skein::cli {
namespace {

std::string yaml_of(const std::string& content) {
  const auto value = parse_json(content);
  return value ? to_yaml(*value) : content;
}

// kDone where nothing would change, kFailed where something would.
int diff_one(const Store& store, const node::CheckedDocument& checked, const Document& document) {
  const std::string& name = checked.name;
  const auto row = store.resource(checked.kind, name);
  if (!row && row.error().code != Code::resource_unknown) {
    return complain(row.error());
  }
  const std::string text =
      text_diff(row ? yaml_of(row->content) : "", yaml_of(flow::canonical_text(document)));
  if (text.empty()) {
    return kDone;
  }
  const std::string noun = checked.kind == "Flow" ? "flow " : "trigger ";
  put("--- " + noun + name +
      (row ? ", revision " + std::to_string(row->revision) : ", not applied") + "\n+++ " +
      document.file + "\n" + harmless(text));
  return kFailed;
}

struct Wanted {
  std::vector<std::string> files;
  bool lenient = false;
};

int diff(const Context& context, const Wanted& wanted) {
  const auto documents = documents_of(wanted.files);
  if (!documents) {
    return complain(documents.error());
  }
  std::vector<node::CheckedDocument> all;
  for (const Document& document : *documents) {
    all.push_back(checked_document(context, document, wanted.lenient));
  }
  const auto wrong = std::ranges::count(all, std::string(), &node::CheckedDocument::name);
  int code = wrong > 0 ? kWrongUsage : kDone;
  if (wrong == std::ssize(all)) {
    return code;
  }
  const auto node = context.open();
  if (!node) {
    return complain(node.error());
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!all[i].name.empty()) {
      code = std::max(code, diff_one((*node)->store(), all[i], (*documents)[i]));
    }
  }
  return code;
}

} // namespace

void add_diff(CLI::App& app, Chosen& chosen) {
  auto wanted = std::make_shared<Wanted>();
  CLI::App* command = app.add_subcommand("diff", "What apply would change");
  command->add_option("-f,--file", wanted->files, "File, directory, or - for standard input")
      ->required()
      ->type_name("FILE");
  command->add_flag("--lenient", wanted->lenient, "Unknown keys are warnings");
  command->footer("The exit code is 1 where something would change.");
  command->callback([wanted, &chosen] {
    chosen = [wanted](const Context& context) { return diff(context, *wanted); };
  });
}

} // namespace skein::cli
