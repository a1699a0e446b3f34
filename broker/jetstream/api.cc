#include "broker/jetstream/api.h"

#include <array>
#include <charconv>
#include <future>
#include <utility>
#include <vector>

#include "core/base/subject.h"
#include "core/value/json.h"

namespace skein::broker {
namespace {

constexpr std::int64_t kNanosPerMs = 1'000'000;
constexpr std::int64_t kMaxUnanswered = 65'536; ///< of all who share a consumer
constexpr std::int64_t kTailIdleMs = 5'000;     ///< then the server forgets a tail nobody reads

std::int64_t signed_of(std::uint64_t number) { return static_cast<std::int64_t>(number); }

std::uint64_t number_of(const Value& map, std::string_view key) {
  const Value* found = map.find(key);
  if (found == nullptr) {
    return 0;
  }
  return found->is(Kind::uinteger) ? found->as_uint()
         : found->is(Kind::integer) && found->as_int() >= 0
             ? static_cast<std::uint64_t>(found->as_int())
             : 0;
}

std::string text_of(const Value& map, std::string_view key) {
  const Value* found = map.find(key);
  return found != nullptr && found->is(Kind::string) ? std::string(found->as_string()) : "";
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return read.ec == std::errc() && read.ptr == text.data() + text.size() && !text.empty()
             ? std::optional(number)
             : std::nullopt;
}

} // namespace

Result<Value> parse_answer(std::string_view payload) {
  auto parsed = parse_json(payload, {1u << 20, 32});
  if (!parsed || !parsed->is(Kind::map)) {
    return Error{Code::wire_invalid, "JetStream answered with what is no JSON object"};
  }
  return parsed;
}

std::optional<JetStreamError> refusal_of(const Value& answer) {
  const Value* error = answer.find("error");
  if (error == nullptr || !error->is(Kind::map)) {
    return std::nullopt;
  }
  return JetStreamError{static_cast<int>(number_of(*error, "err_code")),
                        text_of(*error, "description")};
}

Error to_error(const JetStreamError& refusal, const std::string& what) {
  const std::string words =
      "'" + what + "': " + refusal.text + " (JetStream " + std::to_string(refusal.code) + ")";
  switch (refusal.code) {
    case kStreamNotFound:
      return {Code::stream_unknown, words};
    case 10002: // resource limits exceeded for account
    case 10023: // insufficient resources
    case 10026: // maximum consumers limit reached
    case 10027: // maximum number of streams reached
    case 10028: // insufficient memory resources available
    case 10047: // insufficient storage resources available
    case 10077: // the store refused: maximum bytes or messages
      return {Code::broker_full, words, "give the broker more disk, or let streams keep less"};
    case 10054: // message size exceeds maximum allowed
      return {Code::message_too_large, words};
    case 10008: // JetStream system temporarily unavailable
    case 10009: // JetStream cluster not ready to handle request
      return {Code::broker_unreachable, words};
    case 10039: // JetStream not enabled for account
    case 10076: // JetStream not enabled
      return {Code::broker_refused, words, "turn JetStream on in the server and for the account"};
    default:
      return {Code::broker_refused, words};
  }
}

Value stream_request(const StreamSpec& spec) {
  std::vector<Value> subjects(spec.subjects.begin(), spec.subjects.end());
  return object(
      {{"name", spec.name},
       {"subjects", Value::of_list(std::move(subjects))},
       {"retention", "limits"},
       {"storage", "file"},
       {"discard", "old"},
       {"num_replicas", std::int64_t{spec.replicas}},
       {"max_age", spec.max_age.count * kNanosPerMs},
       {"max_bytes", spec.max_bytes == 0 ? -1 : signed_of(spec.max_bytes)},
       {"max_msgs", -1},
       {"max_msgs_per_subject", spec.max_per_subject == 0 ? -1 : signed_of(spec.max_per_subject)},
       {"max_msg_size", -1},
       {"max_consumers", -1},
       {"duplicate_window", spec.duplicate_window.count * kNanosPerMs},
       {"deny_delete", true},
       {"deny_purge", true},
       {"allow_rollup_hdrs", false}});
}

StreamState state_of(const Value& answer) {
  const Value* state = answer.find("state");
  if (state == nullptr || !state->is(Kind::map)) {
    return {};
  }
  const Value* created = answer.find("created");
  return {number_of(*state, "first_seq"), number_of(*state, "last_seq"),
          number_of(*state, "messages"), number_of(*state, "bytes"),
          created != nullptr && created->is(Kind::string) ? std::string(created->as_string()) : ""};
}

Value tail_request(const TailSpec& spec, std::uint64_t from, const std::string& deliver_to) {
  const Value config = object({{"deliver_subject", deliver_to},
                               {"deliver_policy", "by_start_sequence"},
                               {"opt_start_seq", signed_of(from)},
                               {"ack_policy", "none"},
                               {"max_deliver", 1},
                               {"flow_control", true},
                               {"idle_heartbeat", kHeartbeatMs * kNanosPerMs},
                               {"inactive_threshold", kTailIdleMs * kNanosPerMs},
                               {"filter_subject", spec.filter},
                               {"replay_policy", "instant"},
                               {"mem_storage", true},
                               {"num_replicas", 1}});
  return object({{"stream_name", spec.stream}, {"config", config}});
}

Value puller_request(const PullSpec& spec) {
  const Value config = object({{"durable_name", spec.consumer},
                               {"deliver_policy", "all"},
                               {"ack_policy", "explicit"},
                               {"ack_wait", spec.ack_wait.count * kNanosPerMs},
                               {"max_deliver", -1},
                               {"max_ack_pending", kMaxUnanswered},
                               {"max_waiting", 512},
                               {"filter_subject", spec.filter},
                               {"replay_policy", "instant"}});
  return object({{"stream_name", spec.stream}, {"config", config}});
}

Value next_request(std::size_t batch) {
  return object({{"batch", static_cast<std::int64_t>(batch)},
                 {"expires", kPullMs * kNanosPerMs},
                 {"idle_heartbeat", kHeartbeatMs * kNanosPerMs}});
}

Result<Appended> appended_of(std::string_view payload, const std::string& subject) {
  auto answer = parse_answer(payload);
  if (!answer) {
    return answer.error();
  }
  if (const auto refusal = refusal_of(*answer)) {
    return to_error(*refusal, subject);
  }
  const Value* duplicate = answer->find("duplicate");
  return Appended{number_of(*answer, "seq"),
                  duplicate != nullptr && duplicate->is(Kind::boolean) && duplicate->as_bool()};
}

std::optional<Delivered> parse_delivered(std::string_view reply) {
  // $JS.ACK.STREAM.CONSUMER.deliveries.stream.consumer.time.pending, or with DOMAIN.ACCOUNT before
  // the stream and a random token behind.
  if (!reply.starts_with("$JS.ACK.")) {
    return std::nullopt;
  }
  std::array<std::string_view, 12> tokens{};
  std::size_t count = 0;
  while (count < tokens.size()) {
    const auto dot = reply.find('.');
    tokens[count++] = reply.substr(0, dot);
    if (dot == std::string_view::npos) {
      break;
    }
    reply.remove_prefix(dot + 1);
  }
  if (count != 9 && count < 11) {
    return std::nullopt;
  }
  const std::size_t at = count == 9 ? 4 : 6;
  const auto deliveries = parse_number(tokens[at]);
  const auto stream = parse_number(tokens[at + 1]);
  const auto consumer = parse_number(tokens[at + 2]);
  const auto nanos = parse_number(tokens[at + 3]);
  if (!deliveries || !stream || !consumer || !nanos) {
    return std::nullopt;
  }
  return Delivered{*deliveries, *stream, *consumer, Instant{signed_of(*nanos) / kNanosPerMs}};
}

void ask(Replies& replies, const std::string& call, const std::string& what, const Value& request,
         Millis limit, OnJetStream answer) {
  Message message;
  message.subject = "$JS.API." + call;
  message.payload = request.is_null() ? "" : to_json(request);
  replies.ask(message, "", limit, [what, answer = std::move(answer)](Result<Message> replied) {
    if (!replied) {
      const bool off = replied.error().code == Code::no_responder;
      return answer(off ? to_error({10076, "JetStream is not enabled"}, what) : replied.error(),
                    nullptr);
    }
    auto parsed = parse_answer(replied->payload);
    if (!parsed) {
      return answer(parsed.error(), nullptr);
    }
    if (const auto refusal = refusal_of(*parsed)) {
      return answer(to_error(*refusal, what), &*refusal);
    }
    answer(parsed, nullptr);
  });
}

Waited ask_and_wait(Replies& replies, const std::string& call, const std::string& what,
                    const Value& request, Millis limit) {
  auto promise = std::make_shared<std::promise<Waited>>();
  auto future = promise->get_future();
  ask(replies, call, what, request, limit,
      [promise](const Result<Value>& answer, const JetStreamError* refusal) {
        promise->set_value({answer, refusal != nullptr ? *refusal : JetStreamError{}});
      });
  return future.get();
}

} // namespace skein::broker
