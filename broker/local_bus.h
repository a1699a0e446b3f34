#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/ports/broker.h"
#include "core/ports/clock.h"

namespace skein::broker {

struct LocalLimits {
  std::size_t max_payload = 8u << 20;
  std::size_t max_queued = 262'144;           ///< messages that wait for their subscribers
  std::uint64_t max_stream_bytes = 64u << 20; ///< of a stream that names no limit of its own
};

/// The broker of a node that runs alone: in memory, within this process. Nothing of it survives the
/// process; streams forget their oldest messages at their limits.
///
/// Everything is called back on one thread of its own. Times (acknowledgement, age, duplicates,
/// limits of requests) are the clock's, looked at every few milliseconds while one is awaited.
class LocalBus : public Broker {
 public:
  /// Ownership: the clock outlives the bus.
  explicit LocalBus(const Clock& clock, const LocalLimits& limits = {});
  ~LocalBus() override;
  LocalBus(const LocalBus&) = delete;
  LocalBus& operator=(const LocalBus&) = delete;

  Result<void> publish(const Message& message) override;
  Result<Subscription> subscribe(const std::string& filter, const std::string& queue,
                                 OnMessage on_message) override;
  void request(Message message, Millis limit, std::function<void(Result<Message>)> answer) override;
  Result<StreamState> make_stream(const StreamSpec& spec) override;
  Result<StreamState> stream(const std::string& name) override;
  void append(Message message, const std::string& id,
              std::function<void(Result<Appended>)> answer) override;
  Result<Subscription> tail(const TailSpec& spec, OnStored on_message) override;
  Result<Subscription> pull(const PullSpec& spec, OnDelivery on_delivery) override;
  Subscription watch_connection(std::function<void(bool up)> on_change) override;
  std::size_t max_payload() const override;

  struct State;

 private:
  std::shared_ptr<State> state_;
};

} // namespace skein::broker
