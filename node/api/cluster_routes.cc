#include <future>
#include <set>

#include "node/api/asked.h"
#include "node/api/service.h"
#include "node/cluster/membership.h"

namespace skein::node {
namespace {

using gateway::Method;
using gateway::Request;
using gateway::Response;

Error alone() {
  return {Code::usage_invalid, "this node is of no cluster",
          "start nodes with the same broker: skein serve --nats URL"};
}

Value number(std::uint64_t count) { return static_cast<std::int64_t>(count); }

Value dropped(Membership& membership) {
  const LogCounts& counts = membership.cluster().log().counts();
  std::vector<MapEntry> fields;
  for (std::size_t i = 0; i < log::kVerdicts; ++i) {
    const auto verdict = static_cast<log::Verdict>(i);
    if (verdict != log::Verdict::counts && verdict != log::Verdict::repeat) {
      fields.emplace_back(std::string(name_of(verdict)), number(counts.verdicts.at(i)));
    }
  }
  fields.emplace_back("unreadable", number(counts.unreadable));
  fields.emplace_back("misplaced", number(counts.misplaced));
  fields.emplace_back("misread", number(membership.cluster().misread()));
  fields.emplace_back("claims", number(membership.cluster().work().refused()));
  fields.emplace_back("unsigned", number(membership.refused()));
  return Value::of_map(std::move(fields));
}

Response about(Service& service) {
  Membership* const membership = service.node.membership();
  if (membership == nullptr) {
    return gateway::refuse(alone());
  }
  const Cluster& cluster = membership->cluster();
  const LogStream& log = membership->cluster().log();
  const auto nodes = membership->nodes();
  std::vector<Value> awaited;
  for (const NodeId node : cluster.awaited()) {
    const auto name = nodes.find(node);
    awaited.emplace_back(name == nodes.end() ? std::to_string(node.get()) : name->second);
  }
  std::size_t led = 0;
  const auto members = cluster.members();
  for (const MemberStatus& member : members) {
    led += member.alive ? member.leads.count() : 0;
  }
  std::set<std::string> names;
  for (const auto& [node, name] : nodes) {
    names.insert(name);
  }
  return gateway::answer(object({{"state", !awaited.empty()     ? "waiting"
                                           : led == kPartitions ? "ready"
                                                                : "electing"},
                                 {"nodes", Value::of_list({names.begin(), names.end()})},
                                 {"awaited", Value::of_list(std::move(awaited))},
                                 {"partitions", number(kPartitions)},
                                 {"led", number(led)},
                                 {"log", object({{"generation", number(log.generation())},
                                                 {"position", number(log.position())},
                                                 {"behind", number(log.behind().count())},
                                                 {"copied", number(cluster.copies_taken())}})},
                                 {"dropped", dropped(*membership)}}));
}

Result<NodeId> named(const Membership& membership, const std::string& name) {
  for (const auto& [node, called] : membership.nodes()) {
    if (called == name) {
      return node;
    }
  }
  return Error{Code::resource_unknown, "there is no node " + name + " in the cluster",
               "list them: skein node list"};
}

Response drain(Service& service, const Request& request, bool on) {
  Membership* const membership = service.node.membership();
  if (membership == nullptr) {
    return gateway::refuse(alone());
  }
  const auto node = named(*membership, request.parameter("name"));
  if (!node) {
    return gateway::refuse(node.error());
  }
  std::promise<Result<void>> told;
  auto answer = told.get_future();
  membership->cluster().ask_to_drain(
      *node, on, [&told](Result<void> done) { told.set_value(std::move(done)); });
  const auto done = answer.get();
  return done ? gateway::answer(object({{"name", request.parameter("name")}, {"draining", on}}))
              : gateway::refuse(done.error());
}

Response forget(Service& service, const Request& request) {
  Membership* const membership = service.node.membership();
  if (membership == nullptr) {
    return gateway::refuse(alone());
  }
  const std::string& name = request.parameter("name");
  const auto node = named(*membership, name);
  if (!node) {
    return gateway::refuse(node.error());
  }
  for (const MemberStatus& member : membership->cluster().members()) {
    if (member.node == *node && member.alive) {
      return gateway::refuse(Error{Code::run_state_conflict, "node " + name + " is running",
                                   "stop it first; to empty it: skein node drain " + name});
    }
  }
  const auto done = membership->forget(name);
  return done ? gateway::answer(object({{"name", name}})) : gateway::refuse(done.error());
}

} // namespace

void add_cluster_routes(gateway::Routes& routes, Service& service) {
  routes.add({.path = "/v1/cluster",
              .name = "get_cluster",
              .summary = "The cluster as this node knows it: its log, its nodes, what was dropped",
              .answers = "the cluster",
              .handle = [&service](const Request&) { return about(service); }});
  routes.add(
      {.method = Method::post,
       .path = "/v1/nodes/{name}/drain",
       .name = "drain_node",
       .summary = "Have a node lead nothing any more, while it goes on running",
       .answers = "the node was told",
       .handle = [&service](const Request& request) { return drain(service, request, true); }});
  routes.add(
      {.method = Method::post,
       .path = "/v1/nodes/{name}/resume",
       .name = "resume_node",
       .summary = "Have a drained node lead its share again",
       .answers = "the node was told",
       .handle = [&service](const Request& request) { return drain(service, request, false); }});
  routes.add({.method = Method::remove,
              .path = "/v1/nodes/{name}",
              .name = "forget_node",
              .summary = "Wait no more for a node that is gone for good",
              .answers = "it is none of the cluster any more",
              .handle = [&service](const Request& request) { return forget(service, request); }});
}

} // namespace skein::node
