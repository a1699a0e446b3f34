#include <CLI/CLI.hpp>
#include <memory>

#include "cli/commands.h"
#include "cli/node/joining.h"
#include "node/cluster/membership.h"
#include "node/remote/remote_node.h"
#include "node/serve.h"

namespace skein::cli {
namespace {

int status(const Context& context) {
  const auto endpoint = context.endpoint();
  const auto cluster = endpoint ? node::cluster(*endpoint) : endpoint.error();
  if (!cluster) {
    return complain(cluster.error());
  }
  print_value(context.format == Format::json ? Format::json : Format::yaml, *cluster);
  return kDone;
}

node::ClusterSettings settings_of(const Context& context, const Joining& joining,
                                  const std::string& key) {
  node::ClusterSettings settings;
  settings.name = joining.name.empty() ? node::host_name() : joining.name;
  settings.cluster = joining.cluster;
  settings.replicas = joining.replicas;
  settings.key = key;
  auto choice = joining.broker;
  choice.urls = joining.nats;
  settings.connect = [choice, folder = context.data / "nats", name = settings.name] {
    return node::choose_broker(choice, folder, name);
  };
  return settings;
}

int init(const Context& context, const Joining& joining) {
  if (joining.nats.empty() || joining.nats == "none") {
    return complain(Error{Code::usage_invalid, "a cluster has a broker that all its nodes reach",
                          "name it: skein cluster init --nats nats://HOST:4222"});
  }
  const auto key = key_of(joining);
  if (!key) {
    return complain(key.error());
  }
  const auto formed = node::form_cluster(context.data, settings_of(context, joining, *key));
  if (!formed) {
    return complain(formed.error());
  }
  std::vector<Value> nodes;
  for (const auto& [node, name] : formed->nodes) {
    nodes.emplace_back(name);
  }
  const auto runs = static_cast<std::int64_t>(formed->runs);
  if (context.structured()) {
    print_value(context, object({{"cluster", joining.cluster},
                                 {"nodes", Value::of_list(std::move(nodes))},
                                 {"runs", runs}}));
    return kDone;
  }
  put("cluster " + joining.cluster + " has " + std::to_string(formed->nodes.size()) + " node(s); " +
      context.data.string() + " brings " + std::to_string(runs) + " run(s)\n" +
      "start it: skein serve --nats URL --data " + context.data.string() + "\n");
  return kDone;
}

} // namespace

void add_cluster(CLI::App& app, Chosen& chosen) {
  CLI::App* cluster = app.add_subcommand("cluster", "The nodes that share their runs");
  cluster->require_subcommand(1);
  cluster
      ->add_subcommand("status",
                       "Whether every partition is led, whom the log waits for, what was dropped")
      ->callback([&chosen] { chosen = status; });
  auto joining = std::make_shared<Joining>();
  CLI::App* command = cluster->add_subcommand(
      "init", "Make a data directory, with its runs, the first node of a cluster");
  add_joining(*command, *joining);
  command->footer(
      "The nodes that come later get the runs from this one.\n\nExample:\n  skein "
      "cluster init --nats nats://broker:4222 --name one");
  command->callback([joining, &chosen] {
    chosen = [joining](const Context& context) { return init(context, *joining); };
  });
}

} // namespace skein::cli
