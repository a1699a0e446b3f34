#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
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
};

/// The group commit of one store, on a thread of its own: whatever batches have gathered while the
/// last write was synced go into the next one.
///
///   partitions ──submit──► queue ──► one Store::commit ──► one answer per batch
///
/// Nothing waits for company: under load a group is what came while the last one was written, and
/// after a lone batch the thread stays awake a moment for the next. Thread-safety: submit from any
/// thread. Answers come on the committer's thread and must not block.
class Committer : public Commits {
 public:
  Committer(Store& store, const Clock& clock);
  /// Commits what was submitted, then ends.
  ~Committer() override;
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  /// Sets the batch's time, never before what it says and never before that of an earlier batch.
  void submit(Batch batch, Answer answer) override;

 private:
  struct Item {
    Batch batch;
    Answer answer;
  };

  void run();
  void stay_awake(std::unique_lock<std::mutex>& lock);
  std::vector<Item> gather();
  void commit(std::vector<Item>& items);

  Store& store_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<Item> queue_;
  std::size_t last_group_ = 0;
  bool ending_ = false;
  Instant last_time_;
  std::thread thread_;
};

} // namespace skein::actors
