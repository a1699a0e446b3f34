#include <CLI/CLI.hpp>
#include <memory>

#include "cli/checks.h"
#include "cli/resource/named.h"

namespace skein::cli {
namespace {

int history(const Context& context, const KindRow& kind, const std::string& name) {
  const auto node = context.open();
  const auto all = node ? (*node)->store().resource_history(kind.kind, name) : node.error();
  if (!all) {
    return complain(all.error());
  }
  if (all->empty()) {
    return complain(resource_of((*node)->store(), kind, name).error());
  }
  std::vector<Value> values;
  std::vector<std::vector<std::string>> rows{{"REVISION", "APPLIED", "HASH"}};
  for (const ResourceRow& row : *all) {
    values.push_back(to_value(row));
    rows.push_back({std::to_string(row.revision), to_string(row.applied_at),
                    row.deleted ? "deleted" : to_string(row.hash)});
  }
  if (context.structured()) {
    print_value(context.format, Value::of_list(std::move(values)));
  } else {
    put(table(rows));
  }
  return kDone;
}

// The revision before the newest, where none is named.
Result<std::uint64_t> earlier(const Store& store, const KindRow& kind, const std::string& name) {
  const auto all = store.resource_history(kind.kind, name);
  const auto newest = resource_of(store, kind, name);
  if (!all || !newest) {
    return all ? newest.error() : all.error();
  }
  std::uint64_t found = 0;
  for (const ResourceRow& row : *all) {
    if (!row.deleted && row.revision < newest->revision && row.revision > found) {
      found = row.revision;
    }
  }
  if (found == 0) {
    return Error{Code::resource_unknown, "flow " + name + " has no revision before the newest",
                 "see `skein flow history " + name + "`"};
  }
  return found;
}

int rollback(const Context& context, const KindRow& kind, const std::string& name,
             std::uint64_t to) {
  const auto node = context.open();
  if (!node) {
    return complain(node.error());
  }
  Store& store = (*node)->store();
  const auto revision = to > 0 ? Result<std::uint64_t>(to) : earlier(store, kind, name);
  const auto old = revision ? resource_of(store, kind, name, *revision) : revision.error();
  const auto row = old ? store.apply_resource(kind.kind, name, old->content, now()) : old.error();
  if (!row) {
    return complain(row.error());
  }
  if (context.structured()) {
    print_value(context, to_value(*row));
    return kDone;
  }
  put("flow " + name + ": revision " + std::to_string(row->revision) + ", as revision " +
      std::to_string(*revision) + " was\n");
  return kDone;
}

} // namespace

void add_revisions(CLI::App& flow, Chosen& chosen) {
  add_on_resource(flow, chosen, Noun::flow, "history", "Every revision", true, history);
  auto to = std::make_shared<std::uint64_t>(0);
  CLI::App& command =
      add_on_resource(flow, chosen, Noun::flow, "rollback", "Apply an old revision again", true,
                      [to](const Context& context, const KindRow& kind, const std::string& name) {
                        return rollback(context, kind, name, *to);
                      });
  command.add_option("--to", *to, "Revision; the one before the newest where none is named")
      ->type_name("REVISION")
      ->check(from_one());
}

} // namespace skein::cli
