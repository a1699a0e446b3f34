#include <unistd.h>

#include <array>
#include <cstdio>

#include "core/value/json.h"
#include "node/api/asked.h"
#include "node/api/service.h"

namespace skein::node {
namespace {

using gateway::Method;
using gateway::Request;
using gateway::Response;

std::string_view name_of(Phase phase) {
  return phase == Phase::ready ? "ready" : phase == Phase::starting ? "starting" : "draining";
}

// Ready is who may begin something new: recovered, not going, with room on the disk.
Response ready(const Service& service) {
  const Phase phase = service.phase;
  const auto room = service.node.store().admits();
  std::vector<MapEntry> fields{
      {"status", phase == Phase::ready && !room ? "full" : name_of(phase)}};
  if (!room) {
    fields.emplace_back("reason", to_string(room.error()));
  }
  const bool is_ready = phase == Phase::ready && room.ok();
  return gateway::answer(Value::of_map(std::move(fields)), is_ready ? 200 : 503);
}

std::string hex(NodeId node) {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(node.get()));
  return text.data();
}

Value number(std::uint64_t count) { return static_cast<std::int64_t>(count); }

Value counted(const gateway::Counters& counters) {
  std::vector<MapEntry> refused;
  for (std::size_t i = 0; i < gateway::kRefusals; ++i) {
    refused.emplace_back(name_of(static_cast<gateway::Refusal>(i)), number(counters.refused[i]));
  }
  return object({{"connections", number(counters.connections)},
                 {"open", number(counters.open)},
                 {"requests", number(counters.requests)},
                 {"streams", number(counters.streams)},
                 {"refused", Value::of_map(std::move(refused))}});
}

Response about(const Service& service) {
  const Identity& who = service.identity;
  const gateway::Counters* counters = service.counters;
  return gateway::answer(object({{"id", who.id},
                                 {"name", who.name},
                                 {"version", who.version},
                                 {"state", name_of(service.phase)},
                                 {"pid", static_cast<std::int64_t>(::getpid())},
                                 {"data", who.data},
                                 {"started_at", to_string(who.started_at)},
                                 {"gateway", counters != nullptr ? counted(*counters) : Value()}}));
}

Value shown(const MemberStatus& member) {
  return object({{"id", hex(member.node)},
                 {"name", member.name},
                 {"state", !member.alive     ? "gone"
                           : member.draining ? "draining"
                           : member.ready    ? "ready"
                                             : "starting"},
                 {"leads", number(member.leads.count())},
                 {"attempts", number(member.load)},
                 {"labels", member.labels.is_null() ? Value::of_map({}) : member.labels},
                 {"silent_ms", member.silent.count}});
}

Response members(const Service& service) {
  std::vector<Value> items;
  for (const MemberStatus& member : service.node.members()) {
    items.push_back(shown(member));
  }
  return gateway::answer(object({{"items", Value::of_list(std::move(items))}}));
}

Response resume_all(Service& service) {
  const std::lock_guard lock(service.resuming);
  const auto count = service.node.resume_all();
  return count ? gateway::answer(object({{"runs", number(*count)}}))
               : gateway::refuse(count.error());
}

} // namespace

gateway::Routes routes_of(Service& service) {
  gateway::Routes routes;
  for (const auto add :
       {add_node_routes, add_cluster_routes, add_run_routes, add_run_verbs, add_stored_routes,
        add_resource_routes, add_event_routes, add_trigger_routes}) {
    add(routes, service);
  }
  service.openapi = to_json(gateway::openapi(routes, "Skein", service.identity.version)) + "\n";
  return routes;
}

void add_node_routes(gateway::Routes& routes, Service& service) {
  routes.add({.path = "/healthz",
              .name = "get_health",
              .summary = "Whether the process answers",
              .answers = "it does",
              .handle =
                  [](const Request&) {
                    return gateway::answer(object({{"status", "alive"}}));
                  },
              .open = true});
  routes.add({.path = "/readyz",
              .name = "get_readiness",
              .summary = "Whether runs may be started: recovered, not draining, room on the disk",
              .answers = "they may; 503 where not",
              .handle = [&service](const Request&) { return ready(service); },
              .open = true});
  routes.add({.path = "/v1/openapi.json",
              .name = "get_openapi",
              .summary = "This description",
              .answers = "an OpenAPI 3.1 document",
              .handle = [&service](const Request&) {
                Response response;
                response.body = service.openapi;
                return response;
              }});
  routes.add({.path = "/v1/node",
              .name = "get_node",
              .summary = "What this node is, what it does, and what it has refused",
              .answers = "the node",
              .handle = [&service](const Request&) { return about(service); }});
  routes.add({.path = "/v1/nodes",
              .name = "list_nodes",
              .summary = "The nodes that share this one's runs, this one first",
              .answers = "the nodes; none where this one is alone without a broker",
              .handle = [&service](const Request&) { return members(service); }});
  routes.add({.method = Method::post,
              .path = "/v1/node/resume",
              .name = "resume_all",
              .summary = "Make every run go on that was cut off",
              .answers = "how many there are",
              .handle = [&service](const Request&) { return resume_all(service); }});
}

} // namespace skein::node
