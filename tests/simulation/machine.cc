#include "machine.h"

#include <array>
#include <utility>

#include "actors/outbox_actor.h"
#include "actors/partition_actor.h"
#include "actors/supervisor_actor.h"
#include "actors/timer_actor.h"

namespace skein::simulation {
namespace {

constexpr Millis kTick{50};

struct Config : caf::actor_system_config {
  Config() { set("scheduler.policy", caf::atom("testing")); }
};

} // namespace

void Disk::submit(Batch batch, Answer answer) {
  if (bug_ == Bug::skip_sync) {
    answer({}, Batch(batch));
    answer = [](const Result<void>&, Batch&&) {};
  }
  waiting_.emplace_back(std::move(batch), std::move(answer));
  if (!syncing_) {
    syncing_ = true;
    const std::int64_t most = bug_ == Bug::skip_sync ? 300 : 3;
    world_.after(world_.between(0, most), [this, life = life_] {
      if (life == life_) {
        sync();
      }
    });
  }
}

void Disk::sync() {
  syncing_ = false;
  std::deque<std::pair<Batch, Answer>> now;
  now.swap(waiting_);
  for (auto& [batch, answer] : now) {
    const Result<void> written = store_.commit({&batch, 1});
    if (written) {
      on_commit_(batch);
    }
    answer(written, std::move(batch));
  }
}

void Disk::crash() {
  ++life_;
  syncing_ = false;
  waiting_.clear();
}

void Eager::submit(Batch batch, Answer answer) {
  const PartitionId partition = batch.partition;
  std::deque<Batch>& waiting = waiting_[partition];
  waiting.push_back(batch);
  if (waiting.size() == 1) {
    send_next(partition);
  }
  answer({}, std::move(batch));
}

void Eager::send_next(PartitionId partition) {
  log_.submit(Batch(waiting_[partition].front()), [this, partition](const Result<void>&, Batch&&) {
    std::deque<Batch>& waiting = waiting_[partition];
    waiting.pop_front();
    if (!waiting.empty()) {
      send_next(partition);
    }
  });
}

Work::Work(World& world, Ledger& ledger, NodeId node)
    : world_(world), ledger_(ledger), node_(node) {
  description_.name = "work";
}

namespace {

struct Handle : ToolHandle {
  void cancel() override {}
};

} // namespace

std::unique_ptr<ToolHandle> Work::start(const ToolCall& call, ToolDone done) {
  ledger_.called(call.key, {node_, call.attempt, world_.now()});
  const std::uint64_t number = ++calls_;
  under_way_.emplace(number, std::move(done));
  world_.after(world_.between(1, 400), [this, number, key = call.key] {
    if (const auto waiting = under_way_.extract(number)) {
      waiting.mapped()(Value(key));
      on_done();
    }
  });
  return std::make_unique<Handle>();
}

void Work::crash() {
  for (const auto& [number, done] : std::exchange(under_way_, {})) {
    done(Error{Code::step_cancelled, "the process has ended", ""});
  }
}

/// The actors of a process on a scheduler that runs them when the world says so.
class Host : public actors::RunHost {
 public:
  Host(actors::Surroundings around, actors::Limits limits, actors::Commits& commits)
      : system_(config_),
        shared_(std::make_shared<actors::Shared>(std::move(around), limits, commits)) {
    shared_->deliver = [this](const RunId& run, flow::Event event, actors::Reply reply) {
      deliver(run, std::move(event), std::move(reply));
    };
    shared_->wake = [this](const RunId& run, actors::Reply reply) { wake(run, std::move(reply)); };
    shared_->timer = system_.spawn(actors::timer_actor, shared_);
    shared_->supervisor = system_.spawn(actors::supervisor_actor, shared_);
    shared_->outbox = system_.spawn(actors::outbox_actor, shared_);
  }

  ~Host() override { stop(); }

