#pragma once

#include <nats/nats.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "broker/link/event_loop.h"
#include "broker/link/greeting.h"
#include "broker/link/keeper.h"
#include "broker/nats_broker.h"
#include "core/base/result.h"
#include "core/ports/broker.h"

namespace skein::broker {

class Listener;

/// One connection to a nats-server after the other, and what is subscribed on whichever is there.
///
/// The library's own reconnecting is not used: it gives up for ever after two refused logins, keeps
/// messages back, and tells no reason. Here a connection that ends is destroyed and another
/// dialled. Thread-safety: any thread.
class Link {
 public:
  /// Called between two connections and before a new one is used, on one thread. Up: what was
  /// subscribed is subscribed again.
  using OnChange = std::function<void(bool up)>;
  /// The server's words about a permission, and the subject in them.
  using OnRefused = std::function<void(const std::string& subject, const std::string& text)>;
  using OnRaw = std::function<void(natsMsg*)>; ///< keeps nothing of it

  Link(const NatsOptions& options, NatsCounts& counts, Keeper& keeper, OnChange on_change,
       OnRefused on_refused);
  ~Link(); ///< as stop

  void start();
  /// Closes the connection. No listener is called any more, and no change is told.
  void stop();
  /// Waits for the first connection. Errors: of the last attempt.
  Result<void> wait_first(Millis limit);
  bool up() const { return up_.load(); }
  Greeting greeting() const;
  std::size_t max_payload() const { return max_payload_.load(); }

  /// Sends it with the reply subject, and an id as Nats-Msg-Id, where these are not empty.
  Result<void> send(const Message& message, const std::string& reply, const std::string& id);
  /// Without any check, of a subject that the server made: an acknowledgement.
  void send_raw(const std::string& subject, std::string_view payload);

  /// Calls on a thread of the library's pool, one message at a time. Once the handle is gone no
  /// call is under way. REQUIRES: the filter passed its check.
  /// Where a connection is there, the server knows of it on return, unless it is `unbounded`: then
  /// it knows before whatever is sent next, and nothing is dropped however much waits.
  std::shared_ptr<Listener> listen(const std::string& filter, const std::string& queue,
                                   OnRaw on_message, bool unbounded);

  void count_dropped();

 private:
  friend class Listener;
  void run();
  Result<void> dial();
  Result<void> open(const std::string& url, const Address& address);
  void put_away();
  bool is_full();
  void complain(natsStatus status, const std::string& text);
  void detached();
  static void on_closed(natsConnection* connection, void* closure);
  static void on_error(natsConnection* connection, natsSubscription* subscription,
                       natsStatus status, void* closure);

  const NatsOptions options_;
  NatsCounts& counts_;
  Keeper& keeper_;
  const OnChange on_change_;
  const OnRefused on_refused_;
  EventLoop loop_;
  std::atomic<bool> up_{false};
  std::atomic<std::size_t> max_payload_{1u << 20};
  std::atomic<std::uint32_t> sent_{0};
  std::atomic<bool> full_{false};

  std::shared_mutex using_; ///< shared while the connection is used, alone while it changes
  natsConnection* connection_ = nullptr;

  mutable std::mutex mutex_; ///< of the rest; taken before using_ where both are
  std::condition_variable changed_;
  std::set<Listener*> listeners_;
  std::size_t attached_ = 0; ///< subscriptions that the library may still call
  Greeting greeting_;
  std::string last_error_;
  Code last_code_ = Code::broker_unreachable;
  unsigned refusals_ = 0; ///< logins, before the first connection
  std::set<std::string> complained_;
  bool closed_ = true; ///< the library is done with the connection
  bool stopped_ = false;
  std::size_t next_url_ = std::random_device()();
  std::thread dialler_;
};

/// What is subscribed, whichever connection it is on at the time.
class Listener : public std::enable_shared_from_this<Listener> {
 public:
  Listener(Link& link, std::string filter, std::string queue, Link::OnRaw on_message,
           bool unbounded);

  /// No call is under way once this returns, and none follows.
  /// REQUIRES: not called within its own call.
  void end();

 private:
  friend class Link;
  struct Attached;

  natsStatus attach(natsConnection* connection); ///< with the link's lock held
  std::uint64_t newly_dropped();
  static void on_message(natsConnection* connection, natsSubscription* subscription,
                         natsMsg* message, void* closure);
  static void on_complete(void* closure);
  void call(natsMsg* message);

  Link& link_;
  const std::string filter_;
  const std::string queue_;
  const Link::OnRaw on_message_;
  const bool unbounded_;
  std::mutex mutex_;
  std::condition_variable left_;
  bool ended_ = false;
  bool called_ = false;
  Attached* attached_ = nullptr; ///< null where there is no connection
};

/// A message of the library as one of ours.
Message to_message(natsMsg* message);
/// The text of a header; "" where there is none.
std::string_view header_of(natsMsg* message, const char* name);

} // namespace skein::broker
