#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "core/ports/broker.h"
#include "schemas/node_codec.h"
#include "storage/rocks_store.h"

namespace skein::node {

/// What all nodes of a cluster agree on, as one small stream that each of them reads from its
/// beginning: which log they share, and every resource in the order in which it was applied.
///
/// The first ClusterFormed that is read forms the cluster; whoever said so later, or comes later,
/// takes part in that log. Thread-safety: any thread; not within a callback of the broker.
class Charter {
 public:
  /// Ownership: the caller's; both outlive it.
  Charter(Broker& broker, storage::RocksStore& store, std::string cluster);
  ~Charter();

  /// Reads all that is there, and forms the cluster where nobody has: with the log, and with the
  /// resources, of this node's directory. Its store then has the cluster's incarnation, and orders
  /// its resources here.
  /// Errors: broker_*, storage_*; run_state_conflict where the directory has runs of another log.
  Result<void> open(std::uint32_t replicas);

 private:
  Result<void> form();
  Result<void> publish(const schemas::NodeMessage& message, std::uint64_t& sequence);
  Result<void> publish_resources(std::uint64_t& sequence);
  Result<void> wait_for(std::uint64_t sequence);
  Result<ResourceRow> set(std::string_view kind, std::string_view name,
                          std::optional<std::string_view> content, Instant at);
  void on_stored(Stored&& stored);
  void read(const schemas::NodeMessage& message, std::uint64_t sequence);

  Broker& broker_;
  storage::RocksStore& store_;
  const std::string cluster_;
  const std::string stream_;
  const std::string subject_;
  std::mutex mutex_;
  std::condition_variable read_on_;
  std::uint64_t read_ = 0; ///< sequence
  std::uint64_t own_ = 0;  ///< up to here everything came from this node's own store
  std::optional<std::uint64_t> incarnation_;
  std::map<std::uint64_t, Result<ResourceRow>> results_; ///< of what this node set, until it asks
  Subscription tail_;
};

} // namespace skein::node
