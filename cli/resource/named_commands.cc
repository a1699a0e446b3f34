#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "cli/resource/named.h"

namespace skein::cli {
namespace {

int print_all(const Context& context, const KindRow& kind, const std::vector<ResourceRow>& found,
              bool one) {
  std::vector<Value> values;
  std::vector<std::vector<std::string>> rows{{"NAME", "REVISION", "APPLIED"}};
  if (context.format == Format::wide) {
    rows[0].push_back("HASH");
  }
  for (const ResourceRow& row : found) {
    values.push_back(to_value(row));
    rows.push_back({row.name, std::to_string(row.revision), to_string(row.applied_at)});
    if (context.format == Format::wide) {
      rows.back().push_back(to_string(row.hash));
    }
    if (context.format == Format::name) {
      put(std::string(kind.name) + "/" + row.name + "\n");
    }
  }
  if (context.structured()) {
    print_value(context.format, one ? values.front() : Value::of_list(std::move(values)));
  } else if (context.format != Format::name) {
    put(table(rows));
  }
  return kDone;
}

int get(const Context& context, const KindRow& kind, const std::string& name) {
  auto node = context.open();
  if (!node) {
    return complain(node.error());
  }
  if (name.empty()) {
    const auto all = (*node)->store().list_resources(kind.kind);
    return all ? print_all(context, kind, *all, false) : complain(all.error());
  }
  auto one = resource_of((*node)->store(), kind, name);
  return one ? print_all(context, kind, {std::move(*one)}, true) : complain(one.error());
}

int describe(const Context& context, const KindRow& kind, const std::string& name) {
  auto node = context.open();
  const auto row = node ? resource_of((*node)->store(), kind, name) : node.error();
  if (!row) {
    return complain(row.error());
  }
  print_value(context.format == Format::json ? Format::json : Format::yaml, to_value(*row));
  return kDone;
}

// Says what will go, and asks; without a terminal nobody can answer.
bool agreed(const KindRow& kind, const ResourceRow& row) {
  std::fprintf(stderr, "%s %s, revision %llu, applied %s\n", kind.name, row.name.c_str(),
               static_cast<unsigned long long>(row.revision), to_string(row.applied_at).c_str());
  if (::isatty(STDIN_FILENO) == 0) {
    return false;
  }
  std::fputs("delete it? [y/N] ", stderr);
  const int answer = std::getchar();
  return answer == 'y' || answer == 'Y';
}

int remove(const Context& context, const KindRow& kind, const std::string& name, bool yes) {
  auto node = context.open();
  const auto row = node ? resource_of((*node)->store(), kind, name) : node.error();
  if (!row) {
    return complain(row.error());
  }
  const std::string noun = kind.name;
  if (!yes && !agreed(kind, *row)) {
    return complain(Error{Code::usage_invalid, noun + " " + name + " is not deleted",
                          "say --yes to delete it without being asked"});
  }
  const auto gone = (*node)->store().delete_resource(kind.kind, name, now());
  if (!gone) {
    return complain(gone.error());
  }
  if (context.structured()) {
    print_value(context, object({{"kind", kind.kind},
                                 {"name", name},
                                 {"revision", static_cast<std::int64_t>(row->revision)},
                                 {"result", "deleted"}}));
  } else {
    put(context.format == Format::name ? noun + "/" + name + "\n"
                                       : noun + " " + name + " deleted\n");
  }
  return kDone;
}

} // namespace

void add_resources(CLI::App& app, Chosen& chosen, Noun noun) {
  add_on_resource(app, chosen, noun, "get", "List resources, or show one", false, get);
  add_on_resource(app, chosen, noun, "describe", "Everything about one resource", true, describe);
  auto yes = std::make_shared<bool>(false);
  CLI::App& command = add_on_resource(
      app, chosen, noun, "delete", "Delete a resource; runs in flight keep theirs", true,
      [yes](const Context& context, const KindRow& kind, const std::string& name) {
        return remove(context, kind, name, *yes);
      });
  command.add_flag("--yes", *yes, "Do not ask");
}

} // namespace skein::cli
