#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "core/ports/clock.h"
#include "core/ports/store.h"

namespace skein::actors {

/// Where partitions hand in their batches.
class Commits {
 public:
  using Answer = std::function<void(const Result<void>&, Batch&&)>;

  virtual ~Commits() = default;
  /// Answers once the batch is durable or refused, from any thread, in order of the partition.
  /// REQUIRES: at most one batch of a partition is under way.
  virtual void submit(Batch batch, Answer answer) = 0;

  struct Item {
    Batch batch;
    Answer answer;
  };
  /// As each alone, and where it can be with one write.
  virtual void submit_all(std::vector<Item> together) {
    for (Item& item : together) {
      submit(std::move(item.batch), std::move(item.answer));
    }
  }
};

/// The group commit of one store: whatever batches have gathered while the last write was synced go
/// into the next one.
///
///   partitions ──submit──► queue ──► one Store::commit ──► one answer per batch
///
/// Nothing waits for company. Writes are made by a thread of their own, so that no thread of the
/// scheduler waits for a disk, but for one case: a run that has the store to itself, while the disk
/// takes no longer than the hand-over to another thread and back. Such a run writes where it
/// submits. Thread-safety: submit from any thread. Answers come on the committer's thread or within
/// submit, and must not block. An exception in a write ends the process: nobody knows what is in
/// memory then, and the journal does.
class Committer : public Commits {
 public:
  Committer(Store& store, const Clock& clock);
  /// Commits what was submitted, then ends.
  ~Committer() override;
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  /// Sets the batch's time unless it is sealed, never before what it says and never before that of
  /// an earlier batch.
  void submit(Batch batch, Answer answer) override;
  void submit_all(std::vector<Item> together) override;

 private:
  void run();
  bool is_alone(const Batch& batch) const;
  void write(std::unique_lock<std::mutex>& lock) noexcept;
  std::vector<Result<void>> commit(std::span<const Batch> batches);
  std::vector<Batch> batches_of(std::vector<Item>& items, Instant now);

  Store& store_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Item> queue_;
  bool writing_ = false; ///< one thread at a time
  bool ending_ = false;
  bool quick_ = true;          ///< the last write was
  std::optional<RunId> alone_; ///< whose entry the last write was, where it was the only one
  Instant last_time_;          ///< of who writes
  std::thread thread_;
};

} // namespace skein::actors
