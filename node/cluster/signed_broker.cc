#include "node/cluster/signed_broker.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <spdlog/spdlog.h>

#include <utility>

namespace skein::node {
namespace {

std::string_view signed_as(std::string_view subject) {
  return subject.starts_with("_INBOX") ? std::string_view() : subject;
}

std::string hmac(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), bytes.data(), &length);
  return {reinterpret_cast<const char*>(bytes.data()), length};
}

} // namespace

MessageKey::MessageKey(std::string_view secret, std::string_view cluster)
    : key_(hmac(secret, "skein cluster " + std::string(cluster))) {}

std::string MessageKey::mac(std::string_view subject, std::string_view payload) const {
  std::string text(signed_as(subject));
  text.push_back('\0');
  text += payload;
  return hmac(key_, text).substr(0, kLength);
}

std::string MessageKey::sign(std::string_view subject, std::string payload) const {
  const std::string signature = mac(subject, payload);
  return std::move(payload) + signature;
}

std::optional<std::string> MessageKey::verify(std::string_view subject, std::string payload) const {
  if (payload.size() < kLength) {
    return std::nullopt;
  }
  const std::string signature = payload.substr(payload.size() - kLength);
  payload.resize(payload.size() - kLength);
  return CRYPTO_memcmp(mac(subject, payload).data(), signature.data(), kLength) == 0
             ? std::optional(std::move(payload))
             : std::nullopt;
}

/// Outlives the broker, for answers that are under way.
struct SignedBroker::Gate {
  explicit Gate(MessageKey of) : key(std::move(of)) {}

  bool open(Message& message) {
    auto payload = key.verify(message.subject, std::move(message.payload));
    if (!payload) {
      if (refused++ == 0) {
        spdlog::warn(
            "a message on {} is not signed by a node of this cluster and is dropped; "
            "further ones are counted",
            message.subject);
      }
      return false;
    }
    message.payload = std::move(*payload);
    return true;
  }

  const MessageKey key;
  std::atomic<std::uint64_t> refused = 0;
};

SignedBroker::SignedBroker(Broker& broker, MessageKey key)
    : broker_(broker), gate_(std::make_shared<Gate>(std::move(key))) {}
SignedBroker::~SignedBroker() = default;

std::uint64_t SignedBroker::refused() const { return gate_->refused; }

Result<void> SignedBroker::publish(const Message& message) {
  Message sent = message;
  sent.payload = gate_->key.sign(sent.subject, std::move(sent.payload));
  return broker_.publish(sent);
}

Result<Subscription> SignedBroker::subscribe(const std::string& filter, const std::string& queue,
                                             OnMessage on_message) {
  return broker_.subscribe(filter, queue,
                           [gate = gate_, call = std::move(on_message)](Message&& message) {
                             if (gate->open(message)) {
                               call(std::move(message));
                             }
                           });
}

void SignedBroker::request(Message message, Millis limit,
                           std::function<void(Result<Message>)> answer) {
  message.payload = gate_->key.sign(message.subject, std::move(message.payload));
  broker_.request(std::move(message), limit,
                  [gate = gate_, call = std::move(answer)](Result<Message> answered) {
                    if (answered) {
                      Message& reply = *answered;
                      reply.subject = "_INBOX";
                      if (!gate->open(reply)) {
                        call(Error{Code::wire_invalid, "an answer is not signed by a node", ""});
                        return;
                      }
                    }
                    call(std::move(answered));
                  });
}

Result<StreamState> SignedBroker::make_stream(const StreamSpec& spec) {
  return broker_.make_stream(spec);
}
Result<StreamState> SignedBroker::stream(const std::string& name) { return broker_.stream(name); }

void SignedBroker::append(Message message, const std::string& id,
                          std::function<void(Result<Appended>)> answer) {
  message.payload = gate_->key.sign(message.subject, std::move(message.payload));
  broker_.append(std::move(message), id, std::move(answer));
}

// What is not signed is passed on as nothing, so that whoever reads knows how far it has read.
Result<Subscription> SignedBroker::tail(const TailSpec& spec, OnStored on_message) {
  return broker_.tail(spec, [gate = gate_, call = std::move(on_message)](Stored&& stored) {
    if (!gate->open(stored.message)) {
      stored.message.payload.clear();
    }
    call(std::move(stored));
  });
}

Result<Subscription> SignedBroker::pull(const PullSpec& spec, OnDelivery on_delivery) {
  return broker_.pull(spec, std::move(on_delivery));
}

Subscription SignedBroker::watch_connection(std::function<void(bool up)> on_change) {
  return broker_.watch_connection(std::move(on_change));
}

std::size_t SignedBroker::max_payload() const {
  return broker_.max_payload() - MessageKey::kLength;
}

} // namespace skein::node
