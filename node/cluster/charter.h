#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "core/ports/broker.h"
#include "schemas/node_codec.h"
#include "storage/rocks_store.h"

namespace skein::node {

/// What all nodes of a cluster agree on, as one small stream that each of them reads from its
/// beginning: which log they share, which nodes there are, and every resource in the order in which
/// it was applied.
///
/// The first ClusterFormed that is read forms the cluster; whoever said so later, or comes later,
/// takes part in that log. Where the broker has lost it, whoever notices writes it again from what
/// its store has. Thread-safety: any thread; not within a callback of the broker.
class Charter {
 public:
  /// Called with the nodes of the cluster whenever they change.
  using OnNodes = std::function<void(const std::map<NodeId, std::string>&)>;

  /// `name` is this node's. Ownership: the caller's; both outlive it.
  Charter(Broker& broker, storage::RocksStore& store, std::string cluster, std::string name,
          OnNodes on_nodes);
  ~Charter();

  /// Reads all that is there, and forms the cluster where nobody has: with the log, and with the
  /// resources, of this node's directory. Its store then has the cluster's incarnation, and orders
  /// its resources here.
  /// Errors: broker_*, storage_*; run_state_conflict where the directory has runs of another log.
  Result<void> open(std::uint32_t replicas);
  /// Makes this node one of the cluster. One of the same name that was there before is forgotten:
  /// its directory is gone, or another's.
  Result<void> join();
  /// Errors: also resource_unknown.
  Result<void> forget(std::string_view name);

  /// The log goes on in a stream of this generation: the others shall know, and so shall whoever
  /// comes later.
  Result<void> begin(std::uint64_t generation);
  std::uint64_t generation() const;
  std::map<NodeId, std::string> nodes() const;

 private:
  Result<void> read_from_the_start(bool lost);
  Result<void> catch_up_others();
  Result<void> form();
  bool is_old(const schemas::ResourceSet& set) const;
  void read(const schemas::NodeJoined& joined);
  void read(const schemas::NodeForgotten& forgotten);
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
  const std::string name_;
  const OnNodes on_nodes_;
  const std::string stream_;
  const std::string subject_;
  std::uint32_t replicas_ = 1;
  mutable std::mutex mutex_;
  std::condition_variable read_on_;
  std::uint64_t read_ = 0;  ///< sequence
  std::uint64_t own_ = 0;   ///< up to here everything came from this node's own store
  std::uint64_t again_ = 0; ///< up to here it is read again: what is in the store stays as it is
  std::optional<std::uint64_t> incarnation_;
  std::uint64_t generation_ = 0;
  std::map<NodeId, std::string> nodes_;
  std::map<std::uint64_t, Result<ResourceRow>> results_; ///< of what this node set, until it asks
  Subscription tail_;
};

} // namespace skein::node
