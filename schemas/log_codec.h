#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/ports/store.h"
#include "schemas/codec.h"

/// Batches on their way between nodes: the header that proves them, and all that a replica writes
/// with them. Errors of decoders: as in codec.h. Thread-safety: any thread.
namespace skein::schemas {

/// What the next batch of a partition is chained to.
struct Chain {
  std::uint64_t incarnation = 0;
  NodeId node; ///< who seals
  LogIndex last;
  ContentHash hash; ///< of the batch before; zero for the first
};

/// The header of the batch as the next of the chain, and its bytes.
/// REQUIRES: it has entries, and its time is set.
struct Sealed {
  Seal seal;
  std::string bytes;
  std::vector<EncodedEntry> entries; ///< as the bytes have them
};
Sealed seal(const Batch& batch, const Chain& chain);

/// What the bytes say of themselves, once their header adds up to its hash. Cheap: no entry is
/// looked at.
struct Claimed {
  PartitionId partition;
  Epoch epoch;
  Instant at;
  std::uint64_t count = 0; ///< of entries
  Seal seal;
};
Result<Claimed> claimed_by(std::string_view bytes);

/// All of it. Errors: also hash_mismatch, where an entry is not the one that the header names.
Result<Batch> open_batch(std::string_view bytes);

} // namespace skein::schemas
