#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "broker/jetstream/api.h"
#include "broker/jetstream/tail.h"
#include "core/ports/broker.h"

namespace skein::broker {

/// Takes messages from a durable consumer that many share.
///
/// One request at a time is with the server, for as many messages as the credit has free; it ends
/// when these came, when its time is over, or when the server says so, and is then made again. The
/// library's own fetching is not used: it overflows its memory where messages were left over.
class Pull : public std::enable_shared_from_this<Pull> {
 public:
  Pull(const Streams& parts, PullSpec spec, OnDelivery on_delivery);

  /// Waits until the server has the consumer. Errors: those of the port.
  Result<void> start();
  void stop(); ///< no call is under way once this returns, and none follows
  void reconnected();

  /// A delivery got its answer, which goes to `reply`, or was let go of ("").
  void answered(const std::string& reply, std::string_view answer);

 private:
  using Clock = std::chrono::steady_clock;

  Result<void> make_consumer();
  void open();
  void request();
  void end_request(std::chrono::milliseconds rest);
  void watch();
  void on_message(std::uint64_t generation, natsMsg* message);
  void on_status(std::string_view status, std::string_view words);
  void make_consumer_again();

  const Streams parts_;
  const PullSpec spec_;
  const OnDelivery on_delivery_;
  std::atomic<bool> stopped_{false};
  std::mutex calling_; ///< held while a delivery is handed out

  std::mutex mutex_;
  std::shared_ptr<Listener> listener_;
  std::string inbox_;
  std::uint64_t generation_ = 0; ///< of the subscription: what comes to an older one is given back
  std::size_t asked_ = 0;        ///< messages that the request may still bring
  std::size_t unanswered_ = 0;
  bool resting_ = false; ///< the next request waits for its time
  Clock::time_point heard_{};
  Clock::time_point request_ends_{};
};

} // namespace skein::broker
