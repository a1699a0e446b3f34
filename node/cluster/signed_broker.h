#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/ports/broker.h"

namespace skein::node {

/// What a key proves of a message: 16 bytes of HMAC-SHA-256 over its subject and its payload.
/// Source: RFC 2104, truncated as in its section 5.
class MessageKey {
 public:
  /// Without a secret the key is of what every node knows: it finds damage, and messages of other
  /// clusters, and proves nothing to somebody who wants to deceive.
  MessageKey(std::string_view secret, std::string_view cluster);

  static constexpr std::size_t kLength = 16;
  std::string sign(std::string_view subject, std::string payload) const;
  /// The payload without its signature, or nothing. An answer comes on a subject that only who
  /// asked knows: it is signed as of "".
  std::optional<std::string> verify(std::string_view subject, std::string payload) const;

 private:
  std::string mac(std::string_view subject, std::string_view payload) const;
  std::string key_;
};

/// A broker for what the nodes of a cluster say to each other: signs what it sends, and drops what
/// is not signed by one of them. Dropped messages are counted, and the first is named in the log.
/// Thread-safety: any thread. Ownership: the broker is the caller's and outlives it.
class SignedBroker : public Broker {
 public:
  SignedBroker(Broker& broker, MessageKey key);
  ~SignedBroker() override;

  std::uint64_t refused() const;

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

 private:
  struct Gate;
  Broker& broker_;
  std::shared_ptr<Gate> gate_;
};

} // namespace skein::node
