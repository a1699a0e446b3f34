#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "core/base/hash.h"
#include "core/run/run.h"

namespace skein::storage {

/// What of a stored record decides its index rows.
struct IndexedRecord {
  RunState state = RunState::pending;
  Instant created;
  Digest names; ///< of definition and labels
  bool operator==(const IndexedRecord&) const = default;
};

/// What a writer remembers of a run so that an append needs no read.
struct RunTrace {
  std::uint64_t last_seq = 0;
  bool record_read = false; ///< whether `record` says what is stored
  std::optional<IndexedRecord> record;
  std::optional<std::vector<Seq>> checkpoints; ///< that are stored, ascending; unknown until asked
  const RunRecord* newest = nullptr;           ///< written by the commit in progress
};

/// Traces of the runs written last; bounded. A run that is forgotten is read again. Thread-safety:
/// one thread writes; `loaded` from any.
class RunTraces {
 public:
  static constexpr std::size_t kGeneration = 32'768;

  /// What was just read of a run that is about to be written, for when its trace is not here. A run
  /// that was written since is not believed to be as it was read.
  void loaded(const RunId& run, RunTrace trace);

  /// Null where the run is not remembered. Valid until `age` or `forget`.
  RunTrace* find(const RunId& run);
  RunTrace& insert(const RunId& run, RunTrace trace);
  void forget(const RunId& run);
  void forget_all();
  /// Drops the older half when the younger is full.
  void age();

 private:
  using Map = std::unordered_map<RunId, RunTrace>;
  RunTrace* from_loaded(const RunId& run);

  Map young_;
  Map old_;
  std::mutex mutex_;
  Map loaded_; ///< guarded by the mutex; never of a run that left the traces after it was read
};

} // namespace skein::storage
