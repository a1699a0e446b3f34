#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/instant.h"
#include "core/base/result.h"

/// What a node needs of a message broker: messages that may be lost, and streams that keep them.
///
/// A broker is not the truth: it may stall for a minute, deliver twice, forget acknowledgements,
/// and lose the end of a stream with its machine. What is built on it checks what it reads.
namespace skein {

struct Header {
  std::string name;
  std::string value;
  bool operator==(const Header&) const = default;
};

struct Message {
  std::string subject; ///< made by Subject (core/base/subject.h), never from raw text
  std::string reply;   ///< where an answer is awaited; "" for nowhere
  /// None that begins with Nats- where it is sent: those are the broker's. Messages that are read
  /// may have some, and what another client sent.
  std::vector<Header> headers;
  std::string payload;
};

/// A message of a stream.
struct Stored {
  Message message;
  std::uint64_t sequence = 0;   ///< where to go on reading; not an identity: replicas may disagree
  Instant at;                   ///< when the broker took it
  std::uint64_t deliveries = 1; ///< how often it was delivered to this consumer, with this time
};

struct StreamSpec {
  std::string name; ///< with an incarnation: a name is never used again
  std::vector<std::string> subjects;
  std::uint32_t replicas = 1;
  Millis max_age{0};           ///< 0: for ever
  std::uint64_t max_bytes = 0; ///< 0: as much as the broker has
  /// Of which the newest are kept; 0: all. A broker in memory may keep more.
  std::uint64_t max_per_subject = 0;
  Millis duplicate_window{120'000};
};

struct StreamState {
  std::uint64_t first = 0; ///< sequence of the oldest message that is kept
  std::uint64_t last = 0;  ///< of the newest; 0 where there was none
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::string created = {}; ///< knows a stream from an earlier one of its name
};

struct Appended {
  std::uint64_t sequence = 0;
  bool duplicate = false; ///< the same id was there already, within the duplicate window
};

struct TailSpec {
  std::string stream;
  std::string filter;     ///< subjects; "" for all of the stream
  std::uint64_t from = 1; ///< sequence; reading starts at the first that is kept from there on
};

struct PullSpec {
  std::string stream;
  std::string consumer; ///< durable: who pulls with the same name shares the messages
  std::string filter;
  Millis ack_wait{30'000};
  std::size_t credit = 256; ///< messages that may be without an answer at once
};

/// One message that was pulled. Exactly one of its methods is called, once, from any thread, also
/// once its subscription has ended; what is dropped without comes again after the time of the
/// consumer.
class Delivery {
 public:
  virtual ~Delivery() = default;
  virtual void done() = 0;
  virtual void again(Millis after) = 0;
  /// Never again: it is kept elsewhere, or of no use.
  virtual void drop() = 0;
};
using DeliveryPtr = std::shared_ptr<Delivery>;

/// Ends, with no call under way, once its last copy is gone. REQUIRES: not let go of within its own
/// call.
using Subscription = std::shared_ptr<void>;

using OnMessage = std::function<void(Message&&)>;
using OnStored = std::function<void(Stored&&)>;
using OnDelivery = std::function<void(Stored&&, DeliveryPtr)>;

/// One connection.
///
/// Errors of all: broker_unreachable (nothing was sent), broker_timeout (it may have happened),
/// broker_refused (permissions), broker_full, subject_invalid, message_too_large, stream_unknown.
/// Thread-safety: any thread. Calls back on threads of its own, of one subscription one at a time;
/// what is called must not block, nor ask the broker for what is answered by returning
/// (make_stream, stream, tail, pull). Answers may come before the call that asks returns.
/// Ownership: outlives its subscriptions and deliveries.
class Broker {
 public:
  virtual ~Broker() = default;

  /// At most once, in order of this connection. Never kept for later: without a connection it
  /// fails.
  virtual Result<void> publish(const Message& message) = 0;
  /// With a queue name, one of those that share it gets each message. What anybody publishes once
  /// this returned is delivered, where there is a connection; it lasts over connections. Who is too
  /// slow loses messages.
  virtual Result<Subscription> subscribe(const std::string& filter, const std::string& queue,
                                         OnMessage on_message) = 0;
  /// Answers once: the reply, no_responder, or broker_timeout after `limit`.
  virtual void request(Message message, Millis limit,
                       std::function<void(Result<Message>)> answer) = 0;

  /// Makes the stream where there is none; one that is there with another specification stays as it
  /// is.
  virtual Result<StreamState> make_stream(const StreamSpec& spec) = 0;
  virtual Result<StreamState> stream(const std::string& name) = 0;
  /// Answers once it is stored. `id`, where there is one, is the broker's dedupe key: a help
  /// against repeats, not a promise. After broker_timeout the same may be appended again.
  virtual void append(Message message, const std::string& id,
                      std::function<void(Result<Appended>)> answer) = 0;
  /// Every message from there on, in order, without a gap and once, for as long as the handle
  /// lives: silence is asked about, and what the broker forgot is opened again where it stopped.
  /// A broker that lost the end of its stream gives the same sequences again to other messages:
  /// reading goes on behind what it still has.
  virtual Result<Subscription> tail(const TailSpec& spec, OnStored on_message) = 0;
  /// Shares the messages of a stream with others. At least once; never more than the credit.
  virtual Result<Subscription> pull(const PullSpec& spec, OnDelivery on_delivery) = 0;

  /// Calls with true after each (re)connect and with false after each loss; at once with what is.
  virtual Subscription watch_connection(std::function<void(bool up)> on_change) = 0;
  /// Largest payload that is taken.
  virtual std::size_t max_payload() const = 0;
};

} // namespace skein
