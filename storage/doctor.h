#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/ports/store.h"
#include "core/run/run.h"

namespace skein::storage {

/// What the rows of a run must be, as the machine derives them from its entries.
struct Refolded {
  RunRecord record;
  std::vector<TimerRow> timers; ///< armed and neither disarmed nor expired
  std::vector<WaitRow> waits;
};

/// Folds a run's journal with the machine that storage does not know.
class Refold {
 public:
  virtual ~Refold() = default;
  /// All entries of one run from the first. Errors become findings about that run.
  virtual Result<Refolded> refold(const RunId& run, std::span<const Entry> entries) = 0;
};

/// One thing that is wrong, and where.
struct Finding {
  Error error;
  std::optional<PartitionId> partition;
  std::optional<LogIndex> index;
  std::optional<RunId> run;
  std::optional<Seq> seq;
  bool repairable = false; ///< what it is about follows from the journal
  bool repaired = false;
};

/// What an examination saw.
struct DoctorReport {
  std::uint64_t partitions = 0; ///< that hold at least one batch
  std::uint64_t batches = 0;
  std::uint64_t entries = 0;
  std::uint64_t runs = 0;
  std::uint64_t retired = 0; ///< entries whose run retention has removed
  std::uint64_t checkpoints = 0;
  std::uint64_t rebuilt = 0;     ///< derived rows written or removed by repair
  std::uint64_t examined = 0;    ///< partitions that have been looked at, of kPartitions
  std::uint64_t repairable = 0;  ///< of those found
  std::uint64_t repaired = 0;    ///< of those found
  std::uint64_t found = 0;       ///< findings, also those beyond the ones kept
  std::vector<Finding> findings; ///< the first 1,000

  bool healthy() const { return found == 0; }
  /// What is still wrong now.
  std::uint64_t left() const { return found - repaired; }
};

/// Hears after each partition what has been seen so far; may be empty.
using DoctorProgress = std::function<void(const DoctorReport&)>;

} // namespace skein::storage
