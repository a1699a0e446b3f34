#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "broker/link/replies.h"
#include "core/base/result.h"
#include "core/ports/broker.h"
#include "core/value/value.h"

/// What JetStream is asked, and what it answers. Pure, but for ask().
/// Source: NATS architecture decision record 1 (JetStream JSON API), nats-server 2.9.
namespace skein::broker {

/// Why JetStream refused: its public number and words.
struct JetStreamError {
  int code = 0; ///< err_code: 10059 …
  std::string text;
};

inline constexpr int kStreamNotFound = 10059;
inline constexpr int kStreamNameInUse = 10058;
inline constexpr int kSubjectsOverlap = 10065; ///< also with itself, while it is being made
inline constexpr int kConsumerNotFound = 10014;

/// The parsed answer, or what it refuses with. Errors: wire_invalid where it is not JSON.
Result<Value> parse_answer(std::string_view payload);
std::optional<JetStreamError> refusal_of(const Value& answer);
/// As the port's errors; `what` is the stream or subject that was asked for.
Error to_error(const JetStreamError& refusal, const std::string& what);

Value stream_request(const StreamSpec& spec);
StreamState state_of(const Value& answer); ///< of a stream's state, wherever an answer holds it
Value tail_request(const TailSpec& spec, std::uint64_t from, const std::string& deliver_to);
Value puller_request(const PullSpec& spec);
Value next_request(std::size_t batch);
Result<Appended> appended_of(std::string_view payload, const std::string& subject);

/// How long a pull waits on the server, and how often the server says that it is still there.
inline constexpr std::int64_t kPullMs = 10'000;
inline constexpr std::int64_t kHeartbeatMs = 500;
/// Silence after which whatever was open is opened again.
inline constexpr std::int64_t kSilenceMs = 2'000;

/// What the reply subject of a delivered message says: $JS.ACK.…
struct Delivered {
  std::uint64_t deliveries = 0;
  std::uint64_t stream_sequence = 0;
  std::uint64_t consumer_sequence = 0;
  Instant at;
};
std::optional<Delivered> parse_delivered(std::string_view reply);

/// The answer, which is a map that holds no refusal, or the error; with the refusal, where it is
/// one.
using OnJetStream = std::function<void(const Result<Value>&, const JetStreamError*)>;
/// Asks the API below $JS.API.
void ask(Replies& replies, const std::string& call, const std::string& what, const Value& request,
         Millis limit, OnJetStream answer);

/// The same, waiting. REQUIRES: not on a thread that calls back.
struct Waited {
  Result<Value> answer;
  JetStreamError refusal;
};
Waited ask_and_wait(Replies& replies, const std::string& call, const std::string& what,
                    const Value& request, Millis limit);

} // namespace skein::broker
