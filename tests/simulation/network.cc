#include "network.h"

#include <algorithm>

#include "core/base/subject.h"

namespace skein::simulation {
namespace {

Error down() { return {Code::broker_unreachable, "there is no connection", ""}; }

constexpr Millis kGivesUp{2'000};

} // namespace

void Server::set_up(bool up) {
  up_ = up;
  if (up) {
    for (Connection* connection : connections_) {
      connection->changed();
    }
  }
}

void Server::lose(std::size_t messages) {
  for (auto& [name, stream] : streams_) {
    stream.kept.resize(stream.kept.size() - std::min(messages, stream.kept.size()));
  }
}

void Server::miss_one() {
  for (auto& [name, stream] : streams_) {
    if (!stream.missed && stream.kept.size() > 5) {
      stream.missed = stream.kept.size() - 1 - world_.random(5);
    }
  }
}

std::uint64_t Connection::last_of(const Server::Stream& stream) const {
  const bool less = misses_ && stream.missed && *stream.missed < stream.kept.size();
  return stream.kept.size() - (less ? 1 : 0);
}

const Stored& Connection::at(const Server::Stream& stream, std::uint64_t sequence) const {
  const bool later = misses_ && stream.missed && sequence - 1 >= *stream.missed;
  return stream.kept[sequence - 1 + (later ? 1 : 0)];
}

/// It is connected anew.
void Connection::changed() {
  misses_ = world_.chance(0.5);
  for (const auto& [number, call] : std::map(watchers_)) {
    call(is_up());
  }
  resend_all();
}

Server::Stream* Server::stream_of(const std::string& subject) {
  for (auto& [name, stream] : streams_) {
    for (const std::string& filter : stream.spec.subjects) {
      if (subject_matches(filter, subject)) {
        return &stream;
      }
    }
  }
  return nullptr;
}

void Server::route(const Message& message) {
  for (Connection* connection : connections_) {
    connection->deliver(message);
  }
}

std::uint64_t Server::store(const Message& message) {
  Stream* stream = stream_of(message.subject);
  if (stream == nullptr) {
    return 0;
  }
  Stored stored;
  stored.message = message;
  stored.sequence = stream->kept.size() + 1;
  stored.at = world_.now();
  stream->kept.push_back(std::move(stored));
  for (Connection* connection : connections_) {
    connection->pump_all();
  }
  return stream->kept.size();
}

Connection::Connection(World& world, Server& server, NetworkFaults& faults, std::string name)
    : world_(world), server_(server), faults_(faults), name_(std::move(name)) {
  server_.connections_.push_back(this);
}

Connection::~Connection() { std::erase(server_.connections_, this); }

void Connection::set_linked(bool linked) {
  linked_ = linked;
  if (linked) {
    changed();
  }
}

void Connection::set_paused(bool paused) {
  paused_ = paused;
  if (!paused) {
    for (const auto& call : std::exchange(held_, {})) {
      call();
    }
  }
}

void Connection::arrive(std::function<void()> call) {
  if (paused_) {
    held_.push_back(std::move(call));
  } else {
    call();
  }
}

/// In order of the connection, as TCP has it.
Instant Connection::arrival(Instant& last) {
  last = std::max({last, world_.now() + world_.between(0, faults_.most_delay), server_.stalled_});
  return last;
}

Result<void> Connection::publish(const Message& message) {
  if (!is_up()) {
    return down();
  }
  if (!world_.chance(faults_.lost)) {
    world_.at(arrival(last_out_), [server = &server_, message] {
      if (server->up_) {
        server->route(message);
      }
    });
  }
  return {};
}

Result<Subscription> Connection::subscribe(const std::string& filter, const std::string&,
                                           OnMessage on_message) {
  const std::uint64_t number = ++next_listener_;
  listeners_[number] = std::make_shared<Listener>(Listener{filter, std::move(on_message)});
  return Subscription(nullptr, [self = weak_from_this(), number](void*) {
    if (const auto there = self.lock()) {
      there->listeners_.erase(number);
    }
  });
}

void Connection::deliver(const Message& message) {
  for (const auto& [number, listener] : listeners_) {
    if (subject_matches(listener->filter, message.subject)) {
      world_.at(arrival(last_in_), [self = weak_from_this(), number = number, message] {
        const auto there = self.lock();
        if (!there || !there->is_up()) {
          return;
        }
        const auto found = there->listeners_.find(number);
        if (found != there->listeners_.end()) {
          there->arrive([held = found->second, message] { held->call(Message(message)); });
        }
      });
    }
  }
}

void Connection::request(Message message, Millis limit,
                         std::function<void(Result<Message>)> answer) {
  if (!is_up()) {
    answer(down());
    return;
  }
  message.reply = "_INBOX." + name_ + "." + std::to_string(++server_.inboxes_);
  auto waiting = std::make_shared<std::function<void(Result<Message>)>>(std::move(answer));
  auto once = [waiting](Result<Message> result) {
    if (auto call = std::exchange(*waiting, nullptr)) {
      call(std::move(result));
    }
  };
  auto subscription =
      subscribe(message.reply, "", [once](Message&& reply) { once(std::move(reply)); });
  auto held = std::make_shared<Subscription>(std::move(*subscription));
  world_.after(limit, [self = weak_from_this(), once, held] {
    held->reset();
    if (self.lock()) {
      once(Error{Code::broker_timeout, "nobody answered in time", ""});
    }
  });
  if (auto sent = publish(message); !sent) {
    once(sent.error());
  }
}

Result<StreamState> Connection::make_stream(const StreamSpec& spec) {
  if (!is_up()) {
    return down();
  }
  server_.streams_.try_emplace(spec.name, Server::Stream{spec, {}, {}});
  return stream(spec.name);
}

Result<StreamState> Connection::stream(const std::string& name) {
  const auto found = server_.streams_.find(name);
  if (!is_up() || found == server_.streams_.end()) {
    return is_up() ? Error{Code::stream_unknown, "there is no stream " + name, ""} : down();
  }
  const std::uint64_t last = last_of(found->second);
  return StreamState{last == 0 ? 0u : 1u, last, last, 0};
}

void Connection::append(Message message, const std::string&,
                        std::function<void(Result<Appended>)> answer) {
  if (!is_up()) {
    answer(down());
    return;
  }
  auto waiting = std::make_shared<std::function<void(Result<Appended>)>>(std::move(answer));
  auto once = [waiting, self = weak_from_this()](Result<Appended> result) {
    if (auto call = std::exchange(*waiting, nullptr); call && self.lock()) {
      call(std::move(result));
    }
  };
  world_.after(kGivesUp, [once] {
    once(Error{Code::broker_timeout, "the broker has not answered in time", ""});
  });
  if (world_.chance(faults_.lost)) {
    return;
  }
  if (alter) {
    alter(message);
  }
  const auto store = [server = &server_, self = weak_from_this(), message, once] {
    if (!server->up_) {
      return;
    }
    const std::uint64_t sequence = server->store(message);
    const auto there = self.lock();
    if (there && !there->world_.chance(there->faults_.lost)) {
      there->world_.at(there->arrival(there->last_in_), [self, once, sequence] {
        if (const auto alive = self.lock(); alive && alive->is_up()) {
          alive->arrive([once, sequence] { once(Appended{sequence, false}); });
        }
      });
    }
  };
  world_.at(arrival(last_out_), store);
  if (world_.chance(faults_.twice)) {
    world_.at(arrival(last_out_) + world_.between(0, 50), store);
  }
  if (world_.chance(faults_.ghost)) {
    world_.after(world_.between(100, faults_.ghost_delay), store);
  }
}

Result<Subscription> Connection::tail(const TailSpec& spec, OnStored on_message) {
  if (!is_up()) {
    return down();
  }
  auto tail =
      std::make_shared<Tail>(Tail{spec.stream, spec.from, spec.from, std::move(on_message), true});
  tails_.push_back(tail);
  pump(tail);
  return Subscription(nullptr, [tail](void*) { tail->open = false; });
}

void Connection::pump_all() {
  std::erase_if(tails_, [](const std::weak_ptr<Tail>& tail) { return tail.expired(); });
  for (const auto& weak : std::vector(tails_)) {
    if (const auto tail = weak.lock()) {
      pump(tail);
    }
  }
}

// What did not arrive because the connection went.
void Connection::resend_all() {
  for (const auto& weak : tails_) {
    if (const auto tail = weak.lock()) {
      tail->under_way = tail->next;
    }
  }
  pump_all();
}

void Connection::pump(const std::shared_ptr<Tail>& tail) {
  if (!is_up() || !tail->open) {
    return;
  }
  const auto found = server_.streams_.find(tail->stream);
  if (found == server_.streams_.end()) {
    return;
  }
  for (; tail->under_way <= last_of(found->second); ++tail->under_way) {
    const std::uint64_t next = tail->under_way;
    world_.at(arrival(last_in_), [self = weak_from_this(), tail, next] {
      const auto there = self.lock();
      if (!there || !there->is_up() || !tail->open || tail->next != next) {
        return;
      }
      const auto stream = there->server_.streams_.find(tail->stream);
      if (stream != there->server_.streams_.end() && next <= there->last_of(stream->second)) {
        ++tail->next;
        Stored kept = there->at(stream->second, next);
        kept.sequence = next;
        there->arrive([tail, swallow = there->swallow, stored = std::move(kept)] {
          if (tail->open && !(swallow && swallow(stored))) {
            tail->call(Stored(stored));
          }
        });
      }
    });
  }
}

Result<Subscription> Connection::pull(const PullSpec&, OnDelivery) {
  return Error{Code::broker_refused, "nothing simulated pulls", ""};
}

Subscription Connection::watch_connection(std::function<void(bool up)> on_change) {
  on_change(is_up());
  const std::uint64_t number = ++next_listener_;
  watchers_[number] = std::move(on_change);
  return Subscription(nullptr, [self = weak_from_this(), number](void*) {
    if (const auto there = self.lock()) {
      there->watchers_.erase(number);
    }
  });
}

} // namespace skein::simulation
