#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/run/run.h"
#include "storage/rocks_database.h"

/// Indexes of run records, all in the state family, each row without a value:
///
///   c created run                 every run
///   s state created run           by state
///   d definition 0 created run    by definition
///   l key 0 value 0 created run   by label
///
/// `created` sorts the newest first. Records are the truth; doctor rebuilds these.
namespace skein::storage {

/// Whether a list with this filter shows the record.
bool matches(const RunRecord& record, const RunFilter& filter);

/// Every index key that a record has.
std::vector<std::string> index_keys(const RunRecord& record);
/// Only the one that changes with its state.
std::string state_index_key(const RunId& run, RunState state, Instant created);

/// The run that a row is of, by what follows partition and table.
std::optional<RunId> indexed_run(std::string_view suffix);

/// Newest first, over all partitions. Errors: storage_corrupt, storage_io, wire_*.
Result<std::vector<RunRecord>> list_runs(const RocksDatabase& database, const RunFilter& filter);

/// Calls with each run of the partition in the state until `visit` answers false.
Result<bool> runs_in_state(const RocksDatabase& database, PartitionId partition, RunState state,
                           const std::function<bool(const RunId&)>& visit);

} // namespace skein::storage
