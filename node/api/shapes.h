#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/flow/machine.h"
#include "core/ports/store.h"

/// The shapes that programs rely on, the same from the command line and over HTTP.
namespace skein::node {

/// A run. Errors: of the store.
Result<Value> to_value(const Store& store, const RunRecord& record);

/// What keeps steps of a run waiting, what its list shows first; none of a run that has ended, or
/// whose journal cannot be folded.
std::vector<flow::Machine::Wait> waits_of(const Store& store, const RunRecord& record);
Value to_value(const flow::Machine::Wait& wait);

/// An entry of a run's journal; the machine is asked for the names of its places only.
Value to_value(const Entry& entry, const flow::Machine& machine);

/// A revision of a resource.
Value to_value(const ResourceRow& row);

/// The run, its definition and every entry. Errors: of the store, resource_unknown.
Result<Value> export_of(const Store& store, const RunRecord& record);

/// A record with what the journal of its run has come to: between two changes of state the stored
/// one lags behind. Errors: as of machine_at.
Result<RunRecord> caught_up(const Store& store, RunRecord record);

/// The run's record. Errors: run_unknown, with the nearest known run.
Result<RunRecord> record_of(const Store& store, const std::string& run);

/// A resource. Errors: resource_unknown, with the nearest known name.
Result<ResourceRow> resource_of(const Store& store, const std::string& kind,
                                const std::string& name,
                                std::optional<std::uint64_t> revision = {});

} // namespace skein::node
