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

} // namespace skein::node
