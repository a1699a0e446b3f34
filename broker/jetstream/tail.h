#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "broker/jetstream/api.h"
#include "broker/link/keeper.h"
#include "broker/link/link.h"
#include "broker/link/replies.h"
#include "core/ports/broker.h"

namespace skein::broker {

/// Parts that a tail and a pull work with; they outlive both.
struct Streams {
  Link& link;
  Replies& replies;
  Keeper& keeper;
  NatsCounts& counts;
  Millis limit; ///< of a call to JetStream
};

/// Reads a stream in order through one consumer after the other.
///
///   Opening --made--> Reading --gap, silence, reconnect--> Opening at the next sequence
///
/// The server pushes to a subject of this consumer's own, without acknowledgements; it numbers what
/// it pushes, so a missing one shows, and it beats while there is nothing to push, so a server that
/// forgot the consumer shows too. Of an earlier consumer nothing is taken any more.
class Tail : public std::enable_shared_from_this<Tail> {
 public:
  Tail(const Streams& parts, TailSpec spec, OnStored on_message);

  /// Waits until the server has the first consumer. Errors: those of the port.
  Result<void> start();
  /// No call is under way once this returns, and none follows.
  void stop();
  /// There is a connection again.
  void reconnected();

 private:
  using Clock = std::chrono::steady_clock;
  using Opened = std::function<void(Result<void>)>;

  void open(const Opened& opened);
  void create(std::uint64_t generation, const Opened& opened);
  void on_created(std::uint64_t generation, const Result<Value>& answer);
  void reopen(const char* why);
  void watch();
  void on_message(std::uint64_t generation, natsMsg* message);
  void on_status(natsMsg* message);
  void heard() { heard_.store(Clock::now().time_since_epoch().count()); }

  const Streams parts_;
  const TailSpec spec_;
  const OnStored on_stored_;

  std::atomic<std::uint64_t> generation_{0};
  std::atomic<std::int64_t> heard_{0};
  std::atomic<bool> reading_{false}; ///< the server has the consumer
  std::atomic<bool> started_{false}; ///< errors are nobody's any more
  std::atomic<bool> stopped_{false};
  std::atomic<bool> opening_{false};

  std::mutex calling_; ///< held while a message is handled: of two consumers only one is heard
  std::uint64_t next_;
  std::uint64_t consumed_ = 0; ///< the server's number of the last message of this consumer
  bool read_ = false;          ///< anything, of any consumer

  std::mutex mutex_;
  std::shared_ptr<Listener> listener_;
  std::chrono::milliseconds backoff_{100};
  std::string complained_;
};

} // namespace skein::broker
