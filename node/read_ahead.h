#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "core/ports/store.h"

namespace skein::node {

/// A journal in order, read and decoded on a thread of its own while the caller works on what it
/// has. Holds a bounded part of the journal.
/// Thread-safety: none; the store must allow reads from another thread.
class ReadAhead {
 public:
  /// Entries up to and including `until`. The store and the id must outlive this.
  ReadAhead(const Store& store, const RunId& run, std::optional<Seq> until);
  ~ReadAhead();
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  /// The next entries, at least one; none at the end or where the journal cannot be read further.
  /// `done` are those that the caller has done with: what made them frees them, which costs least.
  std::vector<Entry> next(std::vector<Entry> done);
  /// Why next() gave none. Errors: those of Store::read_journal.
  Result<void> status() const { return status_; }

 private:
  void read(const Store& store, const RunId& run, std::optional<Seq> until);
  bool take(Entry&& entry);
  bool hand_over();

  std::vector<Entry> filling_; ///< of the reading thread
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::vector<Entry>> full_;
  std::vector<std::vector<Entry>> spent_;
  bool ended_ = false;
  bool stopped_ = false;
  Result<void> status_;
  std::thread thread_;
};

} // namespace skein::node
