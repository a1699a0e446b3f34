#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/flow/machine.h"
#include "core/ports/store.h"

namespace skein::node {

/// Where a replay and the journal part ways.
struct Difference {
  Seq seq;
  std::string what; ///< "effects", "state" or "entry"
  std::string recorded;
  std::string computed;
};

struct ReplayReport {
  std::uint64_t entries = 0;
  std::uint64_t checkpoints = 0; ///< recorded ones that were compared
  RunState state = RunState::pending;
  Value output;
  std::optional<flow::Failure> failure;
  Digest digest;
  std::optional<Difference> difference; ///< the first one; the replay ends there
};

/// Folds the journal through the machine with no effect executed, and compares every recorded
/// digest of effects and state, and every checkpoint. `until` stops after that entry. Errors:
/// run_unknown, resource_unknown, storage_*.
Result<ReplayReport> replay(const Store& store, const RunId& run, std::optional<Seq> until = {});

/// What a difference is to whoever needed the run's state. Code: replay_mismatch.
Error to_error(const RunId& run, const Difference& difference);

/// The machine as it was after an entry.
Result<flow::Machine> machine_at(const Store& store, const RunId& run,
                                 std::optional<Seq> until = {});

} // namespace skein::node
