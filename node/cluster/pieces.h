#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "schemas/node_codec.h"

namespace skein::node {

/// Batches that came as several messages, until all of theirs are there.
/// Thread-safety: none; of the thread that reads.
class Pieces {
 public:
  /// The whole, once this was the last that was missing.
  std::optional<std::string> add(std::uint64_t sequence, schemas::LogPart&& part);
  /// Up to where nothing must be read again, if `sequence` is the newest that was read.
  std::uint64_t safe(std::uint64_t sequence) const;
  void clear();

 private:
  struct Kept {
    std::uint64_t first = 0; ///< sequence
    std::vector<std::string> parts;
    std::size_t missing = 0;
    std::size_t bytes = 0;
  };
  void drop_oldest();

  std::map<std::tuple<PartitionId, ContentHash>, Kept> kept_;
  std::size_t bytes_ = 0;
};

} // namespace skein::node
