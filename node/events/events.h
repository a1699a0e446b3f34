#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/event/cloud_event.h"
#include "core/ports/broker.h"
#include "core/ports/clock.h"
#include "core/trigger/match.h"
#include "node/events/letters.h"
#include "node/node.h"

namespace skein::node {

struct EventSettings {
  std::string tenant = "default";
  std::string incarnation = "1"; ///< of the streams; a name is never used again
  std::uint32_t replicas = 1;
  std::size_t workers = 32;                  ///< runs that are being started at once
  std::size_t credit = 512;                  ///< events that are under way at once
  Millis keep{7 * std::int64_t{86'400'000}}; ///< events and dead letters
  bool anew = false; ///< the streams were lost: whatever is in them has come since
  Millis look{250};  ///< how often the clock is looked at, at least
  /// Whether this node, of those that share the events, fires the schedule and folds the rules of
  /// the trigger of that name. Absent: whether it leads the partition that the name falls into.
  std::function<bool(const std::string& trigger)> owns;
};

/// How far events have come since the node started.
struct EventStatus {
  std::uint64_t published = 0;
  std::uint64_t taken = 0;
  std::uint64_t started = 0;
  std::uint64_t dropped = 0;
  std::uint64_t dead = 0;
  std::uint64_t put_back = 0;
  StreamState stream;
};

/// An event where it lies in the stream; none where the message cannot be read as one.
struct StoredEvent {
  std::uint64_t sequence = 0;
  Instant at;
  Result<event::CloudEvent> event{Error{Code::event_invalid, ""}};
};

/// The events of a tenant: publishes them, keeps them, and starts the flows that triggers name.
///
/// Durability: an event is in the stream before `publish` answers; a run that it starts is durable
/// before the stream is told that it was taken. Ownership: the node, the broker and the clock
/// outlive it; what the node's outbox holds goes through `deliver`.
/// Thread-safety: every method from any thread that may block and is none of the broker's.
class Events {
 public:
  /// Errors: of the broker, storage_*.
  static Result<std::unique_ptr<Events>> open(Node& node, Broker& broker, const Clock& clock,
                                              EventSettings settings = {});
  /// Stops taking events. What is under way ends first.
  virtual ~Events() = default;

  /// Answers, on a thread of the broker, once it is stored. The same event published again is
  /// stored once while the broker remembers it, and starts nothing twice for ever.
  virtual void publish(const event::CloudEvent& event,
                       std::function<void(Result<Appended>)> answer) = 0;
  /// All of them, in order. Answers the first error; those before it are stored.
  virtual Result<void> publish_all(const std::vector<event::CloudEvent>& events) = 0;
  /// A new id for an event without one.
  virtual std::string new_id() = 0;
  /// What the outbox holds: as Outlet. Errors: of the broker.
  virtual void deliver(const OutboxItem& item, std::function<void(Result<void>)> answer) = 0;

  /// The newest `limit`, oldest first, of those from `from` on.
  virtual Result<std::vector<StoredEvent>> list(std::uint64_t from, std::size_t limit) = 0;
  /// Those from now on, on a thread of the broker, for as long as the handle lives.
  virtual Result<Subscription> tail(std::function<void(StoredEvent&&)> on_event) = 0;

  virtual std::vector<Letter> dead() = 0;
  /// Gives it to its trigger, or publishes it, again. Errors: resource_unknown, and why it still
  /// cannot be used; it stays then.
  virtual Result<void> retry(std::uint64_t letter) = 0;
  virtual Result<void> drop(std::uint64_t letter) = 0;

  /// Gives the events of a part of the stream to one trigger, without its rules; runs that they
  /// started already are not started again. Answers how many it took.
  /// Errors: resource_unknown, of the broker.
  virtual Result<std::uint64_t> replay(const std::string& trigger, std::uint64_t from,
                                       std::uint64_t to) = 0;

  /// Triggers as they are applied, by name.
  virtual std::vector<trigger::DefinitionPtr> triggers() = 0;
  /// Looks at once at what is applied, instead of within a second.
  virtual void refresh() = 0;
  virtual EventStatus status() = 0;
};

} // namespace skein::node
