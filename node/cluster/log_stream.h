#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "actors/committer.h"
#include "core/log/replica.h"
#include "core/ports/broker.h"
#include "core/ports/clock.h"
#include "core/ports/store.h"
#include "node/cluster/backlog.h"
#include "node/cluster/bundles.h"
#include "node/cluster/pieces.h"
#include "schemas/node_codec.h"

namespace skein::node {

/// Which log a node reads.
struct LogName {
  std::string cluster;
  std::uint64_t incarnation = 0;
  NodeId self;

  std::string stream(std::uint64_t generation) const;
  /// Of the messages of one partition, or of everything where there is none.
  std::string subject(std::uint64_t generation, std::optional<PartitionId> partition) const;
  /// Of batches of several partitions.
  std::string bundles(std::uint64_t generation) const;
  /// Of what a node says that it has.
  std::string holds(std::uint64_t generation) const;
};

/// Knows a message again. Never 0.
std::uint64_t mark_of(const Stored& stored);
/// The batch was not taken, and never will be.
Error fenced(PartitionId partition);

/// What was read and did not count, by why.
struct LogCounts {
  std::array<std::atomic<std::uint64_t>, log::kVerdicts> verdicts{}; ///< by log::Verdict
  std::atomic<std::uint64_t> unreadable = 0;
  std::atomic<std::uint64_t> misplaced = 0; ///< of another log or partition than its subject's
};

/// The logs of all partitions as one stream: what the runs of this node propose is sealed and sent,
/// and whatever comes back in order, its own or another node's, is written.
///
///   submit ──► seal ──► append ──► stream ──► read in order ──► counts ──► local write ──► answer
///                                                          └──► does not ──► counted, dropped
///
/// A stream that has lost something is left: the log goes on in one of the next generation, in
/// which every node first says what it has, so that nobody leads with less.
///
/// A batch that is sent is the leader's only one of its partition; until it is read back, or an
/// announcement is read that fences it out, the same bytes are sent again. What is under way when
/// this process ends is committed or not, as the stream has it.
/// Thread-safety: any thread. Calls back on the broker's and the committer's threads.
class LogStream : public actors::Commits {
 public:
  struct Listener {
    /// Who leads from here on; all before it is written.
    std::function<void(const schemas::LeaderAnnounced&)> on_leader;
    /// A batch of another node, written.
    std::function<void(const Batch&)> on_batch;
    /// Nobody leads anything any more: the log goes on in a stream of this generation.
    std::function<void(std::uint64_t generation)> on_generation;
    /// This node cannot go on: what it has is not the next of the log, or cannot be written.
    std::function<void(const Error&)> on_broken;
  };

  /// Ownership: broker, store, `local` and clock are the caller's and outlive it.
  LogStream(Broker& broker, Store& store, actors::Commits& local, const Clock& clock, LogName name,
            Listener listener);
  ~LogStream() override;

  /// Makes the stream where there is none, and reads on where the store ends: in a stream of this
  /// generation, or of a later one that the store knows, or of the next where that one has lost
  /// something. Errors: broker_*, storage_*.
  Result<void> open(std::uint32_t replicas, std::uint64_t generation);
  /// Reads no more; what is asked for from now on is refused with interrupted.
  void close();

  void submit(Batch batch, Answer answer) override;

  /// Says in the log that this process of the node leads the partition, in the next epoch. It does
  /// once `on_leader` says so.
  void announce(PartitionId partition, NodeId leader, std::uint64_t life);

  /// Sends again what has not come back, and looks after the stream. To be called a few times a
  /// second, by one thread, as are the next three.
  void tick();
  /// Goes on in a stream of a later generation, as another node does.
  void follow(std::uint64_t generation);

  /// The partition is about to be replaced by a copy of another node's: nothing of it is read until
  /// it is `adopted`, with what the copy had read, or `released` as it was, and `read_again`.
  void reserve(PartitionId partition);
  /// Whether all is written that was read of it: only then may it be replaced.
  bool is_written(PartitionId partition) const { return backlog_.is_empty(partition); }
  /// Goes on from the copy, and from who led in it: what came behind it in the stream is judged
  /// anew. Errors: storage_*.
  Result<void> adopted(PartitionId partition, StreamPosition read);
  void released(PartitionId partition);
  /// Reads again what came behind the copies, or beside them. Does nothing where there are none.
  void read_again();
  /// Another node has no more than this one: what seemed to be missing is nowhere.
  void nothing_newer(PartitionId partition);

