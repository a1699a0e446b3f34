#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/ports/replica_store.h"
#include "core/ports/store.h"
#include "storage/disk_space.h"
#include "storage/doctor.h"
#include "storage/retention.h"

namespace rocksdb {
class Env;
}

namespace skein::storage {

struct Options {
  rocksdb::Env* env = nullptr; ///< file system and threads; null for the machine's own. Ownership:
                               ///< the caller's, and outlives the store
  bool create = true;          ///< make the directory where there is none
  std::size_t write_memory = 80u << 20; ///< bytes for rows that are in no file yet; little makes
                                        ///< many small files
  std::function<DiskSpace()> space; ///< how full the disk is; empty asks the machine, unless there
                                    ///< is an `env`
};

/// The store on a disk: one RocksDB database in one directory.
///
///   commit ──► entries, batch header, records, indexes, timers, … ──► one write ──► one sync
///
/// The batches of a partition form a hash chain; a batch names its entries by hash while their
/// bytes are kept under their run (docs/formats.md), so that retention never breaks a chain.
///
/// Durability and thread-safety: as Store says. One process at a time has the directory open.
class RocksStore : public Store, public ReplicaStore {
 public:
  /// Errors: storage_in_use (names the process that has it), storage_unreadable, storage_corrupt,
  /// storage_full, storage_io, wire_version (made by a newer format).
  static Result<std::unique_ptr<RocksStore>> open(const std::filesystem::path& directory,
                                                  const Options& options = {});
  ~RocksStore() override;

  /// Random, made with the directory.
  NodeId node() const;
  /// Of the log; made with the directory, changed only when history is rebuilt by force.
  std::uint64_t incarnation() const;

  /// Takes part in the log of others: REQUIRES: there is no batch yet.
  /// Errors: run_state_conflict where there is one; storage_*.
  Result<void> adopt(std::uint64_t incarnation);

  /// A number under a name of the node's own, such as how far it has read something. Not synced:
  /// after a crash an older one may be there.
  Result<void> keep(std::string_view name, std::uint64_t number);
  Result<std::optional<std::uint64_t>> kept(std::string_view name) const;
  /// All whose names begin so, by the rest of their names.
  Result<std::map<std::string, std::uint64_t>> kept_under(std::string_view prefix) const;
  Result<void> drop(std::string_view name);

  /// Sends applies and deletes of resources elsewhere, where an order is made that other nodes
  /// share; what comes back from there is written with write_resource. Null: writes them at once.
  /// A content that is absent deletes. Ownership: the caller's, until it is set to null.
  using ResourceOrder =
      std::function<Result<ResourceRow>(std::string_view kind, std::string_view name,
                                        std::optional<std::string_view> content, Instant at)>;
  void order_resources(ResourceOrder order);
  /// Grows after each write of a resource, wherever it came from.
  std::uint64_t resource_writes() const;
  Result<ResourceRow> write_resource(std::string_view kind, std::string_view name,
                                     std::optional<std::string_view> content, Instant at);

  /// Removes what belongs to final runs that are older than the policy says, in bounded synced
  /// writes: journal, checkpoints, record, index rows and blobs that nothing else refers to. Batch
  /// headers stay, and a mark tells doctor that the run was retired. May run beside commits, one
  /// call at a time.
  /// Errors: as commit.
  Result<RetentionReport> collect(const RetentionPolicy& policy, Instant now);

  /// Verifies everything; see DoctorReport. With `repair`, rows that are derived from the journal
  /// (records, indexes, timers, waits) are rewritten, and checkpoints that
  /// cannot be used are removed; the journal never is touched.
  /// REQUIRES: no commit meanwhile. Errors: storage_io; what is wrong is a finding, not an error.
  Result<DoctorReport> examine(Refold* refold, bool repair, const DoctorProgress& progress = {});

  Result<void> admits() const override;
  /// An exception, which only a lack of memory brings, ends the process: half a batch is encoded.
  Result<void> commit(std::span<const Batch> batches) noexcept override;

  Result<std::optional<RunRecord>> find_run(const RunId& run) const override;
  Result<LoadedRun> load_run(const RunId& run) const override;
  Result<void> read_journal(const RunId& run, Seq from, const EntryVisitor& visit) const override;
  Result<std::vector<Checkpoint>> checkpoints(const RunId& run) const override;
  Result<std::vector<CheckpointMark>> checkpoint_marks(const RunId& run) const override;
  Result<Seq> last_seq(const RunId& run) const override;
  Result<std::vector<RunRecord>> list_runs(const RunFilter& filter) const override;
  Result<void> live_runs(PartitionId partition,
                         const std::function<bool(const RunId&)>& visit) const override;
  Result<PartitionTail> tail_of(PartitionId partition) const override;
  Result<StreamPosition> stream_position() const override;

  Result<std::vector<TimerRow>> due_timers(Instant until, std::size_t limit,
                                           const PartitionSet& of = kEveryPartition) const override;
  Result<std::optional<Instant>> next_timer(
      const PartitionSet& of = kEveryPartition) const override;
  Result<std::vector<WaitRow>> waits_of(const RunId& run) const override;
  Result<std::optional<Seq>> find_event(const RunId& run, std::string_view id) const override;

  Result<std::vector<OutboxItem>> outbox(std::size_t limit,
                                         const PartitionSet& of = kEveryPartition) const override;
  Result<void> outbox_delivered(std::span<const OutboxItem> items) override;

  Result<std::unique_ptr<PartitionCopy>> copy(PartitionId partition) const override;
  Result<void> take_in(PartitionId partition, std::string_view bytes, bool first) override;
  Result<bool> advance(PartitionId partition) override;

  Result<ResourceRow> apply_resource(std::string_view kind, std::string_view name,
                                     std::string_view content, Instant at) override;
  Result<ResourceRow> delete_resource(std::string_view kind, std::string_view name,
                                      Instant at) override;
  Result<ResourceRow> resource(std::string_view kind, std::string_view name,
                               std::optional<std::uint64_t> revision = {}) const override;
  Result<ResourceRow> resource_by_hash(const ContentHash& hash) const override;
  Result<std::vector<ResourceRow>> list_resources(std::string_view kind) const override;
  Result<std::vector<ResourceRow>> resource_history(std::string_view kind,
                                                    std::string_view name) const override;

 private:
  struct Parts;
  explicit RocksStore(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

} // namespace skein::storage
