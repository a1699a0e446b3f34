#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <variant>
#include <vector>

#include "core/base/ids.h"
#include "core/base/instant.h"
#include "core/base/result.h"
#include "core/ports/store.h"

/// Who is there, and who should lead what. Decides only when to try: whether a node leads is
/// decided by the order of the log (core/log).
///
///   beats ──► alive ──► silent for `silence` ──► gone
///   a partition whose leader is gone is announced by the first of its rank, by the second if that
///   does nothing for one `step`, …; one whose leader is there but is not the first of its rank is
///   handed over by its leader
///
/// Pure: every event carries an instant of a clock that only goes on.
namespace skein::cluster {

struct Timing {
  Millis beat{500};
  Millis silence{3'000};
  Millis step{300};     ///< how much later each next of the rank tries
  Millis retry{1'000};  ///< before an announcement that was not read back is sent again
  Millis settle{3'000}; ///< how long the nodes must be the same before partitions move to balance
};

/// What a node says of itself, every `beat`.
struct Beat {
  NodeId node;
  std::uint64_t life = 0; ///< of its process: when it was started, by the wall clock
  Instant said;           ///< by the same clock
  bool ready = false;     ///< it has read the log up to where it was when it came
  bool draining = false;  ///< it wants to lead nothing
  std::uint32_t load = 0; ///< attempts under way
  PartitionSet leads;
};

/// Events.
struct Heard {
  Beat beat;
  Instant at;
};
/// Time has passed, and this is who leads what as far as the log was read.
struct Looked {
  Instant at;
  std::array<std::optional<NodeId>, kPartitions> leaders;
  PartitionSet acting; ///< those that this node does lead, in this life
  PartitionSet behind; ///< those of which it lacks entries that count: it must not lead them
};
using Event = std::variant<Heard, Looked>;

/// Effects: say in the log that this node leads.
struct Announce {
  PartitionId partition;
  bool operator==(const Announce&) const = default;
};
/// Let what is under way in the partition end, then say in the log that `to` leads it.
struct HandOver {
  PartitionId partition;
  NodeId to;
  std::uint64_t life = 0; ///< of its process
  bool operator==(const HandOver&) const = default;
};
/// Another process says that it is this node: this one must stop.
struct Yield {
  std::uint64_t to_life = 0;
  bool operator==(const Yield&) const = default;
};
using Effect = std::variant<Announce, HandOver, Yield>;

struct Peer {
  Beat beat;
  Instant heard;
  Instant came; ///< in this life
};

struct Members {
  Beat self;
  Timing timing;
  bool alone = false; ///< nobody else is on the broker: there is nobody to hear of first
  Instant began;
  std::map<NodeId, Peer> peers;                             ///< that were heard of, gone or not
  Instant changed;                                          ///< when the set of nodes last did
  std::array<std::optional<Instant>, kPartitions> orphaned; ///< since when nobody leads them
  std::array<std::optional<Instant>, kPartitions> tried;    ///< announced, or asked to hand over
};

Members join(Beat self, Timing timing, Instant at);

/// Never refuses. What it answers is tried again by itself until it is seen to have happened.
std::vector<Effect> step(Members& members, const Event& event);

/// Whether the node was heard of lately.
bool is_alive(const Members& members, NodeId node, Instant at);

} // namespace skein::cluster