  /// Whether everything is read that was in the stream when it was opened.
  bool caught_up() const { return reading_ && position_ >= goal_; }
  std::uint64_t generation() const { return generation_; }
  std::uint64_t position() const { return position_; }
  /// The nodes that have said in this generation what they have; nothing where the log has gone on
  /// from there, and nobody needs to ask.
  std::optional<std::set<NodeId>> said_what_they_hold() const;
  /// Waits until this node has written what is asked for; whether it has.
  bool wait_until_written(PartitionId partition, LogIndex index, Millis limit) {
    return backlog_.wait(partition, index, limit);
  }
  /// What this node has of every partition.
  schemas::Holds holds() const;
  /// Compares with what another node has; whether this one has all of it, and nothing else. Where
  /// it has less it is behind from now on.
  bool has_all_of(PartitionId partition, const log::Holding& others);
  std::array<log::Replica, kPartitions> replicas() const;
  log::Replica replica(PartitionId partition) const;
  /// Of which this node must not lead any, for it may lack entries that count.
  PartitionSet behind() const;
  /// Those of them that the stream does not bring: another node must.
  PartitionSet lacking() const;
  const LogCounts& counts() const { return counts_; }

 private:
  struct Sent {
    Batch batch;
    Answer answer;
    std::vector<schemas::LogPart> parts;
    Instant at;
    std::atomic<bool> stored = false;  ///< by the broker, as it said
    std::atomic<bool> waiting = false; ///< for others to be sent before
  };
  struct Place { ///< of one partition
    log::Replica replica;
    std::shared_ptr<Sent> sent;
    std::optional<std::uint64_t> gap; ///< sequence from which on something is missing
    std::uint64_t seen_at = 0;        ///< sequence of what told of the newest entry
    bool diverged = false;            ///< what it has is not what counts: only another's copy helps
    std::optional<std::uint64_t> again; ///< sequence behind which it is read again; until then not
    bool reserved = false;              ///< it is being replaced: not yet
  };

  std::vector<schemas::LogPart> parts_of(PartitionId partition, const Seal& seal,
                                         const std::string& bytes) const;
  void send(PartitionId partition, const std::shared_ptr<Sent>& sent);
  void send_bundle(std::vector<schemas::LogPart> parts, const Bundles::Told& told);
  void told_of(Sent& sent, bool stored);
  void on_stored(Stored&& stored);
  void on_part(std::uint64_t sequence, schemas::LogPart&& part);
  void on_bundle(std::uint64_t sequence, schemas::LogBundle&& bundle);
  void on_batch(std::uint64_t sequence, PartitionId partition, const std::string& bytes);
  void on_announced(std::uint64_t sequence, const schemas::LeaderAnnounced& announced);
  void on_holds(std::uint64_t sequence, NodeId node, const schemas::Holds& holds);
  void note(Place& place, log::Verdict verdict, std::uint64_t sequence);
  void write(Batch batch, std::shared_ptr<Sent> sent);
  void write_read();
  StreamPosition safe_position(std::uint64_t sequence) const;
  Result<void> load();
  Result<bool> has_ended_early() const;
  bool is_known(const Stored& stored);
  Result<void> read_on();
  void begin(std::uint64_t generation);
  void promise(std::uint64_t generation);
  void look_after();
  std::vector<std::shared_ptr<Sent>> take_sent();
  void count(log::Verdict verdict, PartitionId partition);
  void broke(const Error& error);

  Broker& broker_;
  Store& store_;
  actors::Commits& local_;
  const Clock& clock_;
  const LogName name_;
  const Listener listener_;
  mutable std::mutex mutex_;
  std::array<Place, kPartitions> places_;
  std::optional<Error> broken_;
  std::optional<std::set<NodeId>> held_by_; ///< see said_what_they_hold
  Pieces pieces_;                           ///< of the reading thread
  bool more_ = false;                       ///< likewise: of the same message, that are not read
  std::vector<actors::Commits::Item> to_write_; ///< likewise: what of it counts
  Backlog backlog_;
  Bundles bundles_;
  std::uint32_t stream_replicas_ = 1;
  std::atomic<std::uint64_t> generation_ = 0;
  std::atomic<std::uint64_t> position_ = 0;
  std::atomic<std::uint64_t> goal_ = 0;
  std::atomic<bool> reading_ = false;
  std::atomic<bool> suspicious_ = false; ///< the stream may not be what it was
  std::atomic<bool> unsure_ = false;     ///< as the connection was lost: nothing is read until then
  std::atomic<bool> look_at_once_ = false;
  std::atomic<bool> lost_ = false;          ///< it is not
  std::atomic<std::uint64_t> mark_ = 0;     ///< of the message at the position
  std::optional<StreamPosition> check_;     ///< what must be read first; of the reading thread
  std::optional<Instant> looked_;           ///< at it
  std::atomic<std::uint64_t> promised_ = 0; ///< to have left every stream before
  std::optional<Instant> said_;             ///< what this node holds
  LogCounts counts_;
  std::atomic<std::uint64_t> complained_ = 0; ///< a bit for each kind that the log has named
  Subscription tail_;
  Subscription connection_;
};

} // namespace skein::node
