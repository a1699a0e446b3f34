#include "actors/run_host.h"

#include <array>
#include <future>
#include <semaphore>
#include <thread>

#include "actors/committer.h"
#include "actors/outbox_actor.h"
#include "actors/partition_actor.h"
#include "actors/supervisor_actor.h"
#include "actors/timer_actor.h"

namespace skein::actors {
namespace {

constexpr std::ptrdiff_t kReadAhead = 4'096; ///< runs that are read and not yet their actors'

Error stopping() {
  return Error{Code::interrupted, "the node is stopping", "ask again once it has started anew"};
}

struct Config : caf::actor_system_config {
  explicit Config(std::size_t threads) {
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", threads);
    set("scheduler.max-throughput", std::size_t{50});
  }
};

class CafRunHost : public RunHost {
 public:
  CafRunHost(Surroundings surroundings, Limits limits, Commits* commits)
      : config_(limits.threads),
        committer_(commits == nullptr
                       ? std::make_unique<Committer>(surroundings.store, surroundings.clock)
                       : nullptr),
        system_(config_),
        shared_(std::make_shared<Shared>(std::move(surroundings), limits,
                                         commits == nullptr ? *committer_ : *commits)) {
    shared_->deliver = [this](const RunId& run, flow::Event event, Reply reply) {
      send(run, std::make_shared<Inbound>(Inbound{run, std::move(event), std::move(reply)}));
    };
    shared_->wake = [this](const RunId& run, Reply reply) { wake(run, std::move(reply)); };
    shared_->timer = system_.spawn(timer_actor, shared_);
    shared_->supervisor = system_.spawn(supervisor_actor, shared_);
    shared_->outbox = system_.spawn(outbox_actor, shared_);
    if (limits.starts_effects) {
      caf::anon_send(shared_->timer, Armed{shared_->around.clock.now()});
      caf::anon_send(shared_->outbox, Kick{});
    }
  }

  ~CafRunHost() override { stop(); }

  void deliver(const RunId& run, flow::Event event, Reply reply) override {
    if (shared_->inbound.fetch_add(1) >= shared_->limits.inbound) {
      shared_->inbound.fetch_sub(1);
      reply(Error{Code::node_busy,
                  std::to_string(shared_->limits.inbound) + " events are under way already",
                  "send it again after a moment"});
      return;
    }
    // Given back with the last copy of the reply, whether it was called or not.
    const std::shared_ptr<void> credit(nullptr,
                                       [shared = shared_](void*) { shared->inbound.fetch_sub(1); });
    send(run, std::make_shared<Inbound>(Inbound{
                  run, std::move(event), [credit, reply = std::move(reply)](Result<void> result) {
                    reply(std::move(result));
                  }}));
  }

  void write(std::vector<Append> appends, Reply reply) override {
    const RunId run = appends.front().entry.run;
    send(run, std::make_shared<Written>(Written{std::move(appends), std::move(reply)}));
  }

  void wake(const RunId& run, Reply reply) override {
    if (shared_->limits.starts_effects) { // a fork has timers that nobody armed
      caf::anon_send(shared_->timer, Armed{shared_->around.clock.now()});
    }
    send(run, std::make_shared<Wake>(Wake{run, {}, std::move(reply)}));
  }

  Result<void> resume(std::vector<RunId> runs, Woken woken) override {
    if (const std::lock_guard lock(mutex_); stopped_) {
      return stopping();
    }
    if (resuming_.joinable()) {
      resuming_.join();
    }
    resuming_ = std::jthread([this, runs = std::move(runs), woken = std::move(woken)](
                                 const std::stop_token& stop) { read_ahead(runs, woken, stop); });
    return {};
  }

  void lead(PartitionId partition, Epoch epoch) override {
    tell(partition, Lead{epoch});
    shared_->led |= std::uint64_t{1} << partition.get(); // its timers find it leading
    if (shared_->limits.starts_effects) {
      caf::anon_send(shared_->timer, Armed{shared_->around.clock.now()});
      caf::anon_send(shared_->outbox, Kick{});
    }
  }