  void deliver(const RunId& run, flow::Event event, actors::Reply reply) override {
    if (stopped_) {
      refuse(reply);
      return;
    }
    caf::anon_send(home_of(partition_of(run)), std::make_shared<actors::Inbound>(actors::Inbound{
                                                   run, std::move(event), std::move(reply)}));
  }
  void write(std::vector<Append> appends, actors::Reply reply) override {
    const RunId run = appends.front().entry.run;
    caf::anon_send(home_of(partition_of(run)), std::make_shared<actors::Written>(actors::Written{
                                                   std::move(appends), std::move(reply)}));
  }
  void wake(const RunId& run, actors::Reply reply) override {
    if (stopped_) {
      refuse(reply);
      return;
    }
    caf::anon_send(home_of(partition_of(run)),
                   std::make_shared<actors::Wake>(actors::Wake{run, {}, std::move(reply)}));
  }
  Result<void> resume(std::vector<RunId> runs, actors::Woken) override {
    for (const RunId& run : runs) {
      wake(run, {});
    }
    return {};
  }
  void lead(PartitionId partition, Epoch epoch) override {
    caf::anon_send(home_of(partition), actors::Lead{epoch});
    shared_->led |= std::uint64_t{1} << partition.get();
    caf::anon_send(shared_->timer, actors::Armed{shared_->around.clock.now()});
    caf::anon_send(shared_->outbox, actors::Kick{});
  }
  void follow(PartitionId partition) override {
    shared_->led &= ~(std::uint64_t{1} << partition.get());
    caf::anon_send(home_of(partition), actors::Follow{});
  }
  void hold(PartitionId partition, bool held) override {
    const std::uint64_t bit = std::uint64_t{1} << partition.get();
    shared_->held = held ? shared_->held | bit : shared_->held & ~bit;
  }
  int attempts(PartitionId partition) const override {
    return shared_->attempts.at(partition.get());
  }
  std::size_t waiting() const override { return shared_->slots.waiting(); }
  bool lend(actors::WorkerPtr place) override { return shared_->slots.lend(std::move(place)); }
  std::shared_ptr<void> guest_slot() override { return actors::guest_slot(shared_); }
  bool drain(Millis) override { return true; }

  void stop() override {
    if (stopped_) {
      return;
    }
    stopped_ = true; // whoever falls now calls nobody back to life
    for (const caf::actor& actor : {shared_->timer, shared_->supervisor, shared_->outbox}) {
      caf::anon_send(actor, actors::Stop{});
    }
    for (caf::actor& actor : partitions_) {
      if (actor) {
        caf::anon_send(actor, actors::Stop{});
        actor = nullptr;
      }
    }
    run();
    shared_.reset();
  }

  /// Fires timers and sends messages from now on, where it leads from the start.
  void begin() {
    caf::anon_send(shared_->timer, actors::Armed{shared_->around.clock.now()});
    caf::anon_send(shared_->outbox, actors::Kick{});
  }
  void run() { scheduler().run(); }
  void pass(Millis time) {
    scheduler().advance_time(std::chrono::milliseconds(time.count));
    run();
  }

 private:
  caf::scheduler::test_coordinator& scheduler() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
  }
  static void refuse(const actors::Reply& reply) {
    if (reply) {
      reply(Error{Code::interrupted, "the node is stopping", ""});
    }
  }
  const caf::actor& home_of(PartitionId id) {
    caf::actor& partition = partitions_[id.get()];
    if (!partition) {
      partition = system_.spawn(actors::partition_actor, shared_, id);
    }
    return partition;
  }

  Config config_;
  caf::actor_system system_;
  actors::SharedPtr shared_;
  std::array<caf::actor, kPartitions> partitions_;
  bool stopped_ = false;
};

/// What a crash ends.
struct Machine::Process {
  std::shared_ptr<Connection> connection;
  std::unique_ptr<node::Cluster> cluster; ///< none where it is local
  std::unique_ptr<Eager> eager;
  std::unique_ptr<Host> host;
  Instant ran; ///< up to when the actors' clock is
  bool dead = false;
};

Machine::Machine(Outside outside, NodeId id)
    : outside_(std::move(outside)),
      id_(id),
      disk_(
          outside_.world, [this](const Batch& batch) { outside_.on_commit(id_, batch); },
          outside_.bug),
      work_(outside_.world, outside_.ledger, id),
      box_(work_) {
  work_.on_done = [this] { run_actors(); };
}

Machine::~Machine() { crash(); }

void Machine::start() {
  ++life_;
  process_ = std::make_unique<Process>();
  Process& process = *process_;
  process.ran = outside_.world.now();
  process.connection = std::make_shared<Connection>(outside_.world, outside_.server,
                                                    outside_.faults, std::to_string(id_.get()));
  process.connection->set_linked(linked_);
  actors::Limits limits;
  limits.effects_in_flight = outside_.effects_in_flight;
  const bool flawed = outside_.bug == Bug::act_before_read_back;
  if (!outside_.local) {
    make_cluster();
    limits.leads = false;
    process.eager = std::make_unique<Eager>(process.cluster->commits());
  }
  actors::Commits& log = outside_.local ? static_cast<actors::Commits&>(disk_)
                         : flawed       ? *process.eager
                                        : process.cluster->commits();
  process.host = std::make_unique<Host>(
      actors::Surroundings{store(),
                           box_,
                           outside_.world,
                           outside_.definition_of,
                           [](const Entry&, const RunRecord*) {},
                           [](const OutboxItem&, const actors::Reply& taken) { taken({}); },
                           [this](const Error& error) { outside_.on_broken(id_, error); },
                           {},
                           false,
                           [&process](const ToolCall& call) {
                             return process.cluster ? process.cluster->work().running(call)
                                                    : nullptr;
                           }},
      limits, log);
  if (outside_.local) {
    process.host->begin();
    wake(kEveryPartition);
  } else if (!process.cluster->open(*process.host, &box_)) {
    come_back(); // the broker is away
    return;
  }
  tick(life_);
}

