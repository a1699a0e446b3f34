#include "broker/jetstream/pull.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "core/value/json.h"

namespace skein::broker {
namespace {

constexpr std::chrono::milliseconds kLook{250};
constexpr std::chrono::milliseconds kRest{100}; ///< after the server ended a request early
constexpr std::chrono::milliseconds kLongRest{1'000};
/// A request that is this much overdue was forgotten: old servers do not always say so.
constexpr std::chrono::milliseconds kGrace{1'000};

std::string nak(Millis after) {
  return after.count <= 0 ? "-NAK" : "-NAK {\"delay\": " + std::to_string(after.count) + "000000}";
}

class Pulled : public Delivery {
 public:
  Pulled(std::shared_ptr<Pull> pull, std::string reply)
      : pull_(std::move(pull)), reply_(std::move(reply)) {}
  ~Pulled() override {
    if (!answered_.exchange(true)) {
      pull_->answered("", ""); // comes again after the time of the consumer
    }
  }
  Pulled(const Pulled&) = delete;
  Pulled& operator=(const Pulled&) = delete;

  void done() override { answer("+ACK"); }
  void again(Millis after) override { answer(nak(after)); }
  void drop() override { answer("+TERM"); }

 private:
  void answer(std::string_view words) {
    if (!answered_.exchange(true)) {
      pull_->answered(reply_, words);
    }
  }

  const std::shared_ptr<Pull> pull_;
  const std::string reply_;
  std::atomic<bool> answered_{false};
};

} // namespace

Pull::Pull(const Streams& parts, PullSpec spec, OnDelivery on_delivery)
    : parts_(parts), spec_(std::move(spec)), on_delivery_(std::move(on_delivery)) {}

Result<void> Pull::make_consumer() {
  const std::string name = spec_.stream + "." + spec_.consumer;
  Waited there =
      ask_and_wait(parts_.replies, "CONSUMER.INFO." + name, spec_.stream, Value(), parts_.limit);
  if (there.refusal.code == kConsumerNotFound) {
    there = ask_and_wait(parts_.replies, "CONSUMER.DURABLE.CREATE." + name, spec_.stream,
                         puller_request(spec_), parts_.limit);
  }
  return there.answer ? Result<void>() : Result<void>(there.answer.error());
}

Result<void> Pull::start() {
  if (auto made = make_consumer(); !made) {
    return made;
  }
  open();
  watch();
  return {};
}

void Pull::stop() {
  stopped_ = true;
  std::shared_ptr<Listener> listener;
  {
    const std::lock_guard lock(mutex_);
    ++generation_;
    listener = std::exchange(listener_, nullptr);
  }
  if (listener) {
    listener->end();
  }
  const std::lock_guard waits_for_a_call(calling_);
}

void Pull::reconnected() {
  ++parts_.counts.reopened;
  open();
}

/// A subscription of its own for what is asked from here on.
void Pull::open() {
  const std::string inbox = parts_.replies.fresh_subject();
  std::uint64_t generation = 0;
  std::shared_ptr<Listener> old;
  {
    const std::lock_guard lock(mutex_);
    generation = ++generation_;
    old = std::exchange(listener_, nullptr);
    asked_ = 0;
  }
  if (old) {
    old->end();
  }
  auto listener = parts_.link.listen(
      inbox, "",
      [weak = weak_from_this(), generation](natsMsg* message) {
        if (const auto there = weak.lock()) {
          there->on_message(generation, message);
        }
      },
      true);
  bool late = false;
  {
    const std::lock_guard lock(mutex_);
    late = generation_ != generation || stopped_.load();
    if (!late) {
      inbox_ = inbox;
      listener_ = listener;
      resting_ = false;
    }
  }
  if (late) {
    return listener->end();
  }
  request();
}

void Pull::request() {
  Message next;
  std::string inbox;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_.load() || asked_ > 0 || resting_ || unanswered_ >= spec_.credit || !listener_) {
      return;
    }
    asked_ = spec_.credit - unanswered_;
    heard_ = Clock::now();
    request_ends_ = heard_ + std::chrono::milliseconds(kPullMs) + kGrace;
    next.subject = "$JS.API.CONSUMER.MSG.NEXT." + spec_.stream + "." + spec_.consumer;
    next.payload = to_json(next_request(asked_));
    inbox = inbox_;
  }
  if (!parts_.link.send(next, inbox, "")) {
    end_request(kRest);
  }
}

void Pull::end_request(std::chrono::milliseconds rest) {
  {
    const std::lock_guard lock(mutex_);
    asked_ = 0;
    resting_ = rest.count() > 0;
  }
  if (rest.count() == 0) {
    return request();
  }
  parts_.keeper.after(rest, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      {
        const std::lock_guard lock(self->mutex_);
        self->resting_ = false;
      }
      self->request();
    }
  });
}

