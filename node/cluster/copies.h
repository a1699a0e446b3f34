#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/ports/broker.h"
#include "core/ports/clock.h"
#include "core/ports/replica_store.h"
#include "node/cluster/log_stream.h"
#include "schemas/node_codec.h"

namespace skein::node {

/// Partitions that go from one node to another, because the stream does not hold any more, or never
/// did, what the other lacks.
///
///   lacking ──► fetch, fetch, … of a node that is there ──► proved, in place ──► the stream is
///   read again from where the copy ends
///
/// Thread-safety: any thread; `tick` by one. Ownership: everything it is given is the caller's and
/// outlives it, and answers of the broker.
class Copies {
 public:
  /// `subject` is where a node takes questions.
  Copies(Broker& broker, ReplicaStore& store, LogStream& log, const Clock& steady, NodeId self,
         std::function<std::string(NodeId)> subject, Millis ask_limit);

  /// Goes on with what this node lacks. `there` are the other nodes that could have it.
  void tick(const std::vector<NodeId>& there);
  /// What another node asked for: a Piece, or an Answer with an error.
  schemas::NodeMessage give(NodeId to, const schemas::Fetch& fetch);

  std::uint64_t taken() const { return taken_; } ///< partitions, since the start

 private:
  struct Fetching {
    NodeId from;
    std::uint64_t number = 0; ///< of this attempt
    std::uint64_t offset = 0;
    StreamPosition position;
    bool whole = false;
    bool reserved = false;
  };
  struct Giving {
    std::unique_ptr<PartitionCopy> copy;
    schemas::Piece last; ///< that was given, for whoever did not hear it
    Instant used;
  };

  bool begin(PartitionId partition, const std::vector<NodeId>& there);
  /// The broker may answer before it returns: not with the lock.
  void ask(PartitionId partition, const Fetching& fetching);
  void on_answer(PartitionId partition, std::uint64_t number, const Result<Message>& answered);
  Result<bool> take(PartitionId partition, Fetching& fetching, const schemas::Piece& piece);
  void put_in_place();
  void give_up(PartitionId partition, const Error& error);
  Result<schemas::Piece> next_piece(NodeId to, const schemas::Fetch& fetch);

  Broker& broker_;
  ReplicaStore& store_;
  LogStream& log_;
  const Clock& steady_;
  const NodeId self_;
  const std::function<std::string(NodeId)> subject_;
  const Millis ask_limit_;
  std::mutex mutex_; ///< guards what is fetched
  std::map<PartitionId, Fetching> fetching_;
  std::map<PartitionId, Instant> not_before_;
  std::uint64_t asked_ = 0;
  std::uint64_t taken_ = 0;
  bool complained_ = false;
  std::mutex giving_mutex_;
  std::map<std::pair<NodeId, PartitionId>, Giving> giving_;
};

} // namespace skein::node
