#include "broker/local/local_stream.h"

#include <algorithm>
#include <utility>

#include "core/base/subject.h"

namespace skein::broker {
namespace {

std::uint64_t size_of(const Message& message) {
  std::uint64_t size = sizeof(Stored) + message.subject.size() + message.payload.size();
  for (const Header& header : message.headers) {
    size += header.name.size() + header.value.size();
  }
  return size;
}

} // namespace

LocalStream::LocalStream(StreamSpec spec, std::uint64_t max_bytes)
    : spec_(std::move(spec)), max_bytes_(spec_.max_bytes != 0 ? spec_.max_bytes : max_bytes) {}

bool LocalStream::takes(const std::string& subject) const {
  return std::any_of(spec_.subjects.begin(), spec_.subjects.end(),
                     [&](const auto& filter) { return subject_matches(filter, subject); });
}

Appended LocalStream::append(const Message& message, const std::string& id, Instant at) {
  expire(at);
  if (const auto known = ids_.find(id); !id.empty() && known != ids_.end()) {
    return {known->second, true};
  }
  Stored stored;
  stored.message = message;
  stored.message.reply.clear();
  if (!id.empty()) {
    stored.message.headers.push_back({"Nats-Msg-Id", id});
  }
  stored.sequence = ++last_;
  stored.at = at;
  bytes_ += size_of(stored.message);
  messages_.push_back(std::move(stored));
  while (bytes_ > max_bytes_ && messages_.size() > 1) {
    let_go_of_first();
  }
  if (!id.empty()) {
    ids_.emplace(id, last_);
    by_age_.emplace_back(at, id);
  }
  return {last_, false};
}

void LocalStream::expire(Instant now) {
  while (spec_.max_age.count > 0 && !messages_.empty() &&
         messages_.front().at + spec_.max_age <= now) {
    let_go_of_first();
  }
  while (!by_age_.empty() && by_age_.front().first + spec_.duplicate_window <= now) {
    ids_.erase(by_age_.front().second);
    by_age_.pop_front();
  }
}

void LocalStream::let_go_of_first() {
  bytes_ -= size_of(messages_.front().message);
  messages_.pop_front();
}

StreamState LocalStream::state() const {
  const std::uint64_t first = last_ == 0 ? 0 : last_ - messages_.size() + 1;
  return {first, last_, messages_.size(), bytes_};
}

const Stored* LocalStream::find(std::uint64_t from, const std::string& filter) const {
  if (messages_.empty() || from > last_) {
    return nullptr;
  }
  const std::uint64_t first = messages_.front().sequence;
  for (std::size_t i = from <= first ? 0 : from - first; i < messages_.size(); ++i) {
    if (filter.empty() || subject_matches(filter, messages_[i].message.subject)) {
      return &messages_[i];
    }
  }
  return nullptr;
}

std::optional<Stored> LocalConsumer::take(const LocalStream& stream, Instant now) {
  for (auto it = pending_.begin(); it != pending_.end();) {
    if (it->second.again_at > now) {
      ++it;
      continue;
    }
    const Stored* kept = stream.find(it->first, "");
    if (kept == nullptr || kept->sequence != it->first) {
      it = pending_.erase(it); // the stream let go of it
      continue;
    }
    it->second.again_at = now + spec_.ack_wait;
    Stored copy = *kept;
    copy.deliveries = ++it->second.deliveries;
    return copy;
  }
  const Stored* next = stream.find(next_, spec_.filter);
  if (next == nullptr) {
    return std::nullopt;
  }
  next_ = next->sequence + 1;
  pending_[next->sequence] = {now + spec_.ack_wait, 1};
  return *next;
}

void LocalConsumer::again(std::uint64_t sequence, Instant at) {
  if (const auto found = pending_.find(sequence); found != pending_.end()) {
    found->second.again_at = at;
  }
}

std::optional<Instant> LocalConsumer::next_due() const {
  std::optional<Instant> due;
  for (const auto& [sequence, pending] : pending_) {
    due = due ? std::min(*due, pending.again_at) : pending.again_at;
  }
  return due;
}

} // namespace skein::broker
