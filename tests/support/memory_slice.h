#pragma once

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/ports/replica_store.h"

namespace skein::test {

/// What a MemoryStore has of one partition.
struct Slice { // everything of one partition
  PartitionTail tail;
  StreamPosition position;
  std::map<LogIndex, ContentHash> chain;
  std::map<RunId, std::vector<Entry>> journal;
  std::map<RunId, RunRecord> records;
  std::map<RunId, std::map<Seq, Checkpoint>> checkpoints;
  std::set<std::tuple<Instant, RunId, std::uint64_t>> timers;
  std::set<WaitRow> waits;
  std::map<std::tuple<PartitionId, LogIndex, std::uint32_t>, OutboxItem> outbox;
};

class Ticket : public PartitionCopy {
 public:
  explicit Ticket(Slice slice) : slice_(std::make_shared<const Slice>(std::move(slice))) {
    const std::lock_guard lock(taking());
    number_ = std::to_string(++last());
    all()[number_] = slice_;
    if (all().size() > 256) {
      all().erase(all().begin());
    }
  }
  static std::shared_ptr<const Slice> find(const std::string& number) {
    const std::lock_guard lock(taking());
    const auto found = all().find(number);
    return found == all().end() ? nullptr : found->second;
  }
  const PartitionTail& tail() const override { return slice_->tail; }
  StreamPosition position() const override { return slice_->position; }
  Result<std::string> next(std::size_t) override { return std::exchange(number_, ""); }

 private:
  static std::mutex& taking() {
    static std::mutex mutex;
    return mutex;
  }
  static std::map<std::string, std::shared_ptr<const Slice>>& all() {
    static std::map<std::string, std::shared_ptr<const Slice>> slices;
    return slices;
  }
  static std::uint64_t& last() {
    static std::uint64_t number = 1'000'000;
    return number;
  }
  std::shared_ptr<const Slice> slice_;
  std::string number_;
};

/// The rows themselves.
class MemoryRows {
 protected:
  Slice slice_of(PartitionId partition) const {
    Slice slice{
        tails_[partition.get()], position_, chain_[partition.get()], {}, {}, {}, {}, {}, {}};
    const auto ours = [&](const RunId& run) { return partition_of(run) == partition; };
    std::copy_if(journal_.begin(), journal_.end(),
                 std::inserter(slice.journal, slice.journal.end()),
                 [&](const auto& row) { return ours(row.first); });
    std::copy_if(records_.begin(), records_.end(),
                 std::inserter(slice.records, slice.records.end()),
                 [&](const auto& row) { return ours(row.first); });
    std::copy_if(checkpoints_.begin(), checkpoints_.end(),
                 std::inserter(slice.checkpoints, slice.checkpoints.end()),
                 [&](const auto& row) { return ours(row.first); });
    std::copy_if(timers_.begin(), timers_.end(), std::inserter(slice.timers, slice.timers.end()),
                 [&](const auto& row) { return ours(std::get<RunId>(row)); });
    std::copy_if(waits_.begin(), waits_.end(), std::inserter(slice.waits, slice.waits.end()),
                 [&](const WaitRow& row) { return ours(row.run); });
    std::copy_if(outbox_.begin(), outbox_.end(), std::inserter(slice.outbox, slice.outbox.end()),
                 [&](const auto& row) { return row.second.partition == partition; });
    return slice;
  }

  void replace(PartitionId partition, const Slice& slice) {
    const auto ours = [&](const RunId& run) { return partition_of(run) == partition; };
    std::erase_if(journal_, [&](const auto& row) { return ours(row.first); });
    std::erase_if(records_, [&](const auto& row) { return ours(row.first); });
    std::erase_if(checkpoints_, [&](const auto& row) { return ours(row.first); });
    std::erase_if(timers_, [&](const auto& row) { return ours(std::get<RunId>(row)); });
    std::erase_if(waits_, [&](const WaitRow& row) { return ours(row.run); });
    std::erase_if(outbox_, [&](const auto& row) { return row.second.partition == partition; });
    journal_.insert(slice.journal.begin(), slice.journal.end());
    records_.insert(slice.records.begin(), slice.records.end());
    checkpoints_.insert(slice.checkpoints.begin(), slice.checkpoints.end());
    timers_.insert(slice.timers.begin(), slice.timers.end());
    waits_.insert(slice.waits.begin(), slice.waits.end());
    outbox_.insert(slice.outbox.begin(), slice.outbox.end());
    chain_[partition.get()] = slice.chain;
  }

  /// Errors: log_diverged, where it does not go on from what is here.
  Result<bool> take(PartitionId partition, const Slice& slice) {
    PartitionTail& own = tails_[partition.get()];
    const auto same = slice.chain.find(own.last);
    const bool later = slice.tail.last_epoch > own.last_epoch;
    if (own.last > LogIndex(0) && !later &&
        (same == slice.chain.end() || same->second != own.hash)) {
      return Error{Code::log_diverged, "the copy does not go on from what is here", ""};
    }
    replace(partition, slice);
    own = slice.tail;
    return true;
  }

  void add(const Batch& batch, const Append& append, PartitionTail& tail) {
    tail.last = LogIndex(tail.last.get() + 1);
    tail.at = batch.at;
    journal_[append.entry.run].push_back(append.entry);
    if (append.record) {
      records_[append.record->id] = *append.record;
    }
    if (append.checkpoint) {
      checkpoints_[append.entry.run][append.checkpoint->seq] = *append.checkpoint;
    }
    for (const TimerRow& row : append.disarm) {
      timers_.erase({row.due, row.run, row.timer});
    }
    for (const TimerRow& row : append.arm) {
      timers_.insert({row.due, row.run, row.timer});
    }
    for (const WaitRow& row : append.close) {
      waits_.erase(row);
    }
    waits_.insert(append.open.begin(), append.open.end());
    for (std::uint32_t i = 0; i < append.outbox.size(); ++i) {
      outbox_[{batch.partition, tail.last, i}] =
          OutboxItem{batch.partition, tail.last, i, append.outbox[i]};
    }
  }

  StreamPosition position_;
  std::array<PartitionTail, kPartitions> tails_;
  std::array<std::map<LogIndex, ContentHash>, kPartitions> chain_; ///< of sealed batches
  std::map<PartitionId, std::string> arriving_;
  std::map<RunId, std::vector<Entry>> journal_;
  std::map<RunId, RunRecord> records_;
  std::map<RunId, std::map<Seq, Checkpoint>> checkpoints_;
  std::set<std::tuple<Instant, RunId, std::uint64_t>> timers_;
  std::set<WaitRow> waits_;
  std::map<std::tuple<PartitionId, LogIndex, std::uint32_t>, OutboxItem> outbox_;
};

} // namespace skein::test
