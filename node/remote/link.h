#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/value/value.h"
#include "gateway/event_stream.h"
#include "node/remote/endpoint.h"

namespace skein::node {

/// A request to a node.
struct Call {
  std::string method = "GET";
  std::string path; ///< with its query, encoded
  std::string body = "";
  bool frames = false; ///< wants frames rather than JSON
};

/// Requests to one node over HTTP. A node that was found through its data directory and has started
/// anew since is found again.
///
/// Errors of all: node_unreachable where there is no answer; what the node answers otherwise.
/// Thread-safety: any thread.
class Link {
 public:
  explicit Link(Endpoint endpoint);
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  /// The body of the answer. Asks again only where it is certain that nothing was received.
  Result<std::string> send(const Call& call);
  /// The same as JSON.
  Result<Value> ask(const Call& call);

  using OnEvent = std::function<void(const gateway::ServerEvent&)>;
  /// Reads server-sent events until the stream ends or `goes_on`, asked some twenty times a second,
  /// answers false; both succeed.
  Result<void> listen(const Call& call, const OnEvent& on_event,
                      const std::function<bool()>& goes_on);

  Endpoint endpoint() const;
  /// Looks the node up anew; whether it is another process, or elsewhere, than before.
  bool find_again();

 private:
  struct Handle;
  std::unique_ptr<Handle> take();
  void give_back(std::unique_ptr<Handle> handle);

  mutable std::mutex mutex_;
  Endpoint endpoint_;
  std::vector<std::unique_ptr<Handle>> spare_;
};

} // namespace skein::node
