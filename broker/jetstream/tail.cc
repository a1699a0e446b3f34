#include "broker/jetstream/tail.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <future>
#include <utility>

namespace skein::broker {
namespace {

constexpr std::chrono::milliseconds kLook{250}; ///< how often silence is looked for
constexpr std::chrono::milliseconds kBusyRetry{10};
constexpr std::chrono::milliseconds kFirstBackoff{100};
constexpr std::chrono::milliseconds kLongestBackoff{2'000};

std::uint64_t number_in(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

} // namespace

Tail::Tail(const Streams& parts, TailSpec spec, OnStored on_message)
    : parts_(parts),
      spec_(std::move(spec)),
      on_stored_(std::move(on_message)),
      next_(std::max<std::uint64_t>(spec_.from, 1)) {}

Result<void> Tail::start() {
  auto promise = std::make_shared<std::promise<Result<void>>>();
  auto future = promise->get_future();
  open([promise](Result<void> opened) { promise->set_value(std::move(opened)); });
  auto opened = future.get();
  if (opened) {
    started_ = true;
    watch();
  }
  return opened;
}

void Tail::stop() {
  stopped_ = true;
  ++generation_;
  std::shared_ptr<Listener> listener;
  {
    const std::lock_guard lock(mutex_);
    listener = std::exchange(listener_, nullptr);
  }
  if (listener) {
    listener->end();
  }
  const std::lock_guard waits_for_a_call(calling_);
}

void Tail::reconnected() {
  if (!stopped_.load()) {
    reopen("a new connection");
  }
}

/// Runs where it may be waited for: by start, or on the keeper's thread.
void Tail::open(const Opened& opened) {
  opening_ = true;
  reading_ = false;
  const std::uint64_t generation = ++generation_;
  std::shared_ptr<Listener> old;
  {
    const std::lock_guard lock(mutex_);
    old = std::exchange(listener_, nullptr);
  }
  if (old) {
    old->end();
  }
  auto self = shared_from_this();
  ask(parts_.replies, "STREAM.INFO." + spec_.stream, spec_.stream, Value(), parts_.limit,
      [self, generation, opened](const Result<Value>& answer, const JetStreamError*) {
        if (self->stopped_.load() || self->generation_.load() != generation) {
          return opened(Error{Code::broker_timeout, "the tail was opened again meanwhile"});
        }
        if (!answer) {
          self->on_created(generation, answer);
          return opened(answer.error());
        }
        const StreamState state = state_of(*answer);
        {
          const std::lock_guard lock(self->calling_);
          if (state.last + 1 < self->next_ && self->read_) {
            spdlog::error("broker: stream {} ends at {}, {} was read already: its end was lost",
                          self->spec_.stream, state.last, self->next_ - 1);
            self->next_ = state.last + 1;
          }
        }
        self->create(generation, opened);
      });
}

void Tail::create(std::uint64_t generation, const Opened& opened) {
  auto self = shared_from_this();
  const std::string deliver_to = parts_.replies.fresh_subject();
  auto listener = parts_.link.listen(
      deliver_to, "",
      [weak = weak_from_this(), generation](natsMsg* message) {
        if (const auto there = weak.lock()) {
          there->on_message(generation, message);
        }
      },
      true);
  std::uint64_t from = 0;
  {
    const std::lock_guard lock(calling_);
    consumed_ = 0;
    from = next_;
  }
  {
    const std::lock_guard lock(mutex_);
    listener_ = listener;
  }
  if (stopped_.load()) {
    return listener->end();
  }
  heard();
  ask(parts_.replies, "CONSUMER.CREATE." + spec_.stream, spec_.stream,
      tail_request(spec_, from, deliver_to), parts_.limit,
      [self, generation, opened](const Result<Value>& answer, const JetStreamError*) {
        self->on_created(generation, answer);
        opened(answer ? Result<void>() : Result<void>(answer.error()));
      });
}

void Tail::on_created(std::uint64_t generation, const Result<Value>& answer) {
  if (stopped_.load() || generation_.load() != generation) {
    return;
  }
  heard();
  opening_ = false;
  reading_ = answer.ok();
  const std::lock_guard lock(mutex_);
  if (answer) {
    backoff_ = kFirstBackoff;
    complained_.clear();
    return;
  }
  backoff_ = std::min(backoff_ * 2, kLongestBackoff);
  if (started_.load() && complained_ != answer.error().detail) {
    complained_ = answer.error().detail;
    spdlog::warn("broker: reading stream {}: {}; trying again", spec_.stream, complained_);
  }
}

void Tail::reopen(const char* why) {
  if (stopped_.load() || opening_.exchange(true)) {
    return;
  }
  ++generation_; // nothing of the old consumer is taken from here on
  reading_ = false;
  ++parts_.counts.reopened;
  spdlog::debug("broker: opening the tail of {} again after {}", spec_.stream, why);
  parts_.keeper.post([weak = weak_from_this()] {
    if (const auto self = weak.lock(); self && !self->stopped_.load()) {
      self->open([](const Result<void>&) {});
    }
  });
}

void Tail::watch() {
  parts_.keeper.after(kLook, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || self->stopped_.load()) {
      return;
    }
    const auto silent = Clock::now() - Clock::time_point(Clock::duration(self->heard_.load()));
    std::chrono::milliseconds patience{kSilenceMs};
    if (!self->reading_.load()) { // it could not be opened: again, ever less often
      const std::lock_guard lock(self->mutex_);
      patience = self->backoff_;
    }
    if (silent > patience && self->parts_.link.up()) {
      self->reopen("silence");
    }
    self->watch();
  });
}

void Tail::on_message(std::uint64_t generation, natsMsg* message) {
  const std::lock_guard lock(calling_);
  if (generation_.load() != generation || stopped_.load()) {
    return;
  }
  heard();
  const char* const reply = natsMsg_GetReply(message);
  const auto delivered = parse_delivered(reply != nullptr ? reply : "");
  if (!delivered) {
    return on_status(message);
  }
  if (delivered->consumer_sequence != consumed_ + 1) {
    return reopen("a gap");
  }
  consumed_ = delivered->consumer_sequence;
  read_ = true;
  next_ = delivered->stream_sequence + 1;
  Stored stored;
  stored.message = to_message(message);
  stored.message.reply.clear();
  stored.sequence = delivered->stream_sequence;
  stored.at = delivered->at;
  on_stored_(std::move(stored));
  heard();
}

void Tail::on_status(natsMsg* message) {
  if (header_of(message, "Status") != "100") {
    return;
  }
  const char* const reply = natsMsg_GetReply(message);
  const std::string_view stalled = header_of(message, "Nats-Consumer-Stalled");
  if (reply != nullptr && *reply != '\0') {
    parts_.link.send_raw(reply, ""); // flow control: what was sent before has been read
  } else if (!stalled.empty()) {
    parts_.link.send_raw(std::string(stalled), "");
  }
  const std::string_view last = header_of(message, "Nats-Last-Consumer");
  if (!last.empty() && number_in(last) != consumed_) {
    reopen("a gap before a heartbeat");
  }
}

} // namespace skein::broker
