#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/base/result.h"
#include "gateway/server.h"
#include "node/cluster/broker_choice.h"
#include "node/node.h"

namespace skein::node {

/// The port that a node listens on where nothing else is said and it is free.
inline constexpr std::uint16_t kUsualPort = 7'711;

struct ServeOptions {
  Settings node;
  std::string
      listen;       ///< "127.0.0.1:7711", "[::1]:0"; "": loopback, the usual port or the next free
  std::string name; ///< for people; the host's where empty
  std::string version;                ///< of the binary
  std::optional<BrokerChoice> broker; ///< absent: none, everything stays on this node
  std::string key;                    ///< of the messages between the nodes; see ClusterSettings
  std::string cluster = "skein";      ///< name
  std::uint32_t replicas = 1;         ///< of streams, on a broker of several servers
  Value labels;                       ///< of the node: a map of texts, or null
  Millis silence{3'000};              ///< after which another node takes over what this one led
  gateway::Limits limits;
};

/// A node that stays and is spoken to over HTTP.
///
///   starting ──every run is back in memory──► ready ──drain()──► draining ──► gone
///
/// Leaves node.json, skein.pid and the token in the data directory, so that commands find it, and
/// removes the first two when it goes. Thread-safety: any thread.
class Server {
 public:
  /// Listens when this returns; runs that were cut off go on meanwhile.
  /// Errors: as Node::open; usage_invalid where the address cannot be had; storage_io.
  static Result<std::unique_ptr<Server>> open(ServeOptions options);
  /// Drains with no time to spare, unless that is done.
  virtual ~Server() = default;

  virtual Node& node() = 0;
  virtual std::string url() const = 0;
  /// Whether runs are recovered and nothing has stopped it.
  virtual bool ready() const = 0;

  /// Starts nothing more; answers that it is draining, asks effects to stop, waits for them at most
  /// `limit`; then ends the HTTP interface.
  virtual void drain(Millis limit) = 0;
};

/// Of this machine.
std::string host_name();

/// Tells the service supervisor, where there is one: "READY=1", "STOPPING=1", "WATCHDOG=1".
/// Source: sd_notify(3), the protocol of $NOTIFY_SOCKET.
void tell_supervisor(std::string_view state);

/// How often the supervisor wants to hear from this process; nothing where it does not.
std::optional<Millis> watchdog_interval();

} // namespace skein::node
