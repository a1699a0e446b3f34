#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/link/keeper.h"
#include "broker/link/link.h"
#include "core/base/instant.h"
#include "core/base/result.h"
#include "core/ports/broker.h"

namespace skein::broker {

/// Questions that were sent and are not answered yet: one subscription takes the answers to all of
/// them, one table says whose each is.
///
/// Every question is answered once: by the reply, when its time is over, or when the connection
/// that it left through ends; after the latter two it may have happened.
/// Thread-safety: any thread.
class Replies {
 public:
  using Answer = std::function<void(Result<Message>)>;

  /// Subjects are PREFIX.RANDOM.NUMBER.
  Replies(Link& link, Keeper& keeper, NatsCounts& counts, const std::string& prefix);
  ~Replies(); ///< answers what is left with broker_timeout

  /// Sends the message with a reply subject of its own. The answer may come before this returns.
  void ask(const Message& message, const std::string& id, Millis limit, Answer answer);
  std::size_t waiting() const;

  /// The connection ended.
  void lost();
  /// The server refused to publish to the subject.
  void refused(const std::string& subject, const std::string& text);
  /// A subject below the inbox that no question has, for a subscription of its own.
  std::string fresh_subject();

 private:
  struct Question {
    std::string subject;
    Answer answer;
  };
  using Questions = std::unordered_map<std::uint64_t, Question>;

  void on_message(natsMsg* message);
  Answer take(std::uint64_t number);
  void sweep();
  static std::int64_t slot_of(std::chrono::steady_clock::time_point at);

  Link& link_;
  Keeper& keeper_;
  NatsCounts& counts_;
  const std::string inbox_;
  mutable std::mutex mutex_;
  Questions questions_;
  /// Numbers by when their time is over, those that were answered too: looked at once each.
  std::map<std::int64_t, std::vector<std::uint64_t>> deadlines_;
  std::uint64_t given_ = 0;
  bool sweeping_ = false;
  std::shared_ptr<Listener> listener_;
  /// What the keeper still holds must not reach a table that is gone.
  std::shared_ptr<Replies*> self_ = std::make_shared<Replies*>(this);
};

} // namespace skein::broker
