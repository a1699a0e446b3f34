#pragma once

#include <memory>

#include "node/node.h"
#include "node/remote/endpoint.h"

namespace skein::node {

/// The node of another process: what is asked of it is asked over HTTP. `settings` say how flows
/// are checked on this side before they are sent. Errors: node_unreachable where it does not answer
/// or is another node than the endpoint says, unauthorized.
Result<std::unique_ptr<Node>> connect(Endpoint endpoint, Settings settings);

/// What the node at an endpoint says of itself: `GET /v1/node`. Errors: as connect().
Result<Value> about(const Endpoint& endpoint);
/// The nodes that it shares its runs with: `GET /v1/nodes`. Errors: as connect().
Result<Value> nodes(const Endpoint& endpoint);
/// Their log and what became of it: `GET /v1/cluster`. Errors: as connect(); usage_invalid where it
/// is of none.
Result<Value> cluster(const Endpoint& endpoint);
/// Has one of them lead nothing, or its share again. Errors: also resource_unknown.
Result<Value> drain_node(const Endpoint& endpoint, const std::string& name, bool on);
/// Nobody waits for it any more. Errors: also resource_unknown, run_state_conflict (it runs).
Result<Value> forget_node(const Endpoint& endpoint, const std::string& name);

} // namespace skein::node
