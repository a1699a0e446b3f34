#include "node/cluster/membership.h"

#include <spdlog/spdlog.h>
#include <time.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "node/cluster/charter.h"
#include "node/cluster/signed_broker.h"

namespace skein::node {
namespace {

constexpr std::chrono::milliseconds kTick{50};
constexpr std::chrono::seconds kSayAgain{1};
constexpr Millis kAnswer{2'000};

/// Only goes on, also while the machine sleeps.
class SteadyClock : public Clock {
 public:
  Instant now() const override {
    timespec time{};
    clock_gettime(CLOCK_BOOTTIME, &time);
    return Instant{static_cast<std::int64_t>(time.tv_sec) * 1'000 + time.tv_nsec / 1'000'000};
  }
};

class RealMembership : public Membership {
 public:
  RealMembership(const ClusterSettings& settings, Broker& broker, storage::RocksStore& store,
                 actors::Commits& local, const Clock& wall, Hooks hooks)
      : settings_(settings),
        broker_(broker),
        store_(store),
        local_(local),
        wall_(wall),
        hooks_(std::move(hooks)),
        signed_(broker, MessageKey(settings.key, settings.cluster)),
        charter_(signed_, store, settings.cluster, settings.name,
                 [this](const std::map<NodeId, std::string>& nodes) { know(nodes); }) {}

  ~RealMembership() override { leave(); }

  Result<void> agree() {
    if (auto agreed = charter_.open(settings_.replicas); !agreed) {
      return agreed;
    }
    if (!settings_.alone) {
      if (auto marked = store_.keep(kShared, 1); !marked) {
        return marked;
      }
    }
    if (auto joined = charter_.join(); !joined) {
      return joined;
    }
    Cluster::Options options;
    options.generation = charter_.generation();
    options.log = {settings_.cluster, store_.incarnation(), store_.node()};
    options.life = static_cast<std::uint64_t>(wall_.now().ms);
    options.replicas = settings_.replicas;
    options.timing = settings_.timing;
    options.alone = settings_.alone;
    options.ask_limit = Millis{options.timing.silence.count + kAnswer.count};
    options.name = settings_.name;
    options.url = settings_.url;
    options.labels = settings_.labels;
    auto cluster = std::make_unique<Cluster>(
        signed_, store_, store_, local_, wall_, steady_, options,
        Cluster::Hooks{[this](const std::vector<PartitionId>& partitions) { recover(partitions); },
                       hooks_.on_batch, [this](std::uint64_t generation) { begin(generation); },
                       hooks_.on_broken});
    const std::lock_guard lock(mutex_);
    cluster_ = std::move(cluster);
    cluster_->know(ids_of(charter_.nodes()));
    return {};
  }

  Cluster& cluster() override { return *cluster_; }
  Result<void> forget(std::string_view name) override { return charter_.forget(name); }
  std::map<NodeId, std::string> nodes() const override { return charter_.nodes(); }
  std::uint64_t refused() const override { return signed_.refused(); }

  Result<void> open(actors::RunHost& host, ToolBox& tools) override {
    if (auto opened = cluster_->open(host, &tools); !opened) {
      return opened;
    }
    recovering_ = std::jthread([this](const std::stop_token& stop) { recover_all(stop); });
    ticking_ = std::jthread([this](const std::stop_token& stop) { tick_all(stop); });
    return {};
  }

  void drain(Millis limit) override {
    cluster_->drain();
    const auto others = [&] {
      const auto members = cluster_->members();
      return std::any_of(members.begin() + 1, members.end(), [](const MemberStatus& member) {
        return member.alive && member.ready && !member.draining;
      });
    };
    std::unique_lock lock(mutex_);
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(limit.count);
    ticked_.wait_until(lock, end, [&] { return cluster_->is_drained() || !others(); });
  }

  void leave() override {
    if (!cluster_) {
      return;
    }
    for (std::jthread* thread : {&ticking_, &recovering_}) {
      if (thread->joinable()) {
        thread->request_stop();
        changed_.notify_all();
        thread->join();
      }
    }
    cluster_->close();
  }

 private:
  void tick_all(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
      lock.unlock();
      cluster_->tick();
      lock.lock();
      ticked_.notify_all();
      changed_.wait_for(lock, stop, kTick, [] { return false; });
    }
  }

  static std::set<NodeId> ids_of(const std::map<NodeId, std::string>& nodes) {
    std::set<NodeId> ids;
    for (const auto& [node, name] : nodes) {
      ids.insert(node);
    }
    return ids;
  }

  void know(const std::map<NodeId, std::string>& nodes) {
    const std::lock_guard lock(mutex_);
    if (cluster_) {
      cluster_->know(ids_of(nodes));
    }
  }

  void begin(std::uint64_t generation) {
    {
      const std::lock_guard lock(mutex_);
      begun_ = std::max(begun_, generation);
    }
    changed_.notify_all();
  }

  void recover(const std::vector<PartitionId>& partitions) {
    {
      const std::lock_guard lock(mutex_);
      to_recover_.insert(to_recover_.end(), partitions.begin(), partitions.end());
    }
    changed_.notify_all();
  }

  // On a thread of its own: the beats of a node that brings many runs back must not stop.
  void recover_all(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (changed_.wait(lock, stop, [&] { return !to_recover_.empty() || begun_ > said_; })) {
      const std::vector<PartitionId> partitions = std::exchange(to_recover_, {});
      const std::uint64_t generation = begun_;
      lock.unlock();
      if (!partitions.empty()) {
        hooks_.recover(partitions);
      }
      if (generation > said_) {
        if (const auto said = charter_.begin(generation); said) {
          said_ = generation;
        } else {
          spdlog::warn("the charter does not name the log's new stream yet: {}",
                       to_string(said.error()));
        }
      }
      lock.lock();
      if (begun_ > said_) { // the broker is away
        changed_.wait_for(lock, stop, kSayAgain, [] { return false; });
      }
    }
  }

  const ClusterSettings settings_;
  Broker& broker_;
  storage::RocksStore& store_;
  actors::Commits& local_;
  const Clock& wall_;
  const SteadyClock steady_;
  const Hooks hooks_;
  SignedBroker signed_;
  Charter charter_;
  std::unique_ptr<Cluster> cluster_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::condition_variable ticked_;
  std::vector<PartitionId> to_recover_;
  std::uint64_t begun_ = 0; ///< generation of the log's stream that the charter should name
  std::uint64_t said_ = 0;  ///< and that it does
  std::jthread recovering_;
  std::jthread ticking_;
};

} // namespace

Result<FormedCluster> form_cluster(const std::filesystem::path& data,
                                   const ClusterSettings& settings) {
  constexpr std::size_t kCounted = 1'000'000;
  auto store = storage::RocksStore::open(data);
  if (!store) {
    return store.error();
  }
  auto broker = settings.connect();
  if (!broker) {
    return broker.error();
  }
  SignedBroker signed_broker(**broker, MessageKey(settings.key, settings.cluster));
  Charter charter(signed_broker, **store, settings.cluster, settings.name,
                  [](const std::map<NodeId, std::string>&) {});
  auto agreed = charter.open(settings.replicas);
  agreed = agreed ? charter.join() : agreed;
  agreed = agreed ? (*store)->keep(kShared, 1) : agreed;
  if (!agreed) {
    return agreed.error();
  }
  RunFilter every;
  every.limit = kCounted;
  const auto runs = (*store)->list_runs(every);
  return FormedCluster{(*store)->incarnation(), charter.nodes(), runs ? runs->size() : 0};
}

Result<std::unique_ptr<Membership>> Membership::join(const ClusterSettings& settings,
                                                     Broker& broker, storage::RocksStore& store,
                                                     actors::Commits& local, const Clock& wall,
                                                     Hooks hooks) {
  auto membership =
      std::make_unique<RealMembership>(settings, broker, store, local, wall, std::move(hooks));
  auto agreed = membership->agree();
  return agreed ? Result<std::unique_ptr<Membership>>(std::move(membership))
                : Result<std::unique_ptr<Membership>>(agreed.error());
}

} // namespace skein::node
