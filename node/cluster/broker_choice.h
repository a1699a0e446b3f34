#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "core/base/result.h"
#include "core/ports/broker.h"

namespace skein::node {

/// Which broker a node speaks to, and as what.
struct BrokerChoice {
  std::string urls; ///< with commas between them; "": a nats-server of the node's own
  std::filesystem::path credentials; ///< a .creds file
  std::filesystem::path authority;   ///< certificates that a server may show, in PEM form
  std::filesystem::path certificate; ///< of this node, with `key`
  std::filesystem::path key;
};

/// Connects, and checks that the broker is one that may be relied on.
/// `folder` is where a server of the node's own keeps its files; it ends with the last copy.
/// Errors: broker_*, nats_server_failed, usage_invalid (a URL that is none).
Result<std::shared_ptr<Broker>> choose_broker(const BrokerChoice& choice,
                                              const std::filesystem::path& folder,
                                              const std::string& name);

} // namespace skein::node
