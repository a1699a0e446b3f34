#include "broker/local_bus.h"

#include <utility>

#include "broker/local/local_state.h"
#include "broker/rules.h"
#include "core/base/subject.h"

namespace skein::broker {

LocalBus::LocalBus(const Clock& clock, const LocalLimits& limits)
    : state_(std::make_shared<State>(clock, limits)) {
  state_->start();
}

LocalBus::~LocalBus() { state_->stop(); }

std::size_t LocalBus::max_payload() const { return state_->limits.max_payload; }

Subscription LocalBus::watch_connection(std::function<void(bool up)> on_change) {
  on_change(true);
  return std::make_shared<int>(0);
}

Result<void> LocalBus::publish(const Message& message) {
  if (auto good = check_message(message, "", max_payload()); !good) {
    return good;
  }
  const std::lock_guard lock(state_->mutex);
  if (LocalStream* const stream = state_->stream_for(message.subject)) {
    stream->append(message, "", state_->clock.now());
  }
  auto routed = state_->route(message);
  return routed ? Result<void>() : Result<void>(routed.error());
}

Result<Subscription> LocalBus::subscribe(const std::string& filter, const std::string& queue,
                                         OnMessage on_message) {
  if (auto good = check_filter(filter); !good) {
    return good.error();
  }
  if (auto good = queue.empty() ? Result<void>() : check_name(queue); !good) {
    return good.error();
  }
  auto made = std::make_shared<State::Subscriber>();
  made->filter = filter;
  made->queue = queue;
  made->on_message = std::move(on_message);
  const std::lock_guard lock(state_->mutex);
  state_->subscribers.push_back(made);
  return state_->handle(made);
}

void LocalBus::request(Message message, Millis limit, std::function<void(Result<Message>)> answer) {
  if (auto good = check_message(message, "", max_payload()); !good) {
    return answer(good.error());
  }
  const std::lock_guard lock(state_->mutex);
  const std::uint64_t number = ++state_->asked;
  message.reply = "_INBOX.local." + std::to_string(number);
  auto routed = state_->route(message);
  if (!routed || *routed == 0) {
    const Error error =
        routed ? Error{Code::no_responder, "nobody answers on '" + message.subject + "'",
                       "start what answers there"}
               : routed.error();
    state_->answer_later([answer = std::move(answer), error] { answer(error); });
  } else {
    state_->questions[number] = {state_->clock.now() + limit, std::move(answer)};
  }
  state_->changed.notify_all();
}

Result<StreamState> LocalBus::make_stream(const StreamSpec& spec) {
  if (auto good = check_name(spec.name); !good) {
    return good.error();
  }
  for (const std::string& subject : spec.subjects) {
    if (auto good = check_filter(subject); !good) {
      return good.error();
    }
  }
  const std::lock_guard lock(state_->mutex);
  return state_->streams.try_emplace(spec.name, spec, state_->limits.max_stream_bytes)
      .first->second.state();
}

Result<StreamState> LocalBus::stream(const std::string& name) {
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->streams.find(name);
  if (found == state_->streams.end()) {
    return Error{Code::stream_unknown, "there is no stream '" + name + "'", "make it first"};
  }
  found->second.expire(state_->clock.now());
  return found->second.state();
}

void LocalBus::append(Message message, const std::string& id,
                      std::function<void(Result<Appended>)> answer) {
  if (auto good = check_message(message, id, max_payload()); !good) {
    return answer(good.error());
  }
  const std::lock_guard lock(state_->mutex);
  LocalStream* const stream = state_->stream_for(message.subject);
  Result<Appended> appended =
      Error{Code::stream_unknown, "no stream takes '" + message.subject + "'", "make the stream"};
  if (stream != nullptr) {
    if (auto routed = state_->route(message); !routed) {
      appended = routed.error();
    } else {
      appended = stream->append(message, id, state_->clock.now());
    }
  }
  state_->answer_later([answer = std::move(answer), appended] { answer(appended); });
  state_->changed.notify_all();
}

Result<Subscription> LocalBus::tail(const TailSpec& spec, OnStored on_message) {
  if (auto there = stream(spec.stream); !there) {
    return there.error();
  }
  auto made = std::make_shared<State::Tailer>();
  made->spec = spec;
  made->on_stored = std::move(on_message);
  const std::lock_guard lock(state_->mutex);
  state_->tailers.push_back(made);
  return state_->handle(made);
}

Result<Subscription> LocalBus::pull(const PullSpec& spec, OnDelivery on_delivery) {
  if (auto good = check_name(spec.consumer); !good) {
    return good.error();
  }
  if (auto there = stream(spec.stream); !there) {
    return there.error();
  }
  auto made = std::make_shared<State::Puller>();
  made->spec = spec;
  made->on_delivery = std::move(on_delivery);
  const std::lock_guard lock(state_->mutex);
  state_->consumers.try_emplace({spec.stream, spec.consumer}, spec);
  state_->pullers.push_back(made);
  return state_->handle(made);
}

} // namespace skein::broker
