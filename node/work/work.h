#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "actors/run_host.h"
#include "actors/slots.h"
#include "core/ports/broker.h"
#include "core/ports/clock.h"
#include "core/ports/tool.h"
#include "schemas/node_codec.h"

namespace skein::node {

/// Attempts that run on another node than the one that leads their run.
///
///   leader: attempts wait for a slot ──► asks for places ──► claims ──► its intent is durable ──►
///   gives the work ──► … ──► the result, which counts only while it leads as of the same epoch
///   worker: keeps a slot for each claim ──► runs it ──► says what became of it until the leader
///   has heard it
///
/// A node that takes over asks all others what they run for its partitions, and hears the results
/// instead of running it again. What a worker took with it when it was lost is settled by the class
/// of the effect, as after a crash.
/// Source: fencing tokens as in Chubby (Burrows, 2006).
/// Thread-safety: any thread; `tick` by one. Ownership: everything it is given is the caller's and
/// outlives it, and answers of the broker.
class Work {
 public:
  struct Ways {
    /// Where a node takes questions.
    std::function<std::string(NodeId)> subject;
    /// In which a partition is led, as far as this node has read.
    std::function<Epoch(PartitionId)> epoch;
    std::function<bool(PartitionId)> leads; ///< this node
  };

  Work(Broker& broker, const Clock& steady, NodeId self, Ways ways, Millis ask_limit);

  /// `tools` may be null: then it works for nobody.
  void open(actors::RunHost& host, ToolBox* tools);
  /// Waits for nothing that runs elsewhere: whoever leads next does. Each ends with worker_lost.
  void let_go();
  /// Says nothing more.
  void close();

  /// Asks for places where attempts wait, says again what was not heard, and forgets what has
  /// become too old. `there` are the other nodes that run; `open_to` those of them that take work.
  void tick(const std::vector<NodeId>& there, const std::vector<NodeId>& open_to);

  /// Asks these nodes what they run for partitions that this one leads now; `asked` is called once
  /// all have answered, or could not.
  void take_over(const std::vector<PartitionId>& partitions, const std::vector<NodeId>& there,
                 const std::function<void()>& asked);
  /// Where this attempt runs already, as another node said; null where none did.
  actors::WorkerPtr running(const ToolCall& call);

  /// What another node asked or said. The answer; nothing where it is none of the messages of work.
  std::optional<schemas::NodeMessage> on_message(NodeId from, const schemas::NodeMessage& message);

  std::size_t guests() const;                          ///< attempts of other nodes that run here
  std::uint64_t given() const { return given_count_; } ///< to others, since the start
  std::uint64_t refused() const { return refused_; }   ///< of older epochs than this node knows

 private:
  /// Of which node, and its number there.
  using Claim = std::pair<NodeId, std::uint64_t>;
  class Place;
  /// Of this node, somewhere else.
  struct Given {
    schemas::WorkGiven work;
    ToolDone done;
    Instant said;
    Instant since;       ///< the worker has answered
    bool heard = false;  ///< by the worker
    bool unsure = false; ///< it may have been
    bool gone = false;   ///< nobody answers there
  };
  /// Of another node, here.
  struct Guest {
    NodeId of;
    std::shared_ptr<void> slot;
    Instant since; ///< it was kept, or has ended
    bool begun = false;
    bool awaited = false; ///< its leader waits for the result
    bool cancelled = false;
    RunId run; ///< the rest once it has begun
    Epoch epoch;
    std::string key;
    std::uint32_t attempt = 0;
    std::shared_ptr<ToolHandle> handle;
    std::optional<ToolResult> ended;
    Instant said;
  };

  void ask_for_places(const std::vector<NodeId>& open_to);
  void on_places(NodeId at, const schemas::WorkPlaces& places);
  void give(const Claim& claim, const ToolCall& call, ToolDone done, bool runs_there);
  void send(const Claim& claim);
  void settle_given(const std::vector<NodeId>& there, Instant now);
  schemas::NodeMessage hear(NodeId from, const schemas::WorkEnded& ended);
  void cancel(const Claim& claim);
  bool is_led(const Given& given) const;
  void say_dropped(const Claim& claim);

  schemas::NodeMessage keep_places(NodeId from, const schemas::WorkPlacesAsked& asked);
  schemas::NodeMessage begin(NodeId from, const schemas::WorkGiven& work);
  void ended(std::uint64_t claim, ToolResult result);
  void say_ended(std::uint64_t claim);
  void settle_guests(Instant now);
  schemas::NodeMessage tell(NodeId from, const schemas::WorkAsked& asked);
  void drop(NodeId from, const schemas::WorkDropped& dropped);

  void find(NodeId at, const schemas::NodeMessage& answer);
  bool is_open() const;
  void ask(NodeId node, const schemas::NodeMessage& message,
           std::function<void(const Result<schemas::NodeMessage>&)> answered);

  Broker& broker_;
  const Clock& steady_;
  const NodeId self_;
  const Ways ways_;
  const Millis ask_limit_;
  std::atomic<std::uint64_t> given_count_ = 0;
  std::atomic<std::uint64_t> refused_ = 0;
  mutable std::mutex mutex_;
  actors::RunHost* host_ = nullptr;
  ToolBox* tools_ = nullptr;
  std::uint64_t next_claim_ = 0;
  std::map<Claim, Given> given_;
  std::map<std::uint64_t, Guest> guests_; ///< by the number of the claim
  /// By the key of the effect and the number of the attempt: what others said that they run.
  std::map<std::pair<std::string, std::uint32_t>, Claim> found_;
  std::set<NodeId> asked_;               ///< for places, and not answered yet
  std::map<NodeId, Instant> not_before_; ///< had none when it was asked
};

} // namespace skein::node
