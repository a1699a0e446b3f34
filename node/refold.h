#pragma once

#include <filesystem>

#include "core/ports/store.h"
#include "storage/doctor.h"

namespace skein::node {

/// Folds journals through the flow machine, so that storage can tell what the rows of a run must
/// be: its record, its armed timers, its open waits.
///
/// Errors of refold: replay_mismatch (an entry recorded other effects or another state),
/// storage_corrupt (no journal of a run), resource_unknown (its pinned definition is gone).
class MachineRefold : public storage::Refold {
 public:
  /// `store` gives the pinned definitions and outlives this.
  explicit MachineRefold(const Store& store) : store_(store) {}
  Result<storage::Refolded> refold(const RunId& run, std::span<const Entry> entries) override;

 private:
  const Store& store_;
};

/// Verifies a data directory that no process has open: every block, every chain, every entry, and
/// every row that follows from them. With `repair`, rebuilds those rows.
/// Errors: storage_in_use, storage_unreadable, storage_corrupt where the database does not even
/// open, storage_io, storage_full.
Result<storage::DoctorReport> examine(const std::filesystem::path& data, bool repair,
                                      const storage::DoctorProgress& progress = {});

} // namespace skein::node
