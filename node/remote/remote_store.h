#pragma once

#include "core/ports/store.h"
#include "node/remote/link.h"

namespace skein::node {

/// The store of another process, read over its HTTP interface. What only the owner of the data
/// directory may do (commit, the outbox, the tails of partitions) is refused with usage_invalid.
/// Errors besides those of Store: node_unreachable. Thread-safety: any thread.
class RemoteStore : public Store {
 public:
  /// Ownership: the link outlives it.
  explicit RemoteStore(Link& link) : link_(link) {}

  Result<void> admits() const override { return {}; }
  Result<void> commit(std::span<const Batch> batches) override;

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

  /// Of every partition: what a node leads is its own affair.
  Result<std::vector<TimerRow>> due_timers(Instant until, std::size_t limit,
                                           const PartitionSet& of = kEveryPartition) const override;
  Result<std::optional<Instant>> next_timer(
      const PartitionSet& of = kEveryPartition) const override;
  Result<std::vector<WaitRow>> waits_of(const RunId& run) const override;
  Result<std::optional<Seq>> find_event(const RunId& run, std::string_view id) const override;

  Result<std::vector<OutboxItem>> outbox(std::size_t limit,
                                         const PartitionSet& of = kEveryPartition) const override;
  Result<void> outbox_delivered(std::span<const OutboxItem> items) override;

  /// The node checks the document as if it were applied there; `at` is its own time.
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
  struct Stored {
    Seq last;
    std::optional<RunRecord> record;
  };
  Result<Stored> stored(const RunId& run) const;
  Result<std::vector<ResourceRow>> rows(const Call& call) const;
  Result<ResourceRow> row(const Call& call) const;

  Link& link_;
};

} // namespace skein::node
