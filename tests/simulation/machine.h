#pragma once

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "actors/messages.h"
#include "actors/run_host.h"
#include "bugs.h"
#include "core/ports/tool.h"
#include "network.h"
#include "node/cluster/cluster.h"
#include "support/memory_store.h"
#include "world.h"

namespace skein::simulation {

/// What happened outside, as whoever it happened to saw it.
class Ledger {
 public:
  struct Call {
    NodeId node;
    std::uint32_t attempt = 0;
    Instant at;
  };
  void called(const std::string& key, Call call) { calls_[key].push_back(call); }
  const std::map<std::string, std::vector<Call>>& calls() const { return calls_; }

 private:
  std::map<std::string, std::vector<Call>> calls_;
};

/// A disk: what is not synced is gone with a crash. Batches wait for a sync, and are answered after
/// it.
class Disk : public actors::Commits {
 public:
  Disk(World& world, std::function<void(const Batch&)> on_commit, Bug bug)
      : world_(world), on_commit_(std::move(on_commit)), bug_(bug) {
    store_.flaw(bug);
  }

  void submit(Batch batch, Answer answer) override;
  /// Ends what is not synced, without an answer.
  void crash();

  FlawedStore& store() { return store_; }

 private:
  void sync();

  World& world_;
  const std::function<void(const Batch&)> on_commit_;
  const Bug bug_;
  FlawedStore store_;
  std::deque<std::pair<Batch, Answer>> waiting_;
  bool syncing_ = false;
  std::uint64_t life_ = 0;
};

/// The one tool: takes some time, then answers with its own key.
class Work : public Tool {
 public:
  Work(World& world, Ledger& ledger, NodeId node);

  const ToolDescription& description() const override { return description_; }
  Result<void> check(const Value&) const override { return {}; }
  std::unique_ptr<ToolHandle> start(const ToolCall& call, ToolDone done) override;

  /// Nobody hears its answers any more.
  void crash();
  std::function<void()> on_done; ///< somebody must run the actors

 private:
  World& world_;
  Ledger& ledger_;
  NodeId node_;
  std::uint64_t calls_ = 0;
  std::map<std::uint64_t, ToolDone> under_way_;
  ToolDescription description_;
};

class Box : public ToolBox {
 public:
  explicit Box(Work& work) : work_(work) {}
  Tool* find(std::string_view name) const override { return name == "work" ? &work_ : nullptr; }
  std::vector<std::string_view> names() const override { return {"work"}; }

 private:
  Work& work_;
};

/// Batches on their way through the log, one at a time of each partition, and answered too early.
class Eager : public actors::Commits {
 public:
  explicit Eager(actors::Commits& log) : log_(log) {}
  void submit(Batch batch, Answer answer) override;

 private:
  void send_next(PartitionId partition);

  actors::Commits& log_;
  std::map<PartitionId, std::deque<Batch>> waiting_;
};

class Host;

/// One node: a disk that stays, and a process that comes and goes.
class Machine {
 public:
  struct Outside {
    World& world;
    Server& server;
    NetworkFaults& faults;
    Ledger& ledger;
    std::function<Result<flow::DefinitionPtr>(const ContentHash&)> definition_of;
    std::function<void(NodeId, const Batch&)> on_commit;
    std::function<void(NodeId, const Error&)> on_broken;
    std::set<NodeId> nodes; ///< of the cluster
    bool local = false;     ///< without a broker: one node, one disk
    Bug bug = Bug::none;
    std::size_t effects_in_flight = 256; ///< with few, others run what this one leads
  };

  Machine(Outside outside, NodeId id);
  ~Machine();

  void start();
  /// As kill -9.
  void crash();
  bool is_running() const { return process_ != nullptr; }
  /// As SIGSTOP and SIGCONT: nothing is handled meanwhile, and time goes on.
  void freeze(bool frozen);
  void set_linked(bool linked);
  bool is_linked() const { return linked_; }
  bool is_frozen() const { return frozen_; }

  /// Gives an event to a run, through this node.
  void tell(const RunId& run, flow::Event event, actors::Reply reply);

  NodeId id() const { return id_; }
  test::MemoryStore& store() { return disk_.store(); }
  const node::Cluster* cluster() const;
  /// Lets the actors do what they have to, as of now.
  void run_actors();

 private:
  struct Process;

  void tick(std::uint64_t life);
  void make_cluster();
  void wake(const PartitionSet& partitions);
  void come_back();

  Outside outside_;
  const NodeId id_;
  Disk disk_;
  Work work_;
  Box box_;
  std::uint64_t life_ = 0;
  bool frozen_ = false;
  bool linked_ = true;
  std::unique_ptr<Process> process_;
};

} // namespace skein::simulation
