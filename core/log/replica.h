#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/hash.h"
#include "core/base/ids.h"
#include "core/base/instant.h"

/// Which messages of a partition's stream count, and who leads: the same on every node that reads
/// the same stream, wherever it began to read.
///
///   LeaderAnnounced of a higher epoch ──► that node leads; batches of older epochs behind it are
///                                         stale, wherever they come from
///   Batch of the leader, next of the chain ──► counts
///
/// The order of the stream is the fence: a leader acts only on batches of its own that it has read
/// back, and before it reads of its successor it has read all of them that count.
///
/// Pure: no clock, no I/O. Source: Restate's AnnounceLeader; fencing tokens as in Chubby (Burrows,
/// 2006).
namespace skein::log {

/// As far as one node has read.
struct Replica {
  LogIndex last;    ///< of the newest entry that counts
  ContentHash hash; ///< of the newest batch that counts
  Instant at;       ///< of the same
  Epoch epoch;
  std::optional<NodeId> leader; ///< of the epoch; none where nobody was announced
  LogIndex seen;                ///< of the newest entry that is known to count somewhere
  Epoch last_epoch;             ///< of the newest batch that counts

  /// Whether entries count that this replica has not: the stream does not hold them any more, or
  /// never did, and another node must give them. Such a node must not lead.
  bool is_behind() const { return last < seen; }
};

struct LeaderAnnounced {
  Epoch epoch;
  NodeId leader;
  LogIndex last; ///< of what whoever announced it had then; there may be more
};

/// What a node has of a partition, as it says in a stream that follows one that lost something.
struct Holding {
  LogIndex last;
  ContentHash hash;
  Epoch epoch;
  Epoch last_epoch; ///< of its newest batch
};

/// What a batch says of itself.
struct Link {
  Epoch epoch;
  NodeId node;
  LogIndex first;
  std::uint64_t count = 0;
  Instant at;
  ContentHash previous;
  ContentHash hash;
};

enum class Verdict : std::uint8_t {
  counts,
  repeat,      ///< was read before: the stream was read again from an older place, or sent twice
  stale,       ///< of an epoch that is over
  unannounced, ///< of an epoch or a node that no announcement was read of: that is missing, or this
               ///< is forged
  gap,         ///< something before it was not in the stream: this replica is behind
  diverged,    ///< this replica ends with batches that whoever leads later never read: others have
               ///< what counts instead
  forked,      ///< chained to something else: this replica or the stream is not what it should be
};
inline constexpr std::size_t kVerdicts = 7;
std::string_view name_of(Verdict verdict);

/// Changes the replica where the verdict is `counts`, and otherwise only what it has seen.
Verdict read(Replica& replica, const LeaderAnnounced& announced);
Verdict read(Replica& replica, const Link& link);
/// Nobody leads in the epoch that it names, nor with less than it has. Of two that differ, the one
/// with the newest batch of a later epoch has what counts, as in Raft. `forked`: another entry of
/// the same epoch is the newest of this replica at the same place.
Verdict read(Replica& replica, const Holding& holding);

} // namespace skein::log
