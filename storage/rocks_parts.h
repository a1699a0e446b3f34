#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <tuple>

#include "storage/rocks_copies.h"
#include "storage/rocks_database.h"
#include "storage/rocks_resources.h"
#include "storage/rocks_store.h"
#include "storage/rocks_writer.h"

namespace skein::storage {

/// What the directory says about itself.
struct Identity {
  NodeId node;
  std::uint64_t incarnation = 0;
};

/// Reads the identity, or makes it in a new directory.
/// Errors: wire_version where a newer program wrote the directory; storage_*.
Result<Identity> identify(RocksDatabase& database);

using OutboxPlace = std::tuple<PartitionId, LogIndex, std::uint32_t>;

struct RocksStore::Parts {
  /// Removes the old runs of one partition.
  Result<void> retire(PartitionId partition, const RetentionPolicy& policy, Instant now,
                      RetentionReport& report);
  /// Removes the blobs that retired runs referred to and no other run does.
  Result<void> sweep(RetentionReport& report);

  /// Errors: storage_full where the disk has less room than `needed`.
  Result<void> check_room(Room needed) const {
    return space ? storage::check_room(directory, space(), needed) : Result<void>();
  }

  /// Says once in the log that a message of the outbox cannot be read.
  void set_aside(const OutboxPlace& place, const Error& cause);

  RocksStore::ResourceOrder resource_order() {
    const std::lock_guard lock(ordering);
    return order;
  }

  std::filesystem::path directory;
  std::function<DiskSpace()> space;
  std::unique_ptr<RocksDatabase> database;
  Identity identity;
  std::unique_ptr<RocksWriter> writer;
  std::unique_ptr<RocksResources> resources;
  std::unique_ptr<RocksCopies> copies;
  std::mutex committing; ///< guards the writer: commit, and what retention removes
  std::mutex ordering;   ///< guards the order
  ResourceOrder order;
  std::mutex looking;          ///< guards what is set aside
  std::set<OutboxPlace> aside; ///< messages that were named in the log
};

} // namespace skein::storage