void Pull::watch() {
  parts_.keeper.after(kLook, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || self->stopped_.load()) {
      return;
    }
    bool silent = false;
    {
      const auto now = Clock::now();
      const std::lock_guard lock(self->mutex_);
      silent = self->asked_ > 0 && (now - self->heard_ > std::chrono::milliseconds(kSilenceMs) ||
                                    now > self->request_ends_);
    }
    if (silent && self->parts_.link.up()) {
      ++self->parts_.counts.reopened;
      self->open();
    }
    self->watch();
  });
}

void Pull::on_message(std::uint64_t generation, natsMsg* message) {
  const char* const raw = natsMsg_GetReply(message);
  const std::string reply = raw != nullptr ? raw : "";
  const auto delivered = parse_delivered(reply);
  bool over = false;
  {
    const std::lock_guard lock(mutex_);
    if (generation_ != generation) {
      return; // comes again after the time of the consumer
    }
    heard_ = Clock::now();
    if (delivered) {
      asked_ -= asked_ > 0 ? 1 : 0;
      over = ++unanswered_ > spec_.credit;
    }
  }
  if (!delivered) {
    return natsMsg_IsNoResponders(message)
               ? make_consumer_again()
               : on_status(header_of(message, "Status"), header_of(message, "Description"));
  }
  if (over) {
    return answered(reply, nak(Millis{0}));
  }
  {
    const std::lock_guard lock(calling_);
    if (stopped_.load()) {
      return;
    }
    Stored stored{to_message(message), delivered->stream_sequence, delivered->at,
                  delivered->deliveries};
    stored.message.reply.clear();
    on_delivery_(std::move(stored), std::make_shared<Pulled>(shared_from_this(), reply));
  }
  request();
}

/// 100 is a heartbeat; 404 and 408 end a request as asked; 409 ends it early, for many reasons.
void Pull::on_status(std::string_view status, std::string_view words) {
  if (status == "100" || status.empty()) {
    return;
  }
  if (status == "404" || status == "408") {
    return end_request(std::chrono::milliseconds(0));
  }
  if (words.find("Consumer Deleted") != std::string_view::npos) {
    return make_consumer_again();
  }
  end_request(kRest);
}

/// The consumer is gone, or JetStream is. One that is there stays as it is: to change it is what
/// old servers do badly.
void Pull::make_consumer_again() {
  const std::string name = spec_.stream + "." + spec_.consumer;
  auto made = [weak = weak_from_this()](const Result<Value>& answer, const JetStreamError*) {
    const auto self = weak.lock();
    if (!self || self->stopped_.load()) {
      return;
    }
    if (!answer) {
      spdlog::warn("broker: consumer {} of {}: {}; trying again", self->spec_.consumer,
                   self->spec_.stream, answer.error().detail);
    }
    self->end_request(answer ? kRest : kLongRest);
  };
  ask(parts_.replies, "CONSUMER.INFO." + name, spec_.stream, Value(), parts_.limit,
      [self = shared_from_this(), name, made](const Result<Value>& answer,
                                              const JetStreamError* refusal) {
        if (refusal == nullptr || refusal->code != kConsumerNotFound) {
          return made(answer, refusal);
        }
        ask(self->parts_.replies, "CONSUMER.DURABLE.CREATE." + name, self->spec_.stream,
            puller_request(self->spec_), self->parts_.limit, made);
      });
}

void Pull::answered(const std::string& reply, std::string_view answer) {
  if (!reply.empty()) {
    parts_.link.send_raw(reply, answer);
  }
  {
    const std::lock_guard lock(mutex_);
    unanswered_ -= unanswered_ > 0 ? 1 : 0;
  }
  request();
}

} // namespace skein::broker
