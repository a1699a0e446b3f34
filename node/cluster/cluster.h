#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "actors/run_host.h"
#include "core/cluster/members.h"
#include "core/ports/broker.h"
#include "core/ports/clock.h"
#include "core/ports/replica_store.h"
#include "node/cluster/copies.h"
#include "node/cluster/log_stream.h"
#include "node/cluster/member_status.h"
#include "node/work/work.h"

namespace skein::node {

/// One node's part in a cluster: reads the log, says that it is there, takes over what nobody
/// leads, hands over what others should lead, and passes events on to whoever leads their run.
///
///   tick ──► beat ──► members ──► announce, or hold a partition until its attempts have ended, and
///   announce its next leader
///
/// Nothing here keeps two nodes from leading one partition: the order of the log does (LogStream).
/// Thread-safety: any thread. Ownership: everything it is given is the caller's and outlives it.
class Cluster {
 public:
  struct Options {
    LogName log;
    std::uint64_t generation = 0; ///< of the log's stream, as far as is known
    std::uint64_t life = 0;       ///< of this process: when it was started, by the wall clock
    std::uint32_t replicas = 1;
    cluster::Timing timing;
    bool alone = false;             ///< the broker is this node's own
    Millis hand_over_limit{10'000}; ///< how long attempts may keep a partition from moving
    Millis ask_limit{5'000};        ///< how long another node may take to answer
    std::string name;
    std::string url;
    Value labels; ///< of this node: a map of texts, or null
  };
  struct Hooks {
    /// Runs of these partitions are this node's: wake those that go on. Must not block.
    std::function<void(const std::vector<PartitionId>&)> recover;
    /// A batch of another node is written: its entries can be shown.
    std::function<void(const Batch&)> on_batch;
    /// The log goes on in a stream of this generation. Must not block.
    std::function<void(std::uint64_t)> on_generation;
    /// This node must stop: see LogStream, or another process has its name.
    std::function<void(const Error&)> on_broken;
  };

  /// `steady` only goes on, also while the machine sleeps.
  Cluster(Broker& broker, Store& store, ReplicaStore& copies, actors::Commits& local,
          const Clock& wall, const Clock& steady, Options options, Hooks hooks);
  ~Cluster();

  /// Where the host's partitions commit.
  actors::Commits& commits() { return log_; }

  /// Reads the log from where the store ends, and joins. REQUIRES: tick is called often from now
  /// on, and `host` takes part until close().
  /// With `tools` it also runs attempts for other nodes.
  Result<void> open(actors::RunHost& host, ToolBox* tools = nullptr);
  void close();

  /// To be called every 50 ms or so, by one thread.
  void tick();

  /// The nodes of the cluster, whether they run or not: in a new stream of the log nobody leads
  /// before all of them have said what they have.
  void know(std::set<NodeId> nodes);

  /// What has happened is written here once this node has the run's partition up to the answer
  /// (LogStream::wait_until_written).
  using Told = std::function<void(Result<LogIndex>)>;
  /// Gives the event to the run, wherever it is led. Errors: also not_leader, broker_*; what was
  /// passed on and not answered is broker_timeout, and may have happened.
  void deliver(const RunId& run, flow::Event event, Told told);
  bool leads(PartitionId partition) const;

  /// Leads nothing any more, as soon as other nodes take over; or its share again.
  void drain(bool on = true);
  /// Asks a node, maybe this one, to do so. Errors: broker_*.
  void ask_to_drain(NodeId node, bool on, std::function<void(Result<void>)> told);
  /// Whether it leads nothing.
  bool is_drained() const;

  bool is_ready() const;
  /// Whom the log waits for before it goes on.
  std::set<NodeId> awaited() const;
  /// Messages of the nodes, and about them, that could not be read, or said to be another's.
  std::uint64_t misread() const { return misread_; }
  /// Partitions that were taken from other nodes since the start.
  std::uint64_t copies_taken() const { return copies_.taken(); }
  /// Whether it is ready, and every partition has a leader that is there.
  bool is_settled() const;
  std::vector<MemberStatus> members() const;
  /// What it runs for others, and they for it.
  Work& work() { return work_; }
  const Work& work() const { return work_; }
  LogStream& log() { return log_; }
  const LogStream& log() const { return log_; }

 private:
  struct Holding {
    NodeId to;
    std::uint64_t life = 0; ///< of its process
    Instant since;
    bool announced = false;
  };
  /// A partition that this node is announced to lead: it does once the others have nothing more.
  struct Agreeing {
    Epoch epoch;
    Instant since;
    std::set<NodeId> agreed;
  };

  std::string encoded(const schemas::NodeMessage& message) const;
  std::string subject_of(NodeId node, const char* what) const;
  void on_generation(std::uint64_t generation);
  void follow_others();
  void step_back(const PartitionSet& behind);
  std::vector<NodeId> others() const;
  std::vector<NodeId> others_that_take_work() const;
  std::map<PartitionId, LogIndex> delivered() const;
  void drop_delivered();
  void on_leader(const schemas::LeaderAnnounced& announced);
  std::set<NodeId> lead_what_is_agreed(Instant now);
  void ask_what_others_hold(Instant now);
  void on_held(NodeId node, const Result<Message>& answered);
  void on_alive(const schemas::Alive& alive);
  void on_ask(Message&& message);
  void misread(const Message& message);
  void answer(const std::string& to, PartitionId partition, const Result<void>& result);
  void beat(Instant now);
  void act(const cluster::Effect& effect, Instant now);
  void move_held(Instant now);
  void pass_on(NodeId to, const RunId& run, flow::Event event, Told told);

  Broker& broker_;
  Store& store_;
  const Clock& wall_;
  const Clock& steady_;
  const Options options_;
  const Hooks hooks_;
  LogStream log_;
  Copies copies_;
  Work work_;
  actors::RunHost* host_ = nullptr;
  mutable std::mutex mutex_;
  cluster::Members members_;
  std::map<NodeId, schemas::Alive> said_; ///< of the others, last
  PartitionSet acting_;
  std::set<NodeId> known_;
  std::map<PartitionId, LogIndex> delivered_; ///< by their leaders, and not dropped here yet
  std::atomic<std::uint64_t> misread_ = 0;
  std::map<PartitionId, Agreeing> agreeing_;
  std::map<NodeId, Instant> asked_; ///< what they hold, and not answered yet
  std::vector<PartitionId> to_recover_;
  std::map<PartitionId, Holding> holding_;
  std::optional<Instant> beaten_;
  bool open_ = false;
  std::vector<Subscription> subscriptions_;
};

} // namespace skein::node
