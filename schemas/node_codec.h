#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/hash.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/cluster/members.h"
#include "core/flow/event.h"
#include "core/log/replica.h"
#include "core/ports/store.h"
#include "core/ports/tool.h"

/// What the nodes of a cluster say to each other, as Envelopes. Errors of decoders: as in codec.h.
/// Thread-safety: any thread.
namespace skein::schemas {

/// More parts than the largest batch has; a message that names more is refused.
inline constexpr std::uint32_t kMostParts = 1'024;

/// A piece of a log batch (log_codec.h): the whole, unless it is larger than a message may be.
struct LogPart {
  PartitionId partition;
  ContentHash batch;
  std::uint32_t part = 0; ///< 0, 1, …
  std::uint32_t parts = 1;
  std::string bytes;
};

/// More than this are refused in one message.
inline constexpr std::size_t kMostBundled = 256;

/// Batches of several partitions, each whole, in this order.
struct LogBundle {
  std::vector<LogPart> parts;
};

struct LeaderAnnounced {
  PartitionId partition;
  Epoch epoch;
  NodeId leader;
  LogIndex last;          ///< newest entry that whoever says so has
  std::uint64_t life = 0; ///< of the leader's process: one that was started since does not lead
};

/// A node says that it is there.
struct Alive {
  cluster::Beat beat;
  std::string name;             ///< for people
  std::string url;              ///< of its API; "" where it has none
  Value labels = {};            ///< a map of texts, or null
  std::uint64_t generation = 0; ///< of the log's stream that it reads
  /// Of partitions that it leads: the messages of entries before this one are delivered.
  std::map<PartitionId, LogIndex> delivered = {};
};

/// An event for a run that the receiver leads.
struct Ask {
  RunId run;
  flow::Event event;
};

/// What became of it.
struct Answer {
  std::optional<Error> error;
  LogIndex last; ///< of the run's partition: what was asked for is at or before it
};

/// Asks for the copy of a partition that the receiver has, from this byte on; 0 begins a new one.
struct Fetch {
  PartitionId partition;
  std::uint64_t offset = 0;
};

/// The answer, where it is not an Answer with an error.
struct Piece {
  PartitionId partition;
  std::uint64_t offset = 0;
  std::string bytes;
  bool end = false;        ///< nothing follows
  LogIndex last;           ///< newest entry of the copy
  Epoch epoch;             ///< of whoever leads, as the copy has it
  StreamPosition position; ///< up to where the log's stream was read for it
  Epoch last_epoch;        ///< of the newest batch
};

/// A node says what it has, in a new stream of the log or because it is asked: nobody may lead a
/// partition with less.
struct Holds {
  std::array<log::Holding, kPartitions> tails;
};

/// The log goes on in a stream of this generation: the one before has lost something.
struct LogBegun {
  std::uint64_t generation = 0;
};

/// A node is one of the cluster, whether it runs or not, until it is forgotten.
struct NodeJoined {
  NodeId node;
  std::string name;
};
struct NodeForgotten {
  NodeId node;
};

/// Asks a node to lead nothing any more, or to lead its share again.
struct Drain {
  bool on = true;
};

/// Asks a node what it has: it answers with Holds.
struct HoldsAsked {};

/// More are refused in one message.
inline constexpr std::size_t kMostPlaces = 64;

/// Asks for places for so many attempts; the answer names the claims to those that are kept.
struct WorkPlacesAsked {
  std::uint32_t places = 0;
};
struct WorkPlaces {
  std::vector<std::uint64_t> claims = {};
};

/// Runs an attempt at such a place. The answer: whether it does, or did before.
struct WorkGiven {
  std::uint64_t claim = 0;
  Epoch epoch; ///< in which the run's partition is led
  ToolCall call;
};

/// What became of it. Answered with an error by who is not its leader, or does not know yet.
struct WorkEnded {
  std::uint64_t claim = 0;
  RunId run;
  Epoch epoch;
  ToolResult result = Value();
};

/// The place is given back, or what runs there should end.
struct WorkDropped {
  std::uint64_t claim = 0;
};

/// Who leads these partitions asks what the receiver runs for them.
struct WorkAsked {
  std::map<PartitionId, Epoch> led;
};
struct WorkHeld {
  struct One {
    std::uint64_t claim = 0;
    std::string key;
    std::uint32_t attempt = 0;
  };
  std::vector<One> attempts = {};
};

/// The first of these in a cluster's charter says which log its nodes share.
struct ClusterFormed {
  std::uint64_t incarnation = 0;
  std::uint16_t partitions = kPartitions;
};

/// A resource is applied or, without a content, deleted.
struct ResourceSet {
  std::string kind;
  std::string name;
  std::optional<std::string> content; ///< canonical JSON
  Instant at;
};

using NodeMessage =
    std::variant<LogPart, LeaderAnnounced, Alive, Ask, Answer, ClusterFormed, ResourceSet, Fetch,
                 Piece, Holds, LogBegun, NodeJoined, NodeForgotten, Drain, HoldsAsked, LogBundle,
                 WorkPlacesAsked, WorkPlaces, WorkGiven, WorkEnded, WorkDropped, WorkAsked,
                 WorkHeld>;

std::string encode_message(NodeId from, const NodeMessage& message);

struct Received {
  NodeId from; ///< as it says: whoever may publish on the subject may say so
  NodeMessage message;
};
Result<Received> decode_message(std::string_view bytes);

} // namespace skein::schemas
