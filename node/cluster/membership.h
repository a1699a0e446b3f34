#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "actors/committer.h"
#include "actors/run_host.h"
#include "node/cluster/cluster.h"
#include "node/node.h"
#include "storage/rocks_store.h"

namespace skein::node {

/// The name under which a store says that others hold its log too.
inline constexpr std::string_view kShared = "shared";

/// A node's part in a cluster with what it takes on a real machine: the charter, and a thread that
/// keeps time. Thread-safety: any thread.
class Membership {
 public:
  struct Hooks {
    std::function<void(const std::vector<PartitionId>&)> recover; ///< may take its time
    std::function<void(const Batch&)> on_batch;
    std::function<void(const Error&)> on_broken;
  };

  /// Agrees with the others on the log. Errors: as Charter::open.
  /// Ownership: the caller's; all outlive it.
  static Result<std::unique_ptr<Membership>> join(const ClusterSettings& settings, Broker& broker,
                                                  storage::RocksStore& store,
                                                  actors::Commits& local, const Clock& wall,
                                                  Hooks hooks);
  virtual ~Membership() = default; ///< leaves, unless that is done

  virtual Cluster& cluster() = 0;
  /// The nodes of the cluster by name, whether they run or not.
  virtual std::map<NodeId, std::string> nodes() const = 0;
  /// The node is none of the cluster any more: its disk is gone. Errors: resource_unknown,
  /// broker_*.
  virtual Result<void> forget(std::string_view name) = 0;
  /// Messages that no node of this cluster has signed.
  virtual std::uint64_t refused() const = 0;
  /// Reads the log and takes part, until leave(). Errors: as Cluster::open.
  virtual Result<void> open(actors::RunHost& host, ToolBox& tools) = 0;
  /// Gives what it leads to others, waiting for them at most `limit`.
  virtual void drain(Millis limit) = 0;
  /// Says and reads nothing more.
  virtual void leave() = 0;
};

/// What `form_cluster` made.
struct FormedCluster {
  std::uint64_t incarnation = 0;
  std::map<NodeId, std::string> nodes;
  std::size_t runs = 0; ///< that the directory brings, at most 1,000,000
};

/// Makes the data directory the first node of a cluster, or one of a cluster that is there, without
/// running it. Errors: as RocksStore::open, Charter::open, and of the broker.
Result<FormedCluster> form_cluster(const std::filesystem::path& data,
                                   const ClusterSettings& settings);

} // namespace skein::node
