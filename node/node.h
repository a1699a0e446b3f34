#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/cluster/members.h"
#include "core/flow/definition.h"
#include "core/flow/event.h"
#include "core/flow/loader.h"
#include "core/ports/broker.h"
#include "core/ports/outlet.h"
#include "core/ports/store.h"
#include "core/ports/tool.h"
#include "core/run/run.h"
#include "node/cluster/member_status.h"

namespace skein::node {

/// With whom a node shares its partitions.
struct ClusterSettings {
  /// Connects; called once the data directory is this process's own.
  std::function<Result<std::shared_ptr<Broker>>()> connect;
  std::string cluster = "skein"; ///< name; the same on all its nodes, and of one cluster a broker
  std::uint32_t replicas = 1;    ///< of the streams, on a broker of several servers
  cluster::Timing timing;
  bool alone = false;      ///< the broker is this node's own, and nobody else is on it
  std::string name;        ///< of this node, for people; no two of a cluster have the same
  std::string key;         ///< that all its nodes have, and nobody else; "" where there is none
  std::string url;         ///< of its API, for the other nodes' users
  Value labels;            ///< of this node, for `placement`: a map of texts, or null
  Millis patience{10'000}; ///< how long what is asked for waits while nobody leads a partition
};

/// Everything that a node can be told; defaults are for one machine without a server.
struct Settings {
  std::filesystem::path data; ///< directory of the database
  bool make = true;           ///< the directory where there is none, or an empty one
  std::vector<std::filesystem::path>
      roots;           ///< where the file and shell tools may work; empty: the current directory
  bool sandbox = true; ///< of shell steps that do not say
  bool shell_unsandboxed = true;              ///< whether shell steps may ask for `sandbox: none`
  bool shell_network = true;                  ///< whether shell steps may ask for the network
  std::vector<std::string> shell_commands;    ///< what shell steps may run; empty: anything
  std::vector<std::string> shell_environment; ///< more variables of this process that they see
  std::vector<std::string> http_allow; ///< what http steps may reach besides public addresses
  std::size_t threads = 0; ///< of the actor scheduler; 0: one per processor but the committer's
  std::size_t effects_in_flight = 256; ///< tool calls that run at once
  std::size_t live_runs = 100'000;     ///< runs in memory at once; others wait for admission
  bool recover = true;                 ///< at start, go on with the runs that a crash cut off
  std::optional<ClusterSettings>
      cluster;                    ///< absent: leads every partition, commits to its own disk
  std::shared_ptr<Outlet> outlet; ///< where what runs tell the world goes; null: nobody listens
  bool starts_effects = true; ///< false: record what is asked for, leave the rest to a later start
};

/// Whether every setting can be read and none contradicts another. Errors: usage_invalid.
Result<void> check(const Settings& settings);

struct ForkRequest;
class Membership;

struct StartRequest {
  flow::DefinitionPtr definition; ///< its revision is applied already
  Value input;
  Value labels;
  std::optional<RunId> id;           ///< makes the start idempotent
  std::optional<std::uint64_t> seed; ///< random where absent
};

/// A running Skein: storage, actors and tools put together.
///
/// Ownership: owns its threads, its actors and the data directory's lock.
/// Thread-safety: every method from any thread that is not one of its actors.
class Node {
 public:
  /// Errors: usage_invalid, storage_in_use, storage_unreadable, storage_corrupt, wire_version.
  static Result<std::unique_ptr<Node>> open(Settings settings);
  /// Drains with a limit of two seconds.
  virtual ~Node() = default;

  /// Creates the run; it is durable when this returns. The same id with the same definition and
  /// input is the same run; with another it is refused. Errors: run_exists, run_limit,
  /// schema_violation, storage_full where the disk has no room for more than what is begun,
  /// storage_*.
  virtual Result<RunId> start(const StartRequest& request) = 0;

