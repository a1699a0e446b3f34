#include "cli/resource/named.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "core/base/nearest.h"
#include "core/value/json.h"

namespace skein::cli {

const std::vector<KindRow>& kinds() {
  static const std::vector<KindRow> rows{
      {"Flow", "flow", "flows", "skein.dev/v1", "Steps that run in order, each at most once"}};
  return rows;
}

CLI::App& add_on_resource(CLI::App& app, Chosen& chosen, Noun noun, const char* name,
                          const char* summary, bool named, ResourceAct act) {
  struct Wanted {
    std::string kind = "flow";
    std::string name;
  };
  auto wanted = std::make_shared<Wanted>();
  CLI::App* command = app.add_subcommand(name, summary);
  if (noun == Noun::any) {
    command->add_option("kind", wanted->kind, "Kind of the resource")
        ->required()
        ->type_name("KIND")
        ->check(CLI::IsMember({"flow", "flows"}, CLI::ignore_case));
  }
  command->add_option("name", wanted->name, "Name")->required(named)->type_name("NAME");
  command->callback([wanted, act = std::move(act), &chosen] {
    chosen = [wanted, act](const Context& context) {
      return act(context, kinds().front(), wanted->name);
    };
  });
  return *command;
}

Value value_of(const ResourceRow& row) {
  const auto content = parse_json(row.content);
  return object({{"name", row.name},
                 {"revision", static_cast<std::int64_t>(row.revision)},
                 {"hash", to_string(row.hash)},
                 {"applied_at", to_string(row.applied_at)},
                 {"resource", content ? *content : Value()}});
}

Result<ResourceRow> resource_of(const Store& store, const KindRow& kind, const std::string& name,
                                std::optional<std::uint64_t> revision) {
  auto row = store.resource(kind.kind, name, revision);
  if (row || row.error().code != Code::resource_unknown) {
    return row;
  }
  const auto known = store.list_resources(kind.kind);
  std::vector<std::string_view> names;
  for (std::size_t i = 0; known && i < known->size(); ++i) {
    names.push_back((*known)[i].name);
  }
  if (revision && std::find(names.begin(), names.end(), name) != names.end()) {
    return Error{
        Code::resource_unknown,
        std::string(kind.name) + " " + name + " has no revision " + std::to_string(*revision),
        "see `skein flow history " + name + "`"};
  }
  return Error{
      Code::resource_unknown,
      "there is no " + std::string(kind.name) + " \"" + name + "\"" + did_you_mean(name, names),
      "see `skein get flow`"};
}

} // namespace skein::cli
