#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace skein {

/// A value that cannot be mistaken for another of the same representation.
template <class Tag, class T>
class Strong {
 public:
  using Representation = T;

  Strong() = default;
  explicit Strong(T value) : value_(std::move(value)) {}

  const T& get() const { return value_; }
  auto operator<=>(const Strong&) const = default;

 private:
  T value_{};
};

/// A run: "incident-triage-7h2kqx9d"; unique in a data directory.
using RunId = Strong<struct RunIdTag, std::string>;
/// One of the fixed number of ordered logs that runs hash into.
using PartitionId = Strong<struct PartitionIdTag, std::uint16_t>;
/// Position of an entry in the journal of one run: 1, 2, 3 …; 0 means "before the first".
using Seq = Strong<struct SeqTag, std::uint64_t>;
/// Position of an entry in the log of a partition: 1, 2, 3 …
using LogIndex = Strong<struct LogIndexTag, std::uint64_t>;
/// Term of a partition's leader; only ever grows.
using Epoch = Strong<struct EpochTag, std::uint64_t>;
/// A node: random, made when its data directory is made.
using NodeId = Strong<struct NodeIdTag, std::uint64_t>;

inline constexpr std::uint16_t kPartitions = 64;

/// The partition of a run: the same on every node and for ever.
PartitionId partition_of(const RunId& run);

} // namespace skein

template <class Tag, class T>
struct std::hash<skein::Strong<Tag, T>> {
  std::size_t operator()(const skein::Strong<Tag, T>& id) const noexcept {
    return std::hash<T>{}(id.get());
  }
};
