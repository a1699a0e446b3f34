#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/base/result.h"
#include "node/cluster/broker_choice.h"

namespace CLI {
class App;
}

namespace skein::cli {

/// As what a data directory takes part in which cluster, as options say.
struct Joining {
  std::string name; ///< of the node; "" for the host's
  std::string nats; ///< URLs
  std::string cluster = "skein";
  std::uint32_t replicas = 1;
  std::filesystem::path key;
  node::BrokerChoice broker;
};

/// Adds the options. Ownership: `joining` outlives the command.
void add_joining(CLI::App& command, Joining& joining);

/// What the file of --cluster-key says; "" where none is given.
/// Errors: file_unreadable, usage_invalid (it is too short to be a secret).
Result<std::string> key_of(const Joining& joining);

} // namespace skein::cli
