#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "node/events/channels.h"

namespace skein::node {

/// What no trigger could use, with its bytes as they came and the reason.
struct Letter {
  std::uint64_t number = 0; ///< its position in the stream; names it until it is settled
  Instant at;
  Error reason{Code::event_invalid, ""};
  std::string trigger;   ///< the one that failed; "" where the event itself cannot be read
  std::string run;       ///< that the trigger would have started
  std::string waits_for; ///< name of the flow that has to come; then it is tried again by itself
  Message original;      ///< its subject, headers and bytes; of several events a batch
};

/// The dead letters of a tenant: a stream that only grows, with what became of each behind it.
/// Thread-safety: any thread.
class Letters {
 public:
  /// Reads what is there before it returns. Errors: of the broker.
  Letters(Broker& broker, const Channels& channels) : broker_(broker), channels_(channels) {}
  Result<void> open(std::uint32_t replicas, Millis keep);
  void close() { subscription_.reset(); }

  /// Returns once it is stored. What is too large for the broker is cut at its end.
  Result<void> add(const Letter& letter);
  /// Answers then, on a thread of the broker.
  void add(const Letter& letter, std::function<void(Result<void>)> answer);
  /// It was tried again, or is not wanted any more. Errors: resource_unknown.
  Result<void> settle(std::uint64_t number);

  std::vector<Letter> list() const; ///< not settled, oldest first
  std::optional<Letter> find(std::uint64_t number) const;
  /// Of letters that wait for a flow.
  std::vector<Letter> waiting() const;

 private:
  void on_stored(Stored&& stored);

  Broker& broker_;
  const Channels& channels_;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, Letter> open_;
  Subscription subscription_;
};

/// Appends and waits for the answer. REQUIRES: not on a thread of the broker.
Result<Appended> append_now(Broker& broker, Message message, const std::string& id);

/// Every message that the stream has at this moment, in order. REQUIRES: the same.
Result<std::vector<Stored>> read_all(Broker& broker, const std::string& stream, std::uint64_t from,
                                     std::uint64_t to);

} // namespace skein::node
