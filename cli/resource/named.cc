#include "cli/resource/named.h"

#include <CLI/CLI.hpp>
#include <memory>

namespace skein::cli {

const std::vector<KindRow>& kinds() {
  static const std::vector<KindRow> rows{
      {"Flow", "flow", "flows", "skein.dev/v1", "Steps that run in order, each at most once"},
      {"Trigger", "trigger", "triggers", "skein.dev/v1",
       "Starts a flow by itself: events, or the clock"}};
  return rows;
}

const KindRow& kind_called(const std::string& name) {
  const auto found = std::ranges::find_if(kinds(), [&](const KindRow& row) {
    const std::string lower = CLI::detail::to_lower(name);
    return lower == row.name || lower == row.plural;
  });
  return found == kinds().end() ? kinds().front() : *found;
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
        ->check(CLI::IsMember({"flow", "flows", "trigger", "triggers"}, CLI::ignore_case));
  }
  command->add_option("name", wanted->name, "Name")->required(named)->type_name("NAME");
  command->callback([wanted, act = std::move(act), &chosen] {
    chosen = [wanted, act](const Context& context) {
      return act(context, kind_called(wanted->kind), wanted->name);
    };
  });
  return *command;
}

Result<ResourceRow> resource_of(const Store& store, const KindRow& kind, const std::string& name,
                                std::optional<std::uint64_t> revision) {
  return node::resource_of(store, kind.kind, name, revision);
}

} // namespace skein::cli
