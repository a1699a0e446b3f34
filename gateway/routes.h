#pragma once

#include <functional>
#include <string>
#include <vector>

#include "gateway/message.h"
#include "gateway/target.h"

namespace skein::gateway {

/// What a request may say besides its path and body.
struct Parameter {
  std::string name = "";
  std::string summary = "";
  std::string type = "string"; ///< of JSON Schema
};

using Handler = std::function<Response(const Request&)>;

/// One row of the table that routes requests and that the OpenAPI document is written from.
struct Route {
  Method method = Method::get;
  std::string path = "/"; ///< "/v1/runs/{run}": parts in braces are parameters
  std::string name = "";  ///< of the operation, unique: "get_run"
  std::string summary = "";
  std::vector<Parameter> query = {}; ///< others are refused
  std::string body = "";             ///< JSON Schema of the body, as JSON; "" where there is none
  std::string answers = "";          ///< what comes back, in words
  std::string type = "application/json"; ///< of what comes back
  Handler handle = nullptr;              ///< on a thread that may block, several at a time
  bool open = false;                     ///< to whoever has no token
};

/// The routes, and which one a request means.
/// Thread-safety: const access from any thread.
class Routes {
 public:
  /// REQUIRES: no other of the same method and shape of path.
  void add(Route route);

  struct Match {
    const Route* route;
    Words parameters;
  };
  /// Errors: route_unknown (names the nearest path); request_invalid where the query has a name
  /// that the route does not know.
  Result<Match> match(Method method, const Target& target) const;
  /// "GET, POST": what else can be done with this path; "" where nothing can.
  std::string methods_of(const Target& target) const;

  const std::vector<Route>& all() const { return routes_; }

 private:
  std::vector<Route> routes_;
  std::vector<std::vector<std::string>> segments_; ///< of each path
};

/// The OpenAPI 3.1 document of the routes.
Value openapi(const Routes& routes, const std::string& title, const std::string& version);

} // namespace skein::gateway
