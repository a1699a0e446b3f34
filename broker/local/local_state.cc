#include "broker/local/local_state.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string_view>

#include "core/base/subject.h"

namespace skein::broker {
namespace {

constexpr std::chrono::milliseconds kLook{5}; ///< how often the clock is looked at
constexpr std::size_t kAhead = 64;            ///< messages of one tail that are queued at once

/// Answers for one message that was handed out.
class LocalDelivery : public Delivery {
 public:
  using State = LocalBus::State;

  LocalDelivery(std::shared_ptr<State> state, std::shared_ptr<State::Puller> puller,
                std::uint64_t sequence)
      : state_(std::move(state)), puller_(std::move(puller)), sequence_(sequence) {}
  ~LocalDelivery() override {
    answer([](LocalConsumer&, std::uint64_t) {});
  }
  LocalDelivery(const LocalDelivery&) = delete;
  LocalDelivery& operator=(const LocalDelivery&) = delete;

  void done() override {
    answer([](LocalConsumer& consumer, std::uint64_t sequence) { consumer.done(sequence); });
  }
  void again(Millis after) override {
    answer([at = state_->clock.now() + after](LocalConsumer& consumer, std::uint64_t sequence) {
      consumer.again(sequence, at);
    });
  }
  void drop() override { done(); }

 private:
  template <class Change>
  void answer(const Change& change) {
    const std::lock_guard lock(state_->mutex);
    if (std::exchange(answered_, true)) {
      return;
    }
    const State::ConsumerKey key{puller_->spec.stream, puller_->spec.consumer};
    if (const auto found = state_->consumers.find(key); found != state_->consumers.end()) {
      change(found->second, sequence_);
    }
    --puller_->unanswered;
    state_->changed.notify_all();
  }

