#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "core/value/json.h"
#include "node/remote/remote_node.h"

namespace skein::cli {
namespace {

int status(const Context& context) {
  const auto endpoint = context.endpoint();
  const auto about = endpoint ? node::about(*endpoint) : endpoint.error();
  if (!about) {
    return complain(about.error());
  }
  if (context.format == Format::name) {
    const Value* name = about->find("name");
    put((name != nullptr ? std::string(name->as_string()) : "") + "\n");
  } else {
    print_value(context.format == Format::json ? Format::json : Format::yaml, *about);
  }
  return kDone;
}

std::string text_at(const Value& item, std::string_view name) {
  const Value* found = item.find(name);
  return found == nullptr          ? ""
         : found->is(Kind::string) ? std::string(found->as_string())
                                   : to_json(*found);
}

int list(const Context& context) {
  const auto endpoint = context.endpoint();
  const auto nodes = endpoint ? node::nodes(*endpoint) : endpoint.error();
  if (!nodes) {
    return complain(nodes.error());
  }
  const Value* items = nodes->find("items");
  if (context.structured()) {
    print_value(context.format, items != nullptr ? *items : Value::of_list({}));
    return kDone;
  }
  std::vector<std::vector<std::string>> rows{{"NAME", "ID", "STATE", "LEADS", "ATTEMPTS"}};
  for (const Value& item : items != nullptr ? items->as_list() : std::span<const Value>()) {
    rows.push_back({text_at(item, "name"), text_at(item, "id"), text_at(item, "state"),
                    text_at(item, "leads"), text_at(item, "attempts")});
  }
  put(table(rows));
  return kDone;
}

using Asked = Result<Value> (*)(const node::Endpoint&, const std::string&);

/// Adds a verb that takes the name of a node, and says what it has done.
void add_verb(CLI::App& node, Chosen& chosen, const std::string& verb, const std::string& what,
              const std::string& done, Asked ask) {
  auto name = std::make_shared<std::string>();
  CLI::App* command = node.add_subcommand(verb, what);
  command->add_option("NAME", *name, "Name of the node, as skein node list shows it")->required();
  command->callback([name, done, ask, &chosen] {
    chosen = [name, done, ask](const Context& context) -> int {
      const auto endpoint = context.endpoint();
      const auto told = endpoint ? ask(*endpoint, *name) : endpoint.error();
      if (!told) {
        return complain(told.error());
      }
      if (context.structured()) {
        print_value(context, *told);
      } else {
        put("node " + *name + " " + done + "\n");
      }
      return kDone;
    };
  });
}

} // namespace

void add_node(CLI::App& app, Chosen& chosen) {
  CLI::App* node = app.add_subcommand("node", "The node that serves this data directory");
  node->require_subcommand(1);
  node->add_subcommand("status", "What it is, what it does, and what it has refused")
      ->callback([&chosen] { chosen = status; });
  node->add_subcommand("list", "The nodes that share its runs, and how many partitions each leads")
      ->callback([&chosen] { chosen = list; });
  add_verb(*node, chosen, "drain", "Have a node lead nothing, while it goes on running",
           "hands over what it leads", [](const node::Endpoint& at, const std::string& name) {
             return node::drain_node(at, name, true);
           });
  add_verb(*node, chosen, "resume", "Have a drained node lead its share again",
           "takes its share again", [](const node::Endpoint& at, const std::string& name) {
             return node::drain_node(at, name, false);
           });
  add_verb(*node, chosen, "forget", "Wait no more for a node that is gone for good",
           "is none of the cluster any more", node::forget_node);
}

} // namespace skein::cli
