#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/instant.h"
#include "core/base/result.h"
#include "gateway/routes.h"

namespace skein::gateway {

/// Bounds of what clients can make a server hold, and for how long.
struct Limits {
  std::size_t connections = 10'000;
  std::size_t header_bytes = 16u << 10;
  std::size_t body_bytes = 8u << 20;
  std::size_t stream_bytes = 1u << 20;           ///< of events in the queue of one client
  std::size_t handlers = 8;                      ///< threads
  std::size_t waiting = 1'024;                   ///< requests that wait for a handler
  std::chrono::milliseconds header_time{10'000}; ///< from the first byte of a head to its last
  std::chrono::milliseconds body_time{30'000};
  std::chrono::milliseconds idle_time{60'000};  ///< between requests of a connection
  std::chrono::milliseconds write_time{30'000}; ///< in which a client must take something
  std::chrono::milliseconds beat_time{15'000};  ///< between signs of life on a silent stream
};

struct Options {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;         ///< 0: a free one
  std::string token;              ///< what clients must show; never empty
  std::vector<std::string> names; ///< further values of Host that reach open routes
  Limits limits;
};

/// Why a request or a connection was turned away.
enum class Refusal : std::uint8_t {
  connections,  ///< as many are open as may be
  busy,         ///< as many requests wait as may
  syntax,       ///< not HTTP, or two ways to read it
  header_limit, ///< a head that is too long
  body_limit,
  header_time, ///< a head that took too long
  body_time,
  token,       ///< missing or wrong
  host,        ///< a name that is not this server's
  target,      ///< a path or a query that cannot be read
  route,       ///< a path or a method that is not there
  handler,     ///< by the route itself
  slow_reader, ///< events that a client did not take
};
inline constexpr std::size_t kRefusals = 13;
std::string_view name_of(Refusal refusal);

/// What a server has done since it began. Thread-safety: any thread.
struct Counters {
  std::atomic<std::uint64_t> connections{0};
  std::atomic<std::uint64_t> open{0}; ///< connections at the moment
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> streams{0}; ///< of events
  std::array<std::atomic<std::uint64_t>, kRefusals> refused{};
};

/// HTTP/1.1 on one address: one thread for all sockets, a few for handlers.
///
/// Each kind of refusal is counted, and logged the 1st, 2nd, 4th, 8th … time.
/// Thread-safety: any thread but a handler's, for what stops it.
class Server {
 public:
  /// Listens at once; what `routes` holds is served until it ends.
  /// Errors: usage_invalid where the address cannot be had.
  static Result<std::unique_ptr<Server>> listen(Options options, Routes routes);
  /// Stops with no time to spare.
  virtual ~Server() = default;

  virtual std::uint16_t port() const = 0;
  virtual const Counters& counters() const = 0;

  /// Takes no more connections and requests, ends event streams after what is queued, and waits
  /// until what is under way has been answered, at most `limit`.
  virtual void stop(Millis limit) = 0;
};

} // namespace skein::gateway
