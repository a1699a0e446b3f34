#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "core/ports/broker.h"

namespace skein::broker {

/// A stream in memory. Thread-safety: none.
class LocalStream {
 public:
  LocalStream(StreamSpec spec, std::uint64_t max_bytes);

  bool takes(const std::string& subject) const;
  Appended append(const Message& message, const std::string& id, Instant at);
  /// Lets go of what is too old.
  void expire(Instant now);
  StreamState state() const;
  /// The first message from the sequence on that the filter takes; null where there is none yet.
  const Stored* find(std::uint64_t from, const std::string& filter) const;

 private:
  void let_go_of_first();

  const StreamSpec spec_;
  const std::uint64_t max_bytes_;
  std::deque<Stored> messages_;
  std::uint64_t last_ = 0;
  std::uint64_t bytes_ = 0;
  std::map<std::string, std::uint64_t> ids_; ///< sequences of messages within the window
  std::deque<std::pair<Instant, std::string>> by_age_;
};

/// What those who share a consumer of a stream have and have not done. Thread-safety: none.
class LocalConsumer {
 public:
  explicit LocalConsumer(const PullSpec& spec) : spec_(spec) {}

  /// The next message to hand out, if there is one now.
  std::optional<Stored> take(const LocalStream& stream, Instant now);
  void done(std::uint64_t sequence) { pending_.erase(sequence); }
  void again(std::uint64_t sequence, Instant at);
  /// When the next one comes again by itself.
  std::optional<Instant> next_due() const;

 private:
  struct Pending {
    Instant again_at;
    std::uint64_t deliveries;
  };

  const PullSpec spec_;
  std::uint64_t next_ = 1;
  std::map<std::uint64_t, Pending> pending_;
};

} // namespace skein::broker
