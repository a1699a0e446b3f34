#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "broker/nats_broker.h"
#include "core/base/instant.h"
#include "core/base/result.h"

namespace skein::broker {

struct NatsServerOptions {
  std::filesystem::path folder; ///< everything it keeps: configuration, streams, log, access.json
  std::uint16_t port = 0;       ///< 0: the one of the last time where it is free, else any
  std::string program;          ///< "": nats-server of PATH, or of /usr/sbin and the like
  Millis ready_limit{20'000};   ///< for its first answer; it reads its streams before
  std::uint64_t max_log = 4u << 20; ///< bytes of server.log; one older file is kept beside it
  /// Called on a thread of its own, with why: it ended, or it is there again.
  std::function<void(bool up, const std::string& why)> on_change;
};

/// A nats-server of this node's own: on loopback, with JetStream under the folder, for those who
/// can read access.json (0600: url, user, password; the same after every start).
///
/// It ends with this process, however that ends, and is started again at the same port, after 100
/// ms at first and up to 5 s, when it ends by itself. One of an earlier process that is still there
/// is ended first. REQUIRES: nobody else uses the folder. Thread-safety: any thread.
class NatsServer {
 public:
  /// Returns once it answers. Errors: nats_server_failed, with its last words.
  static Result<std::unique_ptr<NatsServer>> start(const NatsServerOptions& options);
  virtual ~NatsServer() = default; ///< stops it: asks, and after 5 s kills

  virtual std::string url() const = 0;    ///< nats://127.0.0.1:PORT
  virtual NatsOptions access() const = 0; ///< what connect() takes
  virtual pid_t pid() const = 0;          ///< 0 while it is not there
  virtual std::uint64_t starts() const = 0;
};

} // namespace skein::broker
