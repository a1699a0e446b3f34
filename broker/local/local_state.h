#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "broker/local/local_stream.h"
#include "broker/local_bus.h"

namespace skein::broker {

/// Everything of a bus, shared with the deliveries that are still out. One lock; no call is made
/// with it held.
struct LocalBus::State : std::enable_shared_from_this<LocalBus::State> {
  /// Whoever is called back. Ended ones are not called any more.
  struct Reader {
    bool ended = false;
  };
  struct Subscriber : Reader {
    std::string filter;
    std::string queue;
    OnMessage on_message;
  };
  struct Tailer : Reader {
    TailSpec spec;
    OnStored on_stored;
  };
  struct Puller : Reader {
    PullSpec spec;
    OnDelivery on_delivery;
    std::size_t unanswered = 0;
  };
  struct Question {
    Instant until;
    std::function<void(Result<Message>)> answer;
  };
  /// One call that is due: of a reader, or of nobody that could end (null).
  struct Call {
    std::shared_ptr<Reader> reader;
    std::function<void()> call;
  };
  using ConsumerKey = std::pair<std::string, std::string>; ///< stream, consumer

  State(const Clock& its_clock, const LocalLimits& its_limits)
      : clock(its_clock), limits(its_limits) {}

  void start();
  void stop();
  /// A handle that ends the reader, once no call of it is under way.
  Subscription handle(std::shared_ptr<Reader> reader);

  // With the lock held:
  /// Queues the message for its subscribers, its stream, or the question that it answers.
  Result<std::size_t> route(const Message& message);
  LocalStream* stream_for(const std::string& subject);
  void answer_later(std::function<void()> call) { calls.push_back({nullptr, std::move(call)}); }

  const Clock& clock;
  const LocalLimits limits;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Call> calls;
  std::vector<std::shared_ptr<Subscriber>> subscribers;
  std::map<std::string, std::size_t> turns; ///< of each queue
  std::map<std::string, LocalStream> streams;
  std::vector<std::shared_ptr<Tailer>> tailers;
  std::map<ConsumerKey, LocalConsumer> consumers;
  std::vector<std::shared_ptr<Puller>> pullers;
  std::map<std::uint64_t, Question> questions;
  std::uint64_t asked = 0;
  bool stopped = false;
  const Reader* called = nullptr;

 private:
  void run();
  /// Queues what streams have for their readers, and what is overdue. Whether there was anything.
  bool look();
  bool look_at_tails();
  bool look_at_pulls(Instant now);
  bool look_at_questions(Instant now);
  bool awaits_a_time() const;
  void forget_ended();

  std::size_t turn_ = 0;
  std::thread thread_;
};

} // namespace skein::broker
