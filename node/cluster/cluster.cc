#include "node/cluster/cluster.h"

#include <spdlog/spdlog.h>

#include <array>
#include <charconv>
#include <utility>

#include "core/base/subject.h"

namespace skein::node {
namespace {

std::string hex(std::uint64_t number) {
  std::array<char, 16> digits{};
  return {digits.begin(), std::to_chars(digits.begin(), digits.end(), number, 16).ptr};
}

} // namespace

Cluster::Cluster(Broker& broker, Store& store, ReplicaStore& copies, actors::Commits& local,
                 const Clock& wall, const Clock& steady, Options options, Hooks hooks)
    : broker_(broker),
      store_(store),
      wall_(wall),
      steady_(steady),
      options_(std::move(options)),
      hooks_(std::move(hooks)),
      log_(broker, store, local, wall, options_.log,
           {[this](const schemas::LeaderAnnounced& announced) { on_leader(announced); },
            hooks_.on_batch, [this](std::uint64_t generation) { on_generation(generation); },
            hooks_.on_broken}),
      copies_(
          broker, copies, log_, steady, options_.log.self,
          [this](NodeId node) { return subject_of(node, "ask"); }, options_.ask_limit),
      work_(broker, steady, options_.log.self,
            {[this](NodeId node) { return subject_of(node, "ask"); },
             [this](PartitionId partition) { return log_.replica(partition).epoch; },
             [this](PartitionId partition) { return leads(partition); }},
            options_.ask_limit) {}

Cluster::~Cluster() { close(); }

std::string Cluster::subject_of(NodeId node, const char* what) const {
  return Subject("skein").add(options_.log.cluster).add(what).add(hex(node.get())).text();
}

Result<void> Cluster::open(actors::RunHost& host, ToolBox* tools) {
  host_ = &host;
  work_.open(host, tools);
  cluster::Beat self;
  self.node = options_.log.self;
  self.life = options_.life;
  members_ = cluster::join(self, options_.timing, steady_.now());
  members_.alone = options_.alone;
  auto alive = broker_.subscribe(
      Subject("skein").add(options_.log.cluster).add("alive").any().text(), "",
      [this](Message&& message) {
        const auto received = schemas::decode_message(message.payload);
        const auto* said = received ? std::get_if<schemas::Alive>(&received->message) : nullptr;
        if (said != nullptr && message.subject == subject_of(said->beat.node, "alive")) {
          on_alive(*said);
        } else {
          misread(message);
        }
      });
  auto asks = broker_.subscribe(subject_of(options_.log.self, "ask"), "",
                                [this](Message&& message) { on_ask(std::move(message)); });
  if (!alive || !asks) {
    return alive ? asks.error() : alive.error();
  }
  subscriptions_ = {std::move(*alive), std::move(*asks)};
  if (auto opened = log_.open(options_.replicas, options_.generation); !opened) {
    return opened;
  }
  const std::lock_guard lock(mutex_);
  open_ = true;
  return {};
}

void Cluster::close() {
  {
    const std::lock_guard lock(mutex_);
    open_ = false;
  }
  subscriptions_.clear();
  work_.close();
  log_.close();
}

void Cluster::know(std::set<NodeId> nodes) {
  const std::lock_guard lock(mutex_);
  known_ = std::move(nodes);
}

std::set<NodeId> Cluster::awaited() const {
  const auto said = log_.said_what_they_hold();
  if (!said) {
    return {};
  }
  const std::lock_guard lock(mutex_);
  std::set<NodeId> awaited = known_;
  awaited.insert(options_.log.self);
  std::erase_if(awaited, [&](NodeId node) { return said->contains(node); });
  return awaited;
}

/// A node that reads a later stream knows why.
void Cluster::follow_others() {
  std::uint64_t newest = 0;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [node, said] : said_) {
      newest = std::max(newest, said.generation);
    }
  }
  log_.follow(newest);
}

std::string Cluster::encoded(const schemas::NodeMessage& message) const {
  return schemas::encode_message(options_.log.self, message);
}

std::vector<NodeId> Cluster::others() const {
  const Instant now = steady_.now();
  const std::lock_guard lock(mutex_);
  std::vector<NodeId> others;
  for (const auto& [node, peer] : members_.peers) {
    if (cluster::is_alive(members_, node, now)) {
      others.push_back(node);
    }
  }
  return others;
}

std::vector<NodeId> Cluster::others_that_take_work() const {
  std::vector<NodeId> open_to = others();
  const std::lock_guard lock(mutex_);
  std::erase_if(open_to, [&](NodeId node) {
    const cluster::Beat& beat = members_.peers.at(node).beat;
    return !beat.ready || beat.draining;
  });
  return open_to;
}

