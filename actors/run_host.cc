#include "actors/run_host.h"

#include <array>
#include <future>

#include "actors/committer.h"
#include "actors/partition_actor.h"
#include "actors/timer_actor.h"

namespace skein::actors {
namespace {

struct Config : caf::actor_system_config {
  explicit Config(std::size_t threads) {
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", threads);
    set("scheduler.max-throughput", std::size_t{50});
  }
};

class CafRunHost : public RunHost {
 public:
  CafRunHost(Surroundings surroundings, Limits limits)
      : config_(limits.threads),
        committer_(surroundings.store, surroundings.clock),
        system_(config_),
        shared_(std::make_shared<Shared>(std::move(surroundings), limits.effects_in_flight)) {
    shared_->deliver = [this](const RunId& run, flow::Event event) {
      deliver(run, std::move(event), {});
    };
    shared_->timer = system_.spawn(timer_actor, shared_);
    caf::anon_send(shared_->timer, Armed{shared_->around.clock.now()});
  }

  ~CafRunHost() override { stop(); }

  void deliver(const RunId& run, flow::Event event, Reply reply) override {
    send(run, std::make_shared<Inbound>(Inbound{run, std::move(event), std::move(reply)}));
  }

  void wake(const RunId& run, Reply reply) override {
    send(run, std::make_shared<Wake>(Wake{run, std::move(reply)}));
  }

  void stop() override {
    const std::lock_guard lock(mutex_);
    if (stopped_) {
      return;
    }
    stopped_ = true;
    caf::anon_send(shared_->timer, Stop{});
    for (caf::actor& partition : partitions_) {
      if (partition) {
        caf::anon_send(partition, Stop{});
        partition = nullptr;
      }
    }
    shared_->timer = nullptr; // or the actors and what they share would keep each other
  }

 private:
  // Spawned when first used, so that a process which runs one flow starts one.
  template <class Message>
  void send(const RunId& run, Message message) {
    const PartitionId id = partition_of(run);
    const std::lock_guard lock(mutex_);
    if (stopped_) {
      if (message->reply) {
        message->reply(Error{Code::interrupted, "the node is stopping"});
      }
      return;
    }
    caf::actor& partition = partitions_[id.get()];
    if (!partition) {
      partition = system_.spawn(partition_actor, shared_, &committer_, id);
    }
    caf::anon_send(partition, std::move(message));
  }

  Config config_;
  Committer committer_; // before the system: partitions submit to it until the last actor has ended
  caf::actor_system system_;
  SharedPtr shared_;
  std::mutex mutex_;
  std::array<caf::actor, kPartitions> partitions_;
  bool stopped_ = false;
};

} // namespace

std::unique_ptr<RunHost> RunHost::make(Surroundings surroundings, Limits limits) {
  return std::make_unique<CafRunHost>(std::move(surroundings), limits);
}

} // namespace skein::actors
