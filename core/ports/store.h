#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/hash.h"
#include "core/base/ids.h"
#include "core/base/instant.h"
#include "core/base/result.h"
#include "core/run/run.h"

/// What shells need from storage. Everything that belongs to one entry travels in one Append and is
/// written with it or not at all.
namespace skein {

struct TimerRow {
  RunId run;
  std::uint64_t timer = 0; ///< the machine's id; unique in the run
  Instant due;
  auto operator<=>(const TimerRow&) const = default;
};

/// Something that a waiting run would be woken by: a signal of this name, or an answer to this
/// approval.
struct WaitRow {
  enum class What : std::uint8_t { signal, approval };
  RunId run;
  What what = What::signal;
  std::string name; ///< of the signal; step id and path of the approval
  auto operator<=>(const WaitRow&) const = default;
};

/// A message for the world or for another run, sent after its entry is durable and dropped once it
/// is delivered.
struct OutboxRow {
  enum class What : std::uint8_t {
    event,        ///< a CloudEvent for the world
    child_start,  ///< begin this run
    child_cancel, ///< cancel it
    child_end,    ///< tell this run that its child has ended
  };
  std::string id;          ///< the receiver's dedupe key
  std::string destination; ///< event type, or run id
  Value message;           ///< the CloudEvent; of runs: core/run/children.h
  What what = What::event;
};

/// One entry and everything that becomes true with it. Rows that end (disarm, close) are removed
/// before rows that begin (arm, open) are added, so one that began and ended with the same entry is
/// named in neither.
struct Append {
  Entry entry;
  std::optional<RunRecord> record; ///< where what a list shows has changed
  std::vector<TimerRow> arm;
  std::vector<TimerRow> disarm; ///< exactly as they were armed
  std::vector<WaitRow> open;
  std::vector<WaitRow> close;
  std::vector<OutboxRow> outbox;
  std::optional<Checkpoint> checkpoint; ///< of the state after this entry
};

/// An entry as its journal keeps it, so that it is encoded once wherever it goes.
struct EncodedEntry {
  std::string bytes;
  ContentHash hash; ///< of the bytes
  /// Large contents that it refers to by their hashes.
  std::vector<std::pair<ContentHash, std::string>> blobs;
};

/// What a batch that was sealed before it is written says of itself: by whom, and after what.
struct Seal {
  std::uint64_t incarnation = 0; ///< of the log
  NodeId node;
  LogIndex first; ///< of the first entry
  ContentHash previous;
  ContentHash hash;
  bool operator==(const Seal&) const = default;
};

/// Up to where a node has read the stream of the log. A stream that lost something is followed by
/// another, of the next generation, whose messages are counted anew.
struct StreamPosition {
  std::uint64_t generation = 0;
  std::uint64_t sequence = 0; ///< of the newest message that was read; 0 is none
  std::uint64_t mark = 0;     ///< of that message, to know it again; 0 is unknown
  bool is_none() const { return generation == 0 && sequence == 0; }
  auto operator<=>(const StreamPosition&) const = default;
};

/// Consecutive entries of one partition, in order, as its leader decided them. Without any, who
/// leads from here on, or where the stream is read from.
struct Batch {
  PartitionId partition;
  Epoch epoch;
  Instant at; ///< never before that of the batch before it
  std::vector<Append> appends;
  std::optional<Seal> seal; ///< absent: whoever writes it makes it the next of the chain
  /// One for each of the appends, or none: whoever writes it encodes them.
  std::vector<EncodedEntry> encoded = {};
  std::optional<NodeId> leader; ///< of this epoch, where the batch is an announcement
  StreamPosition position;      ///< up to where the stream was read with it; none: it is from none
  /// Held by all that were written together until they are answered and what follows is handed in,
  /// with the same: whoever commits may let it go together again. Null: alone. Not stored.
  std::shared_ptr<void> wave = {};
};

struct OutboxItem {
  PartitionId partition;
  LogIndex index;
  std::uint32_t position = 0;
  OutboxRow row;
};

/// Where a partition's log ends: what its leader goes on from.
struct PartitionTail {
  LogIndex last;                ///< 0 where there is no entry yet
  Epoch epoch;                  ///< of the last batch, or of the announcement after it
  Instant at;                   ///< of the last batch
  ContentHash hash;             ///< of the last batch
  std::optional<NodeId> leader; ///< of the epoch, where one was announced
  Epoch last_epoch;             ///< of the last batch
};

/// Partitions, such as those that a node leads.
using PartitionSet = std::bitset<kPartitions>;
inline const PartitionSet kEveryPartition = PartitionSet().set();

/// A run as far as it can be restored without folding everything: the newest readable checkpoint
/// and what follows. A journal of a few entries may come whole, without looking for a checkpoint.
struct LoadedRun {
  RunRecord record;
  std::optional<Checkpoint> checkpoint;
  std::vector<Entry> tail; ///< entries after the checkpoint, or all of them; ascending
};

struct RunFilter {
  std::optional<RunState> state;
  std::string definition;                                  ///< "" for any
  std::vector<std::pair<std::string, std::string>> labels; ///< all must match
  RunId after; ///< exclusive start of the page; "" for the first
  std::size_t limit = 500;
};

/// One revision of a resource as it was applied.
struct ResourceRow {
  std::string kind; ///< "Flow"
  std::string name;
  std::uint64_t revision = 0; ///< 1, 2, … of this name
  ContentHash hash;           ///< of `content`
  std::string content;        ///< canonical JSON of the document
  Instant applied_at;
  bool deleted = false; ///< a tombstone: the name was deleted with this revision
};

using EntryVisitor = std::function<bool(Entry&&)>;

/// Journal, runs, checkpoints, timers, waits, outbox and resources of one data directory.
///
/// Durability: commit and the resource writes return after the log is synced; what they accepted
/// survives any crash. A failed sync is fatal to the object: every later write fails with
/// storage_io. Thread-safety: reads from any thread; commit from one thread at a time; resource
/// writes from any.
class Store {
 public:
  virtual ~Store() = default;