void Cluster::on_alive(const schemas::Alive& alive) {
  std::vector<cluster::Effect> effects;
  {
    const std::lock_guard lock(mutex_);
    if (!open_) {
      return;
    }
    if (alive.beat.node != options_.log.self) {
      said_[alive.beat.node] = alive;
      for (const auto& [partition, before] : alive.delivered) {
        if (!acting_.test(partition.get()) && log_.replica(partition).leader == alive.beat.node) {
          delivered_[partition] = before;
        }
      }
    }
    effects = cluster::step(members_, cluster::Heard{alive.beat, steady_.now()});
  }
  for (const cluster::Effect& effect : effects) {
    act(effect, steady_.now());
  }
}

void Cluster::tick() {
  const Instant now = steady_.now();
  cluster::Looked looked;
  looked.at = now;
  follow_others();
  const auto replicas = log_.replicas();
  for (std::size_t p = 0; p < kPartitions; ++p) {
    looked.leaders[p] = replicas[p].leader;
  }
  ask_what_others_hold(now);
  looked.behind = awaited().empty() ? log_.behind() : kEveryPartition;
  step_back(looked.behind);
  std::vector<cluster::Effect> effects;
  std::vector<PartitionId> recover;
  {
    const std::lock_guard lock(mutex_);
    if (!open_) {
      return;
    }
    members_.self.ready = members_.self.ready || log_.caught_up();
    members_.self.leads = acting_;
    looked.acting = acting_;
    for (const auto& [partition, agreeing] : agreeing_) {
      looked.acting.set(partition.get());
    }
    effects = cluster::step(members_, looked);
    recover.swap(to_recover_);
  }
  if (!recover.empty()) {
    work_.take_over(recover, others(), [this, recover] { hooks_.recover(recover); });
  }
  for (const cluster::Effect& effect : effects) {
    act(effect, now);
  }
  move_held(now);
  log_.tick();
  copies_.tick(others());
  work_.tick(others(), others_that_take_work());
  drop_delivered();
  if (!beaten_ || now - *beaten_ >= options_.timing.beat) {
    beat(now);
  }
}

void Cluster::beat(Instant now) {
  schemas::Alive alive;
  {
    const std::lock_guard lock(mutex_);
    alive.beat = members_.self;
    alive.beat.said = wall_.now();
  }
  for (std::uint16_t p = 0; p < kPartitions; ++p) {
    alive.beat.load += static_cast<std::uint32_t>(host_->attempts(PartitionId(p)));
  }
  alive.beat.load += static_cast<std::uint32_t>(work_.guests());
  alive.name = options_.name;
  alive.url = options_.url;
  alive.labels = options_.labels;
  alive.generation = log_.generation();
  alive.delivered = delivered();
  const auto said =
      broker_.publish({subject_of(options_.log.self, "alive"), "", {}, encoded(alive)});
  if (said) {
    beaten_ = now;
  }
}

bool Cluster::leads(PartitionId partition) const {
  const std::lock_guard lock(mutex_);
  return acting_.test(partition.get());
}

void Cluster::drain(bool on) {
  const std::lock_guard lock(mutex_);
  members_.self.draining = on;
}

bool Cluster::is_drained() const {
  const std::lock_guard lock(mutex_);
  return acting_.none();
}

bool Cluster::is_ready() const {
  const std::lock_guard lock(mutex_);
  return members_.self.ready;
}

bool Cluster::is_settled() const {
  const auto replicas = log_.replicas();
  const std::lock_guard lock(mutex_);
  for (std::size_t p = 0; p < kPartitions; ++p) {
    const auto& leader = replicas[p].leader;
    if (!leader ||
        (*leader == options_.log.self ? !acting_.test(p)
                                      : !cluster::is_alive(members_, *leader, steady_.now()))) {
      return false;
    }
  }
  return members_.self.ready;
}

std::vector<MemberStatus> Cluster::members() const {
  const auto replicas = log_.replicas();
  const Instant now = steady_.now();
  const std::lock_guard lock(mutex_);
  const auto led_by = [&](NodeId node) {
    PartitionSet led;
    for (std::size_t p = 0; p < kPartitions; ++p) {
      led.set(p, replicas[p].leader == node);
    }
    return led;
  };
  std::vector<MemberStatus> all;
  const cluster::Beat& self = members_.self;
  all.push_back({self.node, options_.name, options_.url, true, self.ready, self.draining, Millis{0},
                 self.load, led_by(self.node), options_.labels});
  for (const auto& [node, peer] : members_.peers) {
    const auto said = said_.find(node);
    all.push_back({node, said == said_.end() ? "" : said->second.name,
                   said == said_.end() ? "" : said->second.url,
                   cluster::is_alive(members_, node, now), peer.beat.ready, peer.beat.draining,
                   now - peer.heard, peer.beat.load, led_by(node),
                   said == said_.end() ? Value() : said->second.labels});
  }
  return all;
}

} // namespace skein::node