  void follow(PartitionId partition) override {
    shared_->led &= ~(std::uint64_t{1} << partition.get());
    tell(partition, Follow{});
  }

  void hold(PartitionId partition, bool held) override {
    const std::uint64_t bit = std::uint64_t{1} << partition.get();
    if (held) {
      shared_->held |= bit;
    } else {
      shared_->held &= ~bit;
    }
  }

  int attempts(PartitionId partition) const override {
    return shared_->attempts.at(partition.get());
  }

  std::size_t waiting() const override { return shared_->slots.waiting(); }
  bool lend(WorkerPtr place) override { return shared_->slots.lend(std::move(place)); }
  std::shared_ptr<void> guest_slot() override { return actors::guest_slot(shared_); }

  bool drain(Millis limit) override {
    shared_->draining = true;
    return shared_->busy.wait_until_idle(std::chrono::milliseconds(limit.count));
  }

  void stop() override {
    resuming_.request_stop();
    if (tell_all_to_stop()) {
      system_.await_all_actors_done(); // they use what is destroyed next
    }
    if (resuming_.joinable()) {
      resuming_.join();
    }
  }

 private:
  void read_ahead(const std::vector<RunId>& runs, const Woken& woken, const std::stop_token& stop) {
    // Partitions note who leaves memory until the last of these was woken, or dropped.
    ++shared_->resuming;
    const std::shared_ptr<void> noting(nullptr, [shared = shared_](void*) { --shared->resuming; });
    for (const RunId& run : runs) {
      ahead_.acquire();
      const std::shared_ptr<void> place(nullptr, [this, noting](void*) { ahead_.release(); });
      if (stop.stop_requested()) {
        return;
      }
      auto loaded = shared_->around.store.load_run(run);
      if (!loaded) {
        woken(run, loaded.error());
        continue;
      }
      send(run, std::make_shared<Wake>(
                    Wake{run, std::move(*loaded),
                         [run, woken, place](const Result<void>& result) { woken(run, result); }}));
    }
  }

  bool tell_all_to_stop() {
    const std::lock_guard lock(mutex_);
    if (stopped_) {
      return false;
    }
    stopped_ = true;
    for (const caf::actor& actor : {shared_->timer, shared_->supervisor, shared_->outbox}) {
      caf::anon_send(actor, Stop{});
    }
    for (caf::actor& partition : partitions_) {
      if (partition) {
        caf::anon_send(partition, Stop{});
        partition = nullptr;
      }
    }
    return true;
  }

  template <class Message>
  void send(const RunId& run, Message message) {
    const std::lock_guard lock(mutex_);
    if (stopped_) {
      if (message->reply) {
        message->reply(stopping());
      }
      return;
    }
    caf::anon_send(partition(partition_of(run)), std::move(message));
  }

  template <class Message>
  void tell(PartitionId id, Message message) {
    const std::lock_guard lock(mutex_);
    if (!stopped_) {
      caf::anon_send(partition(id), std::move(message));
    }
  }

  // Spawned when first used, so that a process which runs one flow starts one.
  caf::actor& partition(PartitionId id) {
    caf::actor& partition = partitions_[id.get()];
    if (!partition) {
      partition = system_.spawn(partition_actor, shared_, id);
    }
    return partition;
  }

  Config config_;
  std::unique_ptr<Committer>
      committer_; // before the system: partitions submit to it until the last actor has ended
  caf::actor_system system_;
  SharedPtr shared_;
  std::mutex mutex_;
  std::array<caf::actor, kPartitions> partitions_;
  bool stopped_ = false;
  std::counting_semaphore<> ahead_{kReadAhead};
  std::jthread resuming_;
};

} // namespace

std::unique_ptr<RunHost> RunHost::make(Surroundings surroundings, Limits limits) {
  return std::make_unique<CafRunHost>(std::move(surroundings), limits, nullptr);
}

std::unique_ptr<RunHost> RunHost::make(Surroundings surroundings, Limits limits, Commits& commits) {
  return std::make_unique<CafRunHost>(std::move(surroundings), limits, &commits);
}

} // namespace skein::actors