void Machine::make_cluster() {
  node::Cluster::Options options;
  options.log = {"sim", 1, id_};
  options.life = static_cast<std::uint64_t>(outside_.world.now().ms);
  node::Cluster::Hooks hooks;
  hooks.recover = [this](const std::vector<PartitionId>& partitions) {
    PartitionSet of;
    for (const PartitionId partition : partitions) {
      of.set(partition.get());
    }
    wake(of);
  };
  hooks.on_batch = [](const Batch&) {};
  hooks.on_generation = [](std::uint64_t) {};
  hooks.on_broken = [this](const Error& error) { outside_.on_broken(id_, error); };
  process_->cluster =
      std::make_unique<node::Cluster>(*process_->connection, store(), store(), disk_,
                                      outside_.world, outside_.world, options, hooks);
  process_->cluster->know(outside_.nodes);
  if (outside_.bug == Bug::apply_after_fence) {
    process_->connection->swallow = [id = id_](const Stored& stored) {
      const auto received = schemas::decode_message(stored.message.payload);
      const auto* announced =
          received ? std::get_if<schemas::LeaderAnnounced>(&received->message) : nullptr;
      return announced != nullptr && announced->epoch > Epoch(1) && announced->leader != id;
    };
  } else if (outside_.bug == Bug::reuse_epoch) {
    process_->connection->alter = [](Message& message) {
      auto received = schemas::decode_message(message.payload);
      auto* announced =
          received ? std::get_if<schemas::LeaderAnnounced>(&received->message) : nullptr;
      if (announced != nullptr && announced->epoch > Epoch(1)) {
        announced->epoch = Epoch(announced->epoch.get() - 1);
        message.payload = schemas::encode_message(received->from, received->message);
      }
    };
  }
}

void Machine::wake(const PartitionSet& partitions) {
  std::vector<RunId> runs;
  for (std::uint16_t p = 0; p < kPartitions; ++p) {
    if (partitions.test(p)) {
      (void)store().live_runs(PartitionId(p), [&](const RunId& run) {
        runs.push_back(run);
        return true;
      });
    }
  }
  (void)process_->host->resume(std::move(runs), {});
}

// As a service that its supervisor starts again.
void Machine::come_back() {
  crash();
  outside_.world.after(Millis{1'000}, [this] {
    if (!is_running()) {
      start();
    }
  });
}

void Machine::crash() {
  if (!process_) {
    return;
  }
  ++life_;
  frozen_ = false;
  process_->connection->set_linked(false); // what its actors still say is heard by nobody
  disk_.crash();
  work_.crash();
  process_->host->stop();
  work_.crash(); // what was begun by a message that was still in a mailbox
  process_->host->run();
  disk_.crash();
  if (process_->cluster) {
    process_->cluster->close();
  }
  process_.reset();
}

void Machine::freeze(bool frozen) {
  frozen_ = frozen;
  if (process_) {
    process_->connection->set_paused(frozen);
  }
}

void Machine::set_linked(bool linked) {
  linked_ = linked;
  if (process_) {
    process_->connection->set_linked(linked);
  }
}

void Machine::tick(std::uint64_t life) {
  if (life != life_ || !process_) {
    return;
  }
  if (!frozen_) {
    if (process_->cluster) {
      process_->cluster->tick();
    }
    run_actors();
  }
  outside_.world.after(kTick, [this, life] { tick(life); });
}

void Machine::run_actors() {
  if (process_ && !frozen_) {
    const Instant now = outside_.world.now();
    process_->host->pass(now - process_->ran);
    process_->ran = now;
  }
}

void Machine::tell(const RunId& run, flow::Event event, actors::Reply reply) {
  if (!process_ || frozen_) {
    reply(Error{Code::node_busy, "nobody there", ""});
    return;
  }
  if (outside_.local) {
    process_->host->deliver(run, std::move(event), std::move(reply));
    run_actors();
    return;
  }
  process_->cluster->deliver(run, std::move(event),
                             [reply = std::move(reply)](const Result<LogIndex>& told) {
                               reply(told ? Result<void>() : told.error());
                             });
  run_actors();
}

const node::Cluster* Machine::cluster() const {
  return process_ ? process_->cluster.get() : nullptr;
}

} // namespace skein::simulation
