#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>

#include "gateway/routes.h"
#include "gateway/server.h"
#include "node/api/watches.h"
#include "node/events/event_bus.h"
#include "node/node.h"

/// The HTTP interface of a node: docs/api.md.
namespace skein::node {

/// What the interface says of the node that it stands before.
struct Identity {
  std::string id; ///< of the data directory
  std::string name;
  std::string version;
  std::string data;
  Instant started_at;
};

enum class Phase : std::uint8_t { starting, ready, draining };

/// What the handlers share. Thread-safety: any thread.
struct Service {
  /// Ownership: the node outlives it.
  Service(Node& served, Settings told, Identity who)
      : node(served), settings(std::move(told)), identity(std::move(who)), watches(served) {}

  Node& node;
  const Settings settings;
  const Identity identity;
  Watches watches;
  std::atomic<Phase> phase{Phase::starting};
  EventBus* bus = nullptr;                                 ///< where it is served with events
  std::mutex resuming;                                     ///< one at a time makes every run go on
  std::string openapi;                                     ///< the document, made with the routes
  std::atomic<const gateway::Counters*> counters{nullptr}; ///< once something listens
};

/// Every route. Ownership: the service outlives what serves them.
gateway::Routes routes_of(Service& service);

void add_node_routes(gateway::Routes& routes, Service& service);
void add_cluster_routes(gateway::Routes& routes, Service& service);
void add_run_routes(gateway::Routes& routes, Service& service);    ///< reads and starts
void add_run_verbs(gateway::Routes& routes, Service& service);     ///< pause, signal, …
void add_stored_routes(gateway::Routes& routes, Service& service); ///< what remote readers need
void add_resource_routes(gateway::Routes& routes, Service& service);
void add_event_routes(gateway::Routes& routes, Service& service);
void add_trigger_routes(gateway::Routes& routes, Service& service);

} // namespace skein::node