  /// Whether there is room to begin something new. Errors: storage_full, while what is begun may
  /// still go on.
  virtual Result<void> admits() const = 0;

  /// Writes all batches with one sync. Entries of a run must be consecutive.
  /// Errors: storage_full (nothing was written; may be tried again), storage_io (fatal),
  /// run_state_conflict (an entry is not the next of its run; nothing was written), log_diverged (a
  /// sealed batch is not the next of the chain, or its contents are not what it names).
  virtual Result<void> commit(std::span<const Batch> batches) = 0;

  /// Errors for all reads: storage_corrupt, storage_io; run_unknown where a named run must be
  /// there.
  virtual Result<std::optional<RunRecord>> find_run(const RunId& run) const = 0;
  virtual Result<LoadedRun> load_run(const RunId& run) const = 0;
  /// Entries `from` and later in order until `visit` answers false; each is the visitor's to keep.
  virtual Result<void> read_journal(const RunId& run, Seq from,
                                    const EntryVisitor& visit) const = 0;
  /// Checkpoints of a run, ascending by seq; at least the newest two.
  virtual Result<std::vector<Checkpoint>> checkpoints(const RunId& run) const = 0;
  /// Of all of them, ascending, without their cells.
  virtual Result<std::vector<CheckpointMark>> checkpoint_marks(const RunId& run) const = 0;
  /// The last entry's position; 0 where there is no such run.
  virtual Result<Seq> last_seq(const RunId& run) const = 0;
  /// Newest first.
  virtual Result<std::vector<RunRecord>> list_runs(const RunFilter& filter) const = 0;
  /// Runs of one partition in state pending or running, for recovery; calls until `visit` answers
  /// false.
  virtual Result<void> live_runs(PartitionId partition,
                                 const std::function<bool(const RunId&)>& visit) const = 0;
  virtual Result<PartitionTail> tail_of(PartitionId partition) const = 0;
  /// Up to where the log's stream was read and written here.
  virtual Result<StreamPosition> stream_position() const = 0;

  /// Timers of these partitions due at or before `until`, earliest first, at most `limit`.
  virtual Result<std::vector<TimerRow>> due_timers(
      Instant until, std::size_t limit, const PartitionSet& of = kEveryPartition) const = 0;
  /// When the next timer of these partitions is due, if there is one.
  virtual Result<std::optional<Instant>> next_timer(
      const PartitionSet& of = kEveryPartition) const = 0;
  /// What a run waits for.
  virtual Result<std::vector<WaitRow>> waits_of(const RunId& run) const = 0;
  /// The entry that an event became to which its sender gave this id; none where there is none.
  virtual Result<std::optional<Seq>> find_event(const RunId& run, std::string_view id) const = 0;

  /// The oldest of each partition. A message that cannot be read holds up no other: it stays, is
  /// left out here, and the log names it once.
  virtual Result<std::vector<OutboxItem>> outbox(
      std::size_t limit, const PartitionSet& of = kEveryPartition) const = 0;
  virtual Result<void> outbox_delivered(std::span<const OutboxItem> items) = 0;

  /// A new revision, unless the newest has the same hash; answers the one that is now the newest.
  virtual Result<ResourceRow> apply_resource(std::string_view kind, std::string_view name,
                                             std::string_view content, Instant at) = 0;
  virtual Result<ResourceRow> delete_resource(std::string_view kind, std::string_view name,
                                              Instant at) = 0;
  /// The newest revision that is not deleted, or the one asked for. Errors: resource_unknown.
  virtual Result<ResourceRow> resource(std::string_view kind, std::string_view name,
                                       std::optional<std::uint64_t> revision = {}) const = 0;
  /// By content hash, deleted or not: what a pinned run needs. Errors: resource_unknown.
  virtual Result<ResourceRow> resource_by_hash(const ContentHash& hash) const = 0;
  /// Newest revision of each name that is not deleted, by name.
  virtual Result<std::vector<ResourceRow>> list_resources(std::string_view kind) const = 0;
  virtual Result<std::vector<ResourceRow>> resource_history(std::string_view kind,
                                                            std::string_view name) const = 0;
};

} // namespace skein