  const std::shared_ptr<State> state_;
  const std::shared_ptr<State::Puller> puller_;
  const std::uint64_t sequence_;
  bool answered_ = false;
};

constexpr std::string_view kInbox = "_INBOX.local.";

/// Of the question that a message to this subject answers; 0 where it is none's.
std::uint64_t question_of(std::string_view subject) {
  std::uint64_t number = 0;
  if (subject.starts_with(kInbox)) {
    subject.remove_prefix(kInbox.size());
    std::from_chars(subject.data(), subject.data() + subject.size(), number);
  }
  return number;
}

} // namespace

void LocalBus::State::start() {
  thread_ = std::thread([this] { run(); });
}

void LocalBus::State::stop() {
  {
    const std::lock_guard lock(mutex);
    stopped = true;
    changed.notify_all();
  }
  thread_.join();
  std::deque<Call> left; // outlives the lock, which what it holds may want
  const std::lock_guard lock(mutex);
  left.swap(calls);
}

Subscription LocalBus::State::handle(std::shared_ptr<Reader> reader) {
  auto* const raw = reader.get();
  changed.notify_all();
  return Subscription(raw, [state = shared_from_this(), held = std::move(reader)](void*) {
    std::unique_lock lock(state->mutex);
    held->ended = true;
    state->changed.wait(lock, [&] { return state->called != held.get(); });
    state->forget_ended();
  });
}

void LocalBus::State::forget_ended() {
  const auto ended = [](const auto& reader) { return reader->ended; };
  std::erase_if(subscribers, ended);
  std::erase_if(tailers, ended);
  std::erase_if(pullers, ended);
}

LocalStream* LocalBus::State::stream_for(const std::string& subject) {
  const auto found = std::find_if(streams.begin(), streams.end(),
                                  [&](const auto& named) { return named.second.takes(subject); });
  return found != streams.end() ? &found->second : nullptr;
}

Result<std::size_t> LocalBus::State::route(const Message& message) {
  if (calls.size() >= limits.max_queued) {
    return Error{Code::broker_full,
                 std::to_string(limits.max_queued) + " messages wait for their subscribers"};
  }
  if (auto question = questions.extract(question_of(message.subject))) {
    answer_later([answer = std::move(question.mapped().answer), message] { answer(message); });
    changed.notify_all();
    return std::size_t{1};
  }
  std::map<std::string, std::vector<std::shared_ptr<Subscriber>>> queues;
  std::size_t takers = 0;
  const auto give = [&](const std::shared_ptr<Subscriber>& to) {
    ++takers;
    calls.push_back({to, [raw = to.get(), message] { raw->on_message(Message(message)); }});
  };
  for (const auto& subscriber : subscribers) {
    if (subscriber->ended || !subject_matches(subscriber->filter, message.subject)) {
      continue;
    }
    if (subscriber->queue.empty()) {
      give(subscriber);
    } else {
      queues[subscriber->queue].push_back(subscriber);
    }
  }
  for (const auto& [name, members] : queues) {
    give(members[turns[name]++ % members.size()]);
  }
  changed.notify_all();
  return takers;
}

void LocalBus::State::run() {
  std::unique_lock lock(mutex);
  while (!stopped) {
    if (calls.empty() && !look()) {
      if (awaits_a_time()) {
        changed.wait_for(lock, kLook);
      } else {
        changed.wait(lock);
      }
      continue;
    }
    if (calls.empty()) {
      continue;
    }
    Call call = std::move(calls.front());
    calls.pop_front();
    const bool wanted = !call.reader || !call.reader->ended;
    called = wanted ? call.reader.get() : nullptr;
    lock.unlock();
    if (wanted) {
      call.call();
    }
    call.call = nullptr; // what it held may want the lock
    lock.lock();
    called = nullptr;
    changed.notify_all();
  }
}

bool LocalBus::State::look() {
  const Instant now = clock.now();
  const bool tails = look_at_tails();
  const bool pulls = look_at_pulls(now);
  return look_at_questions(now) || tails || pulls;
}

bool LocalBus::State::look_at_tails() {
  bool any = false;
  for (const auto& tailer : tailers) {
    const LocalStream& stream = streams.at(tailer->spec.stream);
    for (std::size_t i = 0; i < kAhead && !tailer->ended; ++i) {
      const Stored* next = stream.find(tailer->spec.from, tailer->spec.filter);
      if (next == nullptr) {
        break;
      }
      tailer->spec.from = next->sequence + 1;
      calls.push_back(
          {tailer, [raw = tailer.get(), stored = *next] { raw->on_stored(Stored(stored)); }});
      any = true;
    }
  }
  return any;
}

bool LocalBus::State::look_at_pulls(Instant now) {
  bool any = false;
  for (std::size_t i = 0; i < pullers.size(); ++i) {
    const auto& puller = pullers[(turn_ + i) % pullers.size()];
    if (puller->ended || puller->unanswered >= puller->spec.credit) {
      continue;
    }
    LocalConsumer& consumer = consumers.at({puller->spec.stream, puller->spec.consumer});
    auto taken = consumer.take(streams.at(puller->spec.stream), now);
    if (!taken) {
      continue;
    }
    ++puller->unanswered;
    auto delivery = std::make_shared<LocalDelivery>(shared_from_this(), puller, taken->sequence);
    calls.push_back({puller, [raw = puller.get(), stored = *taken, delivery] {
                       raw->on_delivery(Stored(stored), delivery);
                     }});
    any = true;
  }
  ++turn_;
  return any;
}

bool LocalBus::State::look_at_questions(Instant now) {
  bool any = false;
  for (auto it = questions.begin(); it != questions.end();) {
    if (it->second.until > now) {
      ++it;
      continue;
    }
    answer_later([answer = std::move(it->second.answer)] {
      answer(Error{Code::broker_timeout, "nobody answered in time"});
    });
    it = questions.erase(it);
    any = true;
  }
  return any;
}

bool LocalBus::State::awaits_a_time() const {
  return !questions.empty() || std::any_of(consumers.begin(), consumers.end(), [](const auto& one) {
    return one.second.next_due().has_value();
  });
}

} // namespace skein::broker
