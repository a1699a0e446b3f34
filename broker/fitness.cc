#include "broker/fitness.h"

#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <random>
#include <utility>

#include "broker/server/access.h"
#include "core/base/subject.h"

namespace skein::broker {
namespace {

/// An answer that another thread gives, once.
template <class T>
class Awaited {
 public:
  void set(T value) {
    const std::lock_guard lock(mutex_);
    if (!value_) {
      value_.emplace(std::move(value));
    }
    changed_.notify_all();
  }
  std::optional<T> wait(Millis limit) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::milliseconds(limit.count),
                      [this] { return value_.has_value(); });
    return std::move(value_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<T> value_;
};

constexpr std::uint64_t kCanaryBytes = 1u << 20;
constexpr Millis kDenied{1'000}; ///< a refusal is told at once; silence means the same

std::string points(const std::vector<std::string>& found) {
  std::string text;
  for (const std::string& point : found) {
    text += (text.empty() ? "" : "; ") + point;
  }
  return text;
}

/// Writes one message and waits until it is read back.
Result<void> canary(Broker& broker, const FitnessOptions& options) {
  StreamSpec spec;
  spec.name = options.stream;
  spec.subjects = {Subject("skein-canary").add(options.stream).text()};
  spec.max_bytes = kCanaryBytes;
  auto made = broker.make_stream(spec);
  if (!made) {
    return made.error();
  }
  std::random_device random;
  const std::string word = std::to_string(random()) + "-" + std::to_string(random());
  auto read = std::make_shared<Awaited<bool>>();
  auto tail = broker.tail({spec.name, "", made->last + 1}, [read, word](Stored&& stored) {
    if (stored.message.payload == word) {
      read->set(true);
    }
  });
  if (!tail) {
    return tail.error();
  }
  auto stored = std::make_shared<Awaited<Result<Appended>>>();
  broker.append({spec.subjects.front(), "", {}, word}, "",
                [stored](Result<Appended> answer) { stored->set(std::move(answer)); });
  auto answer = stored->wait(options.limit);
  if (!answer || !*answer) {
    return answer ? answer->error() : Error{Code::broker_timeout, "the canary was not stored"};
  }
  if (!read->wait(options.limit)) {
    return Error{Code::broker_timeout, "the canary was stored and did not come back"};
  }
  return {};
}

/// Calls that only an operator may make. Any answer but a refusal or silence means that it may.
std::vector<std::string> allowed_calls(Broker& broker) {
  constexpr std::array kCalls{"ACCOUNT.PURGE.SKEIN_NO_SUCH_ACCOUNT", "SERVER.REMOVE",
                              "ACCOUNT.STREAM.MOVE.SKEIN_NO_SUCH_ACCOUNT.NO_SUCH_STREAM",
                              "ACCOUNT.STREAM.CANCEL_MOVE.SKEIN_NO_SUCH_ACCOUNT.NO_SUCH_STREAM",
                              "STREAM.RESTORE.SKEIN_NO_SUCH_STREAM"};
  std::vector<std::string> allowed;
  for (const char* const call : kCalls) { // one by one: the server tells only of its last refusal
    const std::string subject = std::string("$JS.API.") + call;
    auto answer = std::make_shared<Awaited<Result<Message>>>();
    // No JSON: where the call is allowed, it is refused for that.
    broker.request({subject, "", {}, "self-test of skein"}, kDenied,
                   [answer](Result<Message> got) { answer->set(std::move(got)); });
    const auto got = answer->wait(Millis{kDenied.count * 2});
    if (got && *got) {
      allowed.push_back("the user may publish to '" + subject +
                        "' (permissions.publish.deny of the user)");
    }
  }
  return allowed;
}

bool lets_anybody_in(const NatsOptions& connected_with) {
  NatsOptions nobody;
  nobody.urls = connected_with.urls;
  nobody.tls = connected_with.tls;
  nobody.name = "skein self-test without credentials";
  nobody.first_connection = Millis{3'000};
  return connect(nobody).ok();
}

bool has_credentials(const NatsOptions& options) {
  return !options.user.empty() || !options.token.empty() || !options.credentials.empty() ||
         !options.nkey.empty();
}

} // namespace

Result<Fitness> check_fitness(NatsBroker& broker, const NatsOptions& connected_with,
                              const FitnessOptions& options) {
  const Greeting server = broker.server();
  Fitness fitness{server.version, {}};
  std::vector<std::string> wrong;
  if (version_of(server.version) < std::pair(2, 9)) {
    wrong.push_back("nats-server " + server.version + " is older than 2.9");
  } else if (version_of(server.version) < std::pair(2, 10)) {
    fitness.warnings.push_back("nats-server " + server.version +
                               " works; 2.10 or newer is recommended: it syncs its disk in time "
                               "and its known holes are closed");
  }
  if (broker.max_payload() < options.least_payload) {
    wrong.push_back("messages may have " + std::to_string(broker.max_payload()) + " bytes, " +
                    std::to_string(options.least_payload) + " are needed (max_payload)");
  }
  if (!server.jetstream) {
    wrong.push_back(
        "JetStream is off (jetstream { store_dir: … }, and jetstream: enabled of the "
        "account)");
  } else if (auto came_back = canary(broker, options); !came_back) {
    if (came_back.error().code == Code::broker_unreachable) {
      return came_back.error();
    }
    wrong.push_back("what is written does not come back: " + came_back.error().detail);
  }
  if (!has_credentials(connected_with)) {
    fitness.warnings.emplace_back("anybody who reaches the nats-server is let in (accounts)");
  } else if (lets_anybody_in(connected_with)) {
    wrong.emplace_back(
        "somebody without credentials is let in (no_auth_user, or users only in "
        "authorization beside accounts)");
  }
  if (options.test_permissions) {
    for (std::string& allowed : allowed_calls(broker)) {
      wrong.push_back(std::move(allowed));
    }
  }
  if (!wrong.empty()) {
    return Error{Code::broker_unfit, "the nats-server is not fit: " + points(wrong),
                 "compare with deploy/nats/ and check with nats-server -t -c FILE"};
  }
  return fitness;
}

} // namespace skein::broker
