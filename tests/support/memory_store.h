#pragma once

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <tuple>

#include "core/ports/replica_store.h"
#include "core/ports/store.h"
#include "support/memory_lists.h"
#include "support/memory_resources.h"
#include "support/memory_slice.h"

namespace skein::test {

/// A store without a disk, for tests of what stands on one. Passes the same suite as the real one.
class MemoryStore : public MemoryResources, public ReplicaStore, private MemoryRows {
 public:
  Result<void> commit(std::span<const Batch> batches) override {
    const std::lock_guard lock(mutex_);
    std::map<RunId, std::uint64_t> next;
    std::array<ContentHash, kPartitions> chain;
    for (std::uint16_t p = 0; p < kPartitions; ++p) {
      chain[p] = tails_[p].hash;
    }
    for (const Batch& batch : batches) {
      if (auto fits = check(batch, next, chain); !fits) {
        return fits;
      }
    }
    for (const Batch& batch : batches) {
      apply(batch);
    }
    return {};
  }

  /// Makes them say what is not so. How many there are.
  std::size_t spoil_checkpoints(const RunId& run) {
    const std::lock_guard lock(mutex_);
    for (auto& [seq, checkpoint] : checkpoints_[run]) {
      checkpoint.state = Digest{};
    }
    return checkpoints_[run].size();
  }

  Result<std::optional<RunRecord>> find_run(const RunId& run) const override {
    const std::lock_guard lock(mutex_);
    const auto it = records_.find(run);
    return it == records_.end() ? std::optional<RunRecord>() : std::optional(it->second);
  }

  Result<LoadedRun> load_run(const RunId& run) const override {
    const std::lock_guard lock(mutex_);
    const auto it = records_.find(run);
    if (it == records_.end()) {
      return unknown(run);
    }
    LoadedRun loaded{it->second, {}, {}};
    const auto kept = checkpoints_.find(run);
    if (kept != checkpoints_.end()) {
      loaded.checkpoint = kept->second.rbegin()->second;
    }
    const std::uint64_t from = loaded.checkpoint ? loaded.checkpoint->seq.get() : 0;
    const auto& entries = journal_.at(run);
    loaded.tail.assign(entries.begin() + static_cast<std::ptrdiff_t>(from), entries.end());
    return loaded;
  }

  Result<void> read_journal(const RunId& run, Seq from, const EntryVisitor& visit) const override {
    const std::lock_guard lock(mutex_);
    const auto it = journal_.find(run);
    if (it == journal_.end()) {
      return unknown(run);
    }
    for (std::size_t i = std::max<std::uint64_t>(from.get(), 1) - 1; i < it->second.size(); ++i) {
      if (!visit(Entry(it->second[i]))) {
        break;
      }
    }
    return {};
  }

  Result<std::vector<Checkpoint>> checkpoints(const RunId& run) const override {
    const std::lock_guard lock(mutex_);
    std::vector<Checkpoint> found;
    if (const auto it = checkpoints_.find(run); it != checkpoints_.end()) {
      for (const auto& [seq, checkpoint] : it->second) {
        found.push_back(checkpoint);
      }
    }
    return found;
  }

  Result<std::vector<CheckpointMark>> checkpoint_marks(const RunId& run) const override {
    const std::lock_guard lock(mutex_);
    std::vector<CheckpointMark> marks;
    if (const auto it = checkpoints_.find(run); it != checkpoints_.end()) {
      for (const auto& [seq, checkpoint] : it->second) {
        marks.push_back({checkpoint.seq, checkpoint.state});
      }
    }
    return marks;
  }

  Result<Seq> last_seq(const RunId& run) const override {
    const std::lock_guard lock(mutex_);
    return Seq(last(run));
  }

  Result<std::vector<RunRecord>> list_runs(const RunFilter& filter) const override {
    const std::lock_guard lock(mutex_);
    std::vector<RunRecord> all;
    for (const auto& [run, record] : records_) {
      if (shows(filter, record)) {
        all.push_back(record);
      }
    }
    std::sort(all.begin(), all.end(), newer);
    if (!filter.after.get().empty()) {
      const auto from = records_.find(filter.after);
      if (from == records_.end()) {
        return unknown(filter.after);
      }
      all.erase(all.begin(), std::upper_bound(all.begin(), all.end(), from->second, newer));
    }
    all.resize(std::min(all.size(), filter.limit));
    return all;
  }

  Result<void> live_runs(PartitionId partition,
                         const std::function<bool(const RunId&)>& visit) const override {
    const std::lock_guard lock(mutex_);
    for (const auto& [run, record] : records_) {
      if (record.state <= RunState::running && partition_of(run) == partition && !visit(run)) {
        break;
      }
    }
    return {};
  }

  Result<PartitionTail> tail_of(PartitionId partition) const override {
    const std::lock_guard lock(mutex_);
    return tails_[partition.get()];
  }

  Result<StreamPosition> stream_position() const override {
    const std::lock_guard lock(mutex_);
    return position_;
  }

