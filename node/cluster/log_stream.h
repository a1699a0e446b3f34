#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "actors/committer.h"
#include "core/log/replica.h"
#include "core/ports/broker.h"
#include "core/ports/clock.h"
#include "core/ports/store.h"
#include "schemas/node_codec.h"

namespace skein::node {

/// Which log a node reads.
struct LogName {
  std::string cluster;
  std::uint64_t incarnation = 0;
  NodeId self;

  std::string stream() const;
  std::string subject(PartitionId partition) const;
};

/// What was read and did not count, by why.
struct LogCounts {
  std::array<std::atomic<std::uint64_t>, 6> verdicts{}; ///< by log::Verdict
  std::atomic<std::uint64_t> unreadable = 0;
  std::atomic<std::uint64_t> misplaced = 0; ///< of another log or partition than its subject's
};

/// The logs of all partitions as one stream: what the runs of this node propose is sealed and sent,
/// and whatever comes back in order, its own or another node's, is written.
///
///   submit ──► seal ──► append ──► stream ──► read in order ──► counts ──► local write ──► answer
///                                                          └──► does not ──► counted, dropped
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
    /// This node cannot go on: what it has is not the next of the log, or cannot be written.
    std::function<void(const Error&)> on_broken;
  };

  /// Ownership: broker, store, `local` and clock are the caller's and outlive it.
  LogStream(Broker& broker, Store& store, actors::Commits& local, const Clock& clock, LogName name,
            Listener listener);
  ~LogStream() override;

  /// Makes the stream where there is none, and reads on where the store ends.
  /// Errors: broker_*, storage_*; log_diverged where the stream ends before what the store has.
  Result<void> open(std::uint32_t replicas);
  /// Reads no more; what is asked for from now on is refused with interrupted.
  void close();

  void submit(Batch batch, Answer answer) override;

  /// Says in the log that this process of the node leads the partition, in the next epoch. It does
  /// once `on_leader` says so.
  void announce(PartitionId partition, NodeId leader, std::uint64_t life);

  /// Sends again what has not come back. To be called a few times a second.
  void tick();

  /// Whether everything is read that was in the stream when it was opened.
  bool caught_up() const { return position_ >= goal_; }
  std::uint64_t position() const { return position_; }
  /// Waits until this node has written what is asked for; whether it has.
  bool wait_until_written(PartitionId partition, LogIndex index, Millis limit);
  std::array<log::Replica, kPartitions> replicas() const;
  log::Replica replica(PartitionId partition) const;
  const LogCounts& counts() const { return counts_; }

 private:
  struct Sent {
    Batch batch;
    Answer answer;
    std::vector<std::string> messages;
    Instant at;
    std::atomic<bool> stored = false; ///< by the broker, as it said
  };
  struct Place { ///< of one partition
    log::Replica replica;
    std::shared_ptr<Sent> sent;
  };
  struct Pieces {
    std::uint64_t first = 0; ///< sequence
    std::vector<std::string> parts;
    std::size_t missing = 0;
  };
  using PiecesOf = std::tuple<PartitionId, ContentHash>;

  std::vector<std::string> messages_of(PartitionId partition, const Seal& seal,
                                       const std::string& bytes) const;
  void send(PartitionId partition, const std::shared_ptr<Sent>& sent);
  void on_stored(Stored&& stored);
  void on_part(std::uint64_t sequence, schemas::LogPart&& part);
  void on_batch(std::uint64_t sequence, PartitionId partition, const std::string& bytes);
  void on_announced(std::uint64_t sequence, const schemas::LeaderAnnounced& announced);
  void write(Batch batch, std::shared_ptr<Sent> sent);
  void wait_for_room();
  void end_write(PartitionId partition, LogIndex last);
  std::uint64_t safe_position(std::uint64_t sequence) const;
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
  std::map<PiecesOf, Pieces> pieces_; ///< of the reading thread
  std::mutex writing_;
  std::condition_variable written_;
  std::size_t unwritten_ = 0; ///< read, and not written yet
  std::array<LogIndex, kPartitions> last_written_;
  std::atomic<std::uint64_t> position_ = 0;
  std::uint64_t goal_ = 0;
  LogCounts counts_;
  std::atomic<std::uint64_t> complained_ = 0; ///< a bit for each kind that the log has named
  Subscription tail_;
};

} // namespace skein::node
