#pragma once

#include <functional>
#include <string_view>

#include "core/ports/store.h"
#include "storage/rocks_database.h"

namespace skein::storage {

/// Visits the rows of all partitions that begin with (partition, table, `inner`), merged in the
/// order of what follows that prefix, from `from` on (of which an equal suffix is skipped), until
/// `visit` answers false. Only the partitions in `of` are looked at.
/// Errors: storage_corrupt, storage_io, or what `visit` answers.
Result<void> merge_partitions(
    const RocksDatabase& database, Table table, std::string_view inner, std::string_view after,
    const std::function<Result<bool>(PartitionId partition, std::string_view suffix)>& visit,
    const PartitionSet& of = kEveryPartition);

} // namespace skein::storage