  Result<std::vector<TimerRow>> due_timers(
      Instant until, std::size_t limit, const PartitionSet& of = kEveryPartition) const override {
    const std::lock_guard lock(mutex_);
    std::vector<TimerRow> due;
    for (const auto& [when, run, timer] : timers_) {
      if (when > until || due.size() >= limit) {
        break;
      }
      if (of.test(partition_of(run).get())) {
        due.push_back(TimerRow{run, timer, when});
      }
    }
    return due;
  }

  Result<std::optional<Instant>> next_timer(
      const PartitionSet& of = kEveryPartition) const override {
    const std::lock_guard lock(mutex_);
    for (const auto& [when, run, timer] : timers_) {
      if (of.test(partition_of(run).get())) {
        return std::optional(when);
      }
    }
    return std::optional<Instant>();
  }

  Result<std::optional<Seq>> find_event(const RunId& run, std::string_view id) const override {
    const auto entries = journal_.find(run);
    for (std::size_t i = 0; entries != journal_.end() && i < entries->second.size(); ++i) {
      if (!id.empty() && flow::sender_id(entries->second[i].event) == id) {
        return std::optional(entries->second[i].seq);
      }
    }
    return std::optional<Seq>();
  }

  Result<std::vector<WaitRow>> waits_of(const RunId& run) const override {
    const std::lock_guard lock(mutex_);
    std::vector<WaitRow> waits;
    std::copy_if(waits_.begin(), waits_.end(), std::back_inserter(waits),
                 [&](const WaitRow& row) { return row.run == run; });
    return waits;
  }

  Result<std::vector<OutboxItem>> outbox(std::size_t limit,
                                         const PartitionSet& of = kEveryPartition) const override {
    const std::lock_guard lock(mutex_);
    std::vector<OutboxItem> items;
    for (const auto& [key, item] : outbox_) {
      if (items.size() < limit && of.test(item.partition.get())) {
        items.push_back(item);
      }
    }
    return items;
  }

  Result<void> outbox_delivered(std::span<const OutboxItem> items) override {
    const std::lock_guard lock(mutex_);
    for (const OutboxItem& item : items) {
      outbox_.erase({item.partition, item.index, item.position});
    }
    return {};
  }

  /// The hash of the sealed batch that ends there; none where there is no such batch.
  std::optional<ContentHash> link(PartitionId partition, LogIndex last) const {
    const std::lock_guard lock(mutex_);
    const auto found = chain_[partition.get()].find(last);
    return found == chain_[partition.get()].end() ? std::nullopt : std::optional(found->second);
  }

  /// What goes to another store is a ticket for a slice that is kept in this process.
  Result<std::unique_ptr<PartitionCopy>> copy(PartitionId partition) const override {
    const std::lock_guard lock(mutex_);
    return std::unique_ptr<PartitionCopy>(new Ticket(slice_of(partition)));
  }

  Result<void> take_in(PartitionId partition, std::string_view bytes, bool first) override {
    const std::lock_guard lock(mutex_);
    std::string& ticket = arriving_[partition];
    ticket = first ? std::string(bytes) : ticket + std::string(bytes);
    return {};
  }

  Result<bool> advance(PartitionId partition) override {
    const std::lock_guard lock(mutex_);
    const auto slice = Ticket::find(arriving_[partition]);
    if (!slice) {
      return Error{Code::wire_invalid, "there is no such copy", ""};
    }
    return take(partition, *slice);
  }

 private:
  static Error unknown(const RunId& run) {
    return {Code::run_unknown, "there is no run " + run.get(), ""};
  }
  std::uint64_t last(const RunId& run) const {
    const auto it = journal_.find(run);
    return it == journal_.end() ? 0 : it->second.size();
  }

  Result<void> check(const Batch& batch, std::map<RunId, std::uint64_t>& next,
                     std::array<ContentHash, kPartitions>& chain) const {
    if (batch.epoch < tails_[batch.partition.get()].epoch) {
      return Error{Code::run_state_conflict, "the epoch is over", ""};
    }
    if (batch.seal && !batch.appends.empty()) {
      if (batch.seal->previous != chain[batch.partition.get()]) {
        return Error{Code::log_diverged, "the batch is not the next of the chain", ""};
      }
      chain[batch.partition.get()] = batch.seal->hash;
    }
    for (const Append& append : batch.appends) {
      const auto [it, fresh] = next.try_emplace(append.entry.run, last(append.entry.run) + 1);
      if (append.entry.seq.get() != it->second++ ||
          partition_of(append.entry.run) != batch.partition) {
        return Error{Code::run_state_conflict, "an entry is not the next of its run", ""};
      }
    }
    return {};
  }

  void apply(const Batch& batch) {
    PartitionTail& tail = tails_[batch.partition.get()];
    tail.epoch = batch.epoch;
    if (batch.leader) {
      tail.leader = batch.leader;
    }
    if (!batch.position.is_none()) {
      position_ = batch.position;
    }
    for (const Append& append : batch.appends) {
      add(batch, append, tail);
    }
    if (batch.seal && !batch.appends.empty()) {
      tail.hash = batch.seal->hash;
      tail.last_epoch = batch.epoch;
      chain_[batch.partition.get()][tail.last] = tail.hash;
    }
  }
};

} // namespace skein::test
