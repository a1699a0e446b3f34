// Envelopes a second from a publisher through nats-server to an actor, beside the C client alone.
// Usage: envelopes [DIRECTORY] [MESSAGES]; prints one line of JSON.

#include <nats/nats.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "broker/nats_broker.h"
#include "broker/nats_server.h"
#include "schemas/codec.h"

using namespace skein;

namespace {

constexpr std::size_t kAhead = 16'384; ///< sent and not received yet: below what a client drops at
constexpr std::size_t kText = 100;     ///< of an envelope of about 300 bytes
constexpr int kPolls = 4;
constexpr int kRounds = 3;
constexpr std::chrono::microseconds kPause{200};

template <class T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "%s\n", to_string(result.error()).c_str());
    std::exit(1);
  }
  return std::move(*result);
}

void must(natsStatus status) {
  if (status != NATS_OK) {
    std::fprintf(stderr, "nats: %s\n", natsStatus_GetText(status));
    std::exit(1);
  }
}

/// About 300 bytes, as the entries of a usual flow are.
std::string envelope() {
  const Entry entry{RunId{"incident-triage-7h2kqx9d"}, Seq{41},
                    flow::Succeeded{Instant{1'795'262'400'123}, flow::Place{.step = 3}, 1,
                                    object({{"exit", 0}, {"line", std::string(kText, 'x')}})},
                    Digest{11, 12}, Digest{13, 14}};
  return schemas::encode_entry(entry, [](const ContentHash&, std::string_view) {});
}

/// Sends all, at most kAhead in front of what was received. Messages a second.
template <class Send>
double measure(std::size_t messages, const std::atomic<std::size_t>& received, const Send& send) {
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < messages; ++i) {
    while (i - received.load(std::memory_order_relaxed) >= kAhead || !send()) {
      std::this_thread::sleep_for(kPause);
    }
  }
  while (received.load() < messages) {
    std::this_thread::sleep_for(kPause);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  return static_cast<double>(messages) / took.count();
}

natsConnection* bare_connection(const broker::NatsOptions& access) {
  natsOptions* options = nullptr;
  must(natsOptions_Create(&options));
  must(natsOptions_SetURL(options, access.urls.front().c_str()));
  must(natsOptions_SetUserInfo(options, access.user.c_str(), access.password.c_str()));
  natsConnection* made = nullptr;
  must(natsConnection_Connect(&made, options));
  natsOptions_Destroy(options);
  return made;
}

double bare(const broker::NatsOptions& access, const std::string& payload, std::size_t messages) {
  natsConnection* const from = bare_connection(access);
  natsConnection* const to = bare_connection(access);
  std::atomic<std::size_t> received{0};
  natsSubscription* subscription = nullptr;
  must(natsConnection_Subscribe(
      &subscription, to, "bench.bare",
      [](natsConnection*, natsSubscription*, natsMsg* message, void* count) {
        static_cast<std::atomic<std::size_t>*>(count)->fetch_add(1, std::memory_order_relaxed);
        natsMsg_Destroy(message);
      },
      &received));
  must(natsConnection_Flush(to));
  const double rate = measure(messages, received, [&] {
    return natsConnection_Publish(from, "bench.bare", payload.data(),
                                  static_cast<int>(payload.size())) == NATS_OK;
  });
  natsSubscription_Unsubscribe(subscription);
  natsConnection_Close(to);
  natsConnection_Close(from);
  natsSubscription_Destroy(subscription);
  natsConnection_Destroy(to);
  natsConnection_Destroy(from);
  return rate;
}

/// One thread that takes what it is given, many at a time, as an actor of a busy scheduler does.
class Actor {
 public:
  Actor() : thread_([this] { run(); }) {}
  ~Actor() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
      wake_.notify_one();
    }
    thread_.join();
  }
  Actor(const Actor&) = delete;
  Actor& operator=(const Actor&) = delete;

  void give(Entry&& entry) {
    const std::lock_guard lock(mutex_);
    mailbox_.push_back(std::move(entry));
    if (sleeping_) {
      sleeping_ = false;
      wake_.notify_one();
    }
  }
  const std::atomic<std::size_t>& received() const { return received_; }

 private:
  void run() {
    std::vector<Entry> taken;
    std::unique_lock lock(mutex_);
    while (!stopped_) {
      sleeping_ = mailbox_.empty();
      wake_.wait(lock, [this] { return stopped_ || !mailbox_.empty(); });
      sleeping_ = false;
      taken.swap(mailbox_);
      lock.unlock();
      received_ += taken.size();
      taken.clear();
      lock.lock();
      for (int i = 0; i < kPolls && mailbox_.empty(); ++i) { // schedulers look before they sleep
        lock.unlock();
        std::this_thread::yield();
        lock.lock();
      }
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Entry> mailbox_;
  bool stopped_ = false;
  bool sleeping_ = false;
  std::atomic<std::size_t> received_{0};
  std::thread thread_;
};

double whole(const broker::NatsOptions& access, const std::string& payload, std::size_t messages) {
  const auto from = must(broker::connect(access));
  const auto to = must(broker::connect(access));
  Actor actor;
  const schemas::BlobSource no_blobs = [](const ContentHash&) -> Result<std::string> {
    return Error{Code::blob_missing, "no blobs here"};
  };
  const auto held = must(to->subscribe("bench.whole", "", [&](Message&& message) {
    actor.give(must(schemas::decode_entry(message.payload, no_blobs)));
  }));
  const Message message{"bench.whole", "", {}, payload};
  return measure(messages, actor.received(), [&] { return from->publish(message).ok(); });
}

} // namespace

int main(int count, char** words) {
  broker::NatsServerOptions options;
  options.folder = count > 1 ? std::filesystem::path(words[1])
                             : std::filesystem::temp_directory_path() / "skein-bench-envelopes";
  const std::size_t messages = count > 2 ? std::strtoul(words[2], nullptr, 10) : 500'000;
  const auto server = must(broker::NatsServer::start(options));
  const std::string payload = envelope();
  std::vector<double> limits;
  std::vector<double> rates;
  for (int round = 0; round < kRounds; ++round) { // by turns, so that other load meets both
    limits.push_back(bare(server->access(), payload, messages));
    rates.push_back(whole(server->access(), payload, messages));
  }
  std::sort(limits.begin(), limits.end());
  std::sort(rates.begin(), rates.end());
  const double limit = limits[kRounds / 2];
  const double rate = rates[kRounds / 2];
  std::printf(
      "{\"name\": \"envelopes\", \"value\": %.0f, \"unit\": \"messages/s\", \"limit\": %.0f, "
      "\"limit_name\": \"the C client, publish to subscribe, %zu bytes\", \"ratio\": %.3f}\n",
      rate, limit, payload.size(), rate / limit);
  return 0;
}