  /// Gives an event to a run and answers once it is durable: a signal, an answer, a cancel, a
  /// pause, a resume, a settlement. Brings a waiting run back into memory. Errors: run_unknown,
  /// run_state_conflict, storage_*.
  virtual Result<void> tell(const RunId& run, flow::Event event) = 0;

  /// Makes sure that a run which was cut off goes on. Does nothing to one that waits or has ended.
  virtual Result<void> resume(const RunId& run) = 0;
  /// All that are pending or running; answers how many, once they are in memory and go on.
  virtual Result<std::size_t> resume_all() = 0;

  /// Waits until the run has ended, is paused, or waits for something that only time or a person
  /// can bring and `stop_when_waiting` is set; or until `give_up` answers true (asked at least ten
  /// times a second).
  virtual Result<RunRecord> wait(const RunId& run, bool stop_when_waiting,
                                 const std::function<bool()>& give_up) = 0;

  /// Calls `watch` for every entry of the run from now on, on a thread of the node, in order, after
  /// it is durable. Ends with the returned handle, which must not outlive the node.
  virtual std::shared_ptr<void> watch(const RunId& run,
                                      std::function<void(const Entry&)> watch) = 0;
  /// Lines that tools log while they run; the same of the handle.
  virtual std::shared_ptr<void> watch_logs(
      std::function<void(const RunId&, const std::string& step, const ToolLog&)> watch) = 0;

  /// Stops admitting work and ends within `limit`: effects that still run are asked to stop and
  /// left to recovery. Afterwards what is stored can be read, and all else is refused with
  /// interrupted.
  virtual void drain(Millis limit) = 0;

  /// A new run from a prefix of another's journal, as node/fork.h says; resume() it.
  virtual Result<RunId> fork(const ForkRequest& request) = 0;

  /// The nodes that share the log, this one first; empty where there is no cluster.
  virtual std::vector<MemberStatus> members() const { return {}; }
  /// Whether it has read the log up to where it was at the start, and every partition has a leader
  /// that is there.
  virtual bool is_settled() const { return true; }
  /// Why it cannot go on, where it cannot: a new start of the process is the way.
  virtual std::optional<Error> trouble() const { return {}; }

  virtual Store& store() = 0;
  /// Grows after each write of a resource to the store.
  virtual std::uint64_t resource_writes() const { return 0; }
  /// Whether this node decides what becomes of the partition.
  virtual bool leads(PartitionId) const { return true; }
  /// Its part in a cluster; null where it has none.
  virtual Membership* membership() { return nullptr; }
  virtual ToolBox& tools() = 0;

  /// Of the data directory.
  virtual NodeId id() const = 0;
  /// Whether this is another process, in which runs go on when this object has gone.
  virtual bool remote() const { return false; }
};

/// The pinned definition of a run, parsed once per process and revision.
/// Errors: resource_unknown, and what the loader finds.
Result<flow::DefinitionPtr> definition_of(const Store& store, const ContentHash& revision);

/// Where the file and shell tools may work if nothing else is said: the current directory; nowhere
/// where that was removed.
std::vector<std::string> default_roots();

/// Loads a flow as a node of these settings does, with the tools that it names and their constant
/// inputs, and starts nothing.
flow::Loaded check_flow(const Document& document, const Settings& settings, bool lenient = false,
                        flow::KnowsFlow knows_flow = {});

/// Whether the flow may start with this input, once complete_input filled it in.
/// Errors: schema_violation, schema_limit.
Result<void> check_input(const flow::Definition& definition, const Value& input);

/// The input with the defaults of the flow's schema for what is not there.
Value complete_input(const flow::Definition& definition, const Value& input);

/// Applies a flow document: checks it, stores a new revision where it changed, answers what to
/// start. Errors: the first that the loader finds, storage_*.
Result<flow::DefinitionPtr> apply_flow(Store& store, const Document& document, Instant at,
                                       const ToolBox* tools, bool lenient = false);

} // namespace skein::node
