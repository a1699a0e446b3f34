#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "broker/link/greeting.h"
#include "core/base/instant.h"
#include "core/base/result.h"
#include "core/ports/broker.h"

/// A connection to nats-server.
namespace skein::broker {

/// Files in PEM form; empty where there is none.
struct NatsTls {
  bool on = false; ///< also without it where a server asks for TLS
  std::filesystem::path authority;
  std::filesystem::path certificate; ///< with `key`: of this client
  std::filesystem::path key;
  std::string host;          ///< what the server's certificate must name; "" for the URL's host
  bool verify_server = true; ///< false only to try things out
};

struct NatsOptions {
  std::vector<std::string> urls; ///< nats:// or tls://HOST:PORT; tried in turn, the first at random
  std::string name;              ///< of the connection, for the server's log
  std::string user;              ///< with `password`
  std::string password;
  std::string token;
  std::filesystem::path credentials; ///< a .creds file
  std::string nkey;                  ///< public key, with `seed`
  std::filesystem::path seed;
  NatsTls tls;
  std::string inbox_prefix = "_INBOX";
  /// How long connect() waits for the first connection; 0: returns at once and goes on trying.
  Millis first_connection{5'000};
  Millis answer_limit{5'000};        ///< of an append and of a call to JetStream
  std::size_t max_appends = 65'536;  ///< without an answer yet; more are refused with broker_full
  std::size_t max_unsent = 8u << 20; ///< bytes that the socket has not taken yet; as above
};

/// How often something went wrong since the connection was made.
struct NatsCounts {
  std::atomic<std::uint64_t> connections{0}; ///< made, the first one included
  std::atomic<std::uint64_t> dropped{0};     ///< messages of subscriptions that were too slow
  std::atomic<std::uint64_t> refused{0};     ///< violations of permissions
  std::atomic<std::uint64_t> reopened{0};    ///< tails and pulls that were begun again
  std::atomic<std::uint64_t> stray{0};       ///< answers that nobody waits for (any more)
};

class NatsBroker : public Broker {
 public:
  virtual const NatsCounts& counts() = 0;
  /// Of the server that it is, or was last, connected to.
  virtual Greeting server() const = 0;
};

/// Connects, and keeps connected: after a loss it dials for ever, each 100 to 250 ms at first, up
/// to two seconds, each time another of the urls. Nothing that was published is kept for later: a
/// message of before must not arrive after somebody else has taken over.
/// Errors: broker_unreachable where no server answered in time, broker_refused where one did and
/// refused the credentials; both name the address and the reason.
/// Of what it then does: make_stream, stream, tail and pull wait for an answer, so they must not be
/// called within a callback of it.
Result<std::unique_ptr<NatsBroker>> connect(const NatsOptions& options);

} // namespace skein::broker
