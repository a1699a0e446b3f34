#include "node/api/asked.h"
#include "node/api/service.h"
#include "node/events/shapes.h"
#include "node/system_clock.h"

namespace skein::node {
namespace {

using gateway::Request;
using gateway::Response;

Response no_events() {
  return gateway::refuse(
      Error{Code::node_busy, "this node takes no events now", "ask again once it is ready"});
}

// As they are applied now, with when they fire next.
Response triggers(Service& service) {
  const auto events = service.bus != nullptr ? service.bus->events() : nullptr;
  if (!events) {
    return no_events();
  }
  events->refresh();
  const Instant now = SystemClock().now();
  std::vector<Value> items;
  for (const trigger::DefinitionPtr& trigger : events->triggers()) {
    items.push_back(to_value(*trigger, now));
  }
  return gateway::answer(object({{"items", Value::of_list(std::move(items))}}));
}

Response replay(Service& service, const Request& request) {
  const auto from = number_in(request, "from", 1);
  const auto to = number_in(request, "to", UINT64_MAX);
  const auto events = service.bus != nullptr ? service.bus->events() : nullptr;
  if (!from || !to || !events) {
    return !events ? no_events() : gateway::refuse(from ? to.error() : from.error());
  }
  events->refresh();
  const auto took = events->replay(request.parameter("trigger"), *from, *to);
  return took ? gateway::answer(object({{"events", static_cast<std::int64_t>(*took)}}))
              : gateway::refuse(took.error());
}

} // namespace

void add_trigger_routes(gateway::Routes& routes, Service& service) {
  routes.add({.path = "/v1/triggers",
              .name = "list_triggers",
              .summary = "Triggers that are in force, those of flows included",
              .answers = "`items`",
              .handle = [&service](const Request&) { return triggers(service); }});
  routes.add(
      {.method = gateway::Method::post,
       .path = "/v1/triggers/{trigger}/replay",
       .name = "replay_events",
       .summary = "Give events of before to a trigger; what they started already stays one run",
       .query = {{"from", "sequence of the first", "integer"},
                 {"to", "sequence of the last", "integer"}},
       .answers = "`events`: how many it took",
       .handle = [&service](const Request& request) { return replay(service, request); }});
}

} // namespace skein::node
