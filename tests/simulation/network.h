#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/ports/broker.h"
#include "world.h"

namespace skein::simulation {

/// What goes wrong on the way, as probabilities of one message, and lengths in milliseconds.
struct NetworkFaults {
  std::int64_t most_delay = 3;
  double lost = 0;  ///< a message, or the answer to an append
  double twice = 0; ///< an append is stored two times
  double ghost = 0; ///< an append is stored seconds after its sender gave up
  std::int64_t ghost_delay = 6'000;
};

class Connection;

/// A broker: subjects, and streams that keep what they stored through every restart.
class Server {
 public:
  Server(World& world, NetworkFaults& faults) : world_(world), faults_(faults) {}

  /// While it is down nothing is taken; who is connected notices.
  void set_up(bool up);
  bool is_up() const { return up_; }
  /// Takes nothing and answers nothing until then, and says nothing of it.
  void stall(Instant until) { stalled_ = until; }
  /// As after a power cut: the last messages of every stream, or a whole stream, are not there.
  void lose(std::size_t messages);
  void lose_streams() { streams_.clear(); }
  /// As a replica of the broker that misses a message in the middle: whoever reads from it finds
  /// everything behind one place earlier. Who reads from it is chosen at each connection.
  void miss_one();

  std::vector<Stored>& stream(const std::string& name) { return streams_[name].kept; }

 private:
  friend class Connection;
  struct Stream {
    StreamSpec spec;
    std::vector<Stored> kept;
    std::optional<std::size_t> missed; ///< by one of the replicas
  };

  void route(const Message& message);
  std::uint64_t store(const Message& message);
  Stream* stream_of(const std::string& subject);

  World& world_;
  NetworkFaults& faults_;
  bool up_ = true;
  std::uint64_t inboxes_ = 0; ///< no name is used twice: an answer may come after its asker's end
  Instant stalled_;
  std::map<std::string, Stream> streams_;
  std::vector<Connection*> connections_; ///< in the order in which they came: runs repeat
};

/// One node's connection. What is under way when it is destroyed never arrives.
class Connection : public Broker, public std::enable_shared_from_this<Connection> {
 public:
  Connection(World& world, Server& server, NetworkFaults& faults, std::string name);
  ~Connection() override;

  /// Cuts it, or joins it again.
  void set_linked(bool linked);
  /// What arrives meanwhile is handled once it is not paused any more.
  void set_paused(bool paused);
  /// Flaws of whoever uses it: what it does not read, and what it sends otherwise.
  std::function<bool(const Stored&)> swallow;
  std::function<void(Message&)> alter;

  Result<void> publish(const Message& message) override;
  Result<Subscription> subscribe(const std::string& filter, const std::string& queue,
                                 OnMessage on_message) override;
  void request(Message message, Millis limit, std::function<void(Result<Message>)> answer) override;
  Result<StreamState> make_stream(const StreamSpec& spec) override;
  Result<StreamState> stream(const std::string& name) override;
  void append(Message message, const std::string& id,
              std::function<void(Result<Appended>)> answer) override;
  Result<Subscription> tail(const TailSpec& spec, OnStored on_message) override;
  Result<Subscription> pull(const PullSpec& spec, OnDelivery on_delivery) override;
  Subscription watch_connection(std::function<void(bool up)> on_change) override;
  std::size_t max_payload() const override { return 1u << 20; }

 private:
  friend class Server;
  /// What this connection's replica of the broker has of a stream.
  std::uint64_t last_of(const Server::Stream& stream) const;
  const Stored& at(const Server::Stream& stream, std::uint64_t sequence) const;
  void changed();

  struct Listener {
    std::string filter;
    OnMessage call;
  };
  struct Tail {
    std::string stream;
    std::uint64_t next = 1;      ///< to arrive
    std::uint64_t under_way = 1; ///< the first that is not
    OnStored call;
    bool open = true;
  };

  bool is_up() const { return linked_ && server_.up_; }
  void deliver(const Message& message);
  void pump(const std::shared_ptr<Tail>& tail);
  void pump_all();
  void resend_all();
  Instant arrival(Instant& last);
  void arrive(std::function<void()> call);

  World& world_;
  Server& server_;
  NetworkFaults& faults_;
  const std::string name_;
  bool linked_ = true;
  bool paused_ = false;
  std::vector<std::function<void()>> held_;
  Instant last_out_;
  Instant last_in_;
  std::map<std::uint64_t, std::shared_ptr<Listener>> listeners_;
  std::uint64_t next_listener_ = 0;
  std::vector<std::weak_ptr<Tail>> tails_;
  std::map<std::uint64_t, std::function<void(bool)>> watchers_;
  bool misses_ = false; ///< it reads from the replica that misses a message
};

} // namespace skein::simulation
