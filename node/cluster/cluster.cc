#include "node/cluster/cluster.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <utility>

#include "core/base/subject.h"

namespace skein::node {
namespace {

constexpr std::size_t kDroppedAtOnce = 4'096; ///< messages of one partition, a tick

std::string hex(std::uint64_t number) {
  std::array<char, 16> digits{};
  return {digits.begin(), std::to_chars(digits.begin(), digits.end(), number, 16).ptr};
}

Error nobody_leads(PartitionId partition) {
  return {Code::not_leader,
          "no node leads partition " + std::to_string(partition.get()) + " at the moment",
          "ask again after a moment: another node takes over within seconds"};
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
          [this](NodeId node) { return subject_of(node, "ask"); }, options_.ask_limit) {}

Cluster::~Cluster() { close(); }

std::string Cluster::subject_of(NodeId node, const char* what) const {
  return Subject("skein").add(options_.log.cluster).add(what).add(hex(node.get())).text();
}

Result<void> Cluster::open(actors::RunHost& host) {
  host_ = &host;
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
  log_.close();
}

// An announcement of this node that another process of it made is another's: one was copied, or is
// of before a restart.
void Cluster::on_leader(const schemas::LeaderAnnounced& announced) {
  const PartitionId partition = announced.partition;
  const std::lock_guard lock(mutex_);
  holding_.erase(partition);
  agreeing_.erase(partition);
  host_->hold(partition, false);
  if (announced.leader == options_.log.self && announced.life == options_.life) {
    agreeing_[partition] = Agreeing{announced.epoch, steady_.now(), {}};
  } else if (acting_.test(partition.get())) {
    acting_.reset(partition.get());
    host_->follow(partition);
  }
}

// Whoever led in the stream before does not in this one until it is announced.
void Cluster::on_generation(std::uint64_t generation) {
  {
    const std::lock_guard lock(mutex_);
    for (std::uint16_t p = 0; p < kPartitions; ++p) {
      if (acting_.test(p)) {
        acting_.reset(p);
        host_->follow(PartitionId(p));
      }
    }
    for (const auto& [partition, held] : holding_) {
      host_->hold(partition, false);
    }
    holding_.clear();
    agreeing_.clear();
  }
  hooks_.on_generation(generation);
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

// A leader that may have missed its successor does nothing more until another node says that there
// is none.
void Cluster::step_back(const PartitionSet& behind) {
  const std::lock_guard lock(mutex_);
  std::erase_if(agreeing_, [&](const auto& one) { return behind.test(one.first.get()); });
  const PartitionSet back = acting_ & behind;
  for (std::uint16_t p = 0; p < kPartitions && back.any(); ++p) {
    if (back.test(p)) {
      acting_.reset(p);
      host_->follow(PartitionId(p));
    }
  }
}

/// Leads what nobody has more of; returns whom to ask about the rest.
std::set<NodeId> Cluster::lead_what_is_agreed(Instant now) {
  const std::lock_guard lock(mutex_);
  std::set<NodeId> others;
  for (const auto& [node, peer] : members_.peers) {
    if (peer.beat.ready && cluster::is_alive(members_, node, now)) {
      others.insert(node);
    }
  }
  std::set<NodeId> missing;
  std::erase_if(agreeing_, [&](const auto& one) {
    const auto& [partition, agreeing] = one;
    const bool late = now - agreeing.since >= options_.timing.silence;
    const bool all =
        std::includes(agreeing.agreed.begin(), agreeing.agreed.end(), others.begin(), others.end());
    if (!all && !late) {
      std::set_difference(others.begin(), others.end(), agreeing.agreed.begin(),
                          agreeing.agreed.end(), std::inserter(missing, missing.end()));
      return false;
    }
    if (!all) {
      spdlog::warn("partition {}: a node that is there has not said what it has; it is led anyway",
                   partition.get());
    }
    acting_.set(partition.get());
    host_->lead(partition, agreeing.epoch);
    to_recover_.push_back(partition);
    return true;
  });
  return missing;
}

// Replicas of a broker may differ: the leader before may have acted on a batch that this node was
// never shown. Once a node has read the announcement it counts nothing more of before, so what it
// has then is all that it will ever have.
void Cluster::ask_what_others_hold(Instant now) {
  std::set<NodeId> missing = lead_what_is_agreed(now);
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(asked_,
                  [&](const auto& one) { return now - one.second >= options_.timing.beat; });
    std::erase_if(missing, [&](NodeId node) { return !asked_.try_emplace(node, now).second; });
  }
  for (const NodeId node : missing) {
    broker_.request({subject_of(node, "ask"), "", {}, encoded(schemas::HoldsAsked{})},
                    options_.timing.beat,
                    [this, node](const Result<Message>& answered) { on_held(node, answered); });
  }
}

void Cluster::on_held(NodeId node, const Result<Message>& answered) {
  const auto received = answered ? schemas::decode_message(answered->payload)
                                 : Result<schemas::Received>(answered.error());
  const auto* holds = received ? std::get_if<schemas::Holds>(&received->message) : nullptr;
  std::vector<std::pair<PartitionId, Epoch>> agreed;
  {
    const std::lock_guard lock(mutex_);
    asked_.erase(node);
    for (const auto& [partition, agreeing] : agreeing_) {
      agreed.emplace_back(partition, agreeing.epoch);
    }
  }
  std::erase_if(agreed, [&](const auto& one) {
    const auto& [partition, epoch] = one;
    return holds == nullptr || holds->tails[partition.get()].epoch != epoch ||
           !log_.has_all_of(partition, holds->tails[partition.get()]);
  });
  const std::lock_guard lock(mutex_);
  for (const auto& [partition, epoch] : agreed) {
    const auto found = agreeing_.find(partition);
    if (found != agreeing_.end() && found->second.epoch == epoch) {
      found->second.agreed.insert(node);
    }
  }
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
    hooks_.recover(recover);
  }
  for (const cluster::Effect& effect : effects) {
    act(effect, now);
  }
  move_held(now);
  log_.tick();
  copies_.tick(others());
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

/// Of what this node leads. What it has written is looked at first: a message that comes meanwhile
/// is of an entry behind it.
std::map<PartitionId, LogIndex> Cluster::delivered() const {
  std::map<PartitionId, LogIndex> delivered;
  for (std::uint16_t p = 0; p < kPartitions; ++p) {
    if (!leads(PartitionId(p))) {
      continue;
    }
    const auto tail = store_.tail_of(PartitionId(p));
    const auto waiting = store_.outbox(1, PartitionSet().set(p));
    if (tail && waiting) {
      delivered[PartitionId(p)] =
          waiting->empty() ? LogIndex(tail->last.get() + 1) : waiting->front().index;
    }
  }
  return delivered;
}

// What a leader has delivered need not be sent again by whoever leads after it.
void Cluster::drop_delivered() {
  std::map<PartitionId, LogIndex> delivered;
  {
    const std::lock_guard lock(mutex_);
    delivered.swap(delivered_);
  }
  for (const auto& [partition, before] : delivered) {
    auto waiting = store_.outbox(kDroppedAtOnce, PartitionSet().set(partition.get()));
    if (!waiting) {
      continue;
    }
    std::erase_if(*waiting, [&](const OutboxItem& item) { return item.index >= before; });
    if (!waiting->empty()) {
      (void)store_.outbox_delivered(*waiting);
    }
  }
}

void Cluster::act(const cluster::Effect& effect, Instant now) {
  if (const auto* announce = std::get_if<cluster::Announce>(&effect)) {
    log_.announce(announce->partition, options_.log.self, options_.life);
  } else if (const auto* over = std::get_if<cluster::HandOver>(&effect)) {
    const std::lock_guard lock(mutex_);
    if (holding_.try_emplace(over->partition, Holding{over->to, over->life, now}).second) {
      host_->hold(over->partition, true);
    }
  } else {
    hooks_.on_broken({Code::node_duplicate, "another process is node " + options_.name + " already",
                      "give each node a data directory of its own"});
  }
}

// A partition moves between two attempts: what runs is neither cut off nor left in doubt. One that
// is never still stays, unless this node is to end.
void Cluster::move_held(Instant now) {
  const std::lock_guard lock(mutex_);
  for (auto& [partition, held] : holding_) {
    if (held.announced && now - held.since < options_.hand_over_limit) {
      continue;
    }
    const bool late = now - held.since >= options_.hand_over_limit;
    if (host_->attempts(partition) == 0 || (late && members_.self.draining)) {
      log_.announce(partition, held.to, held.life);
      held.announced = true;
      held.since = now;
    } else if (late) { // its runs go on from their journals, here
      log_.announce(partition, options_.log.self, options_.life);
      held.announced = true;
      held.since = now;
    }
  }
}

void Cluster::deliver(const RunId& run, flow::Event event, Told told) {
  const PartitionId partition = partition_of(run);
  std::optional<NodeId> leader;
  {
    const std::lock_guard lock(mutex_);
    if (acting_.test(partition.get())) {
      leader = options_.log.self;
    } else {
      leader = log_.replica(partition).leader;
      if (leader == options_.log.self ||
          (leader && !cluster::is_alive(members_, *leader, steady_.now()))) {
        leader.reset();
      }
    }
  }
  if (!leader) {
    told(nobody_leads(partition));
  } else if (*leader == options_.log.self) {
    host_->deliver(run, std::move(event), [told = std::move(told)](const Result<void>& done) {
      told(done ? Result<LogIndex>(LogIndex()) : done.error());
    });
  } else {
    pass_on(*leader, run, std::move(event), std::move(told));
  }
}

void Cluster::pass_on(NodeId to, const RunId& run, flow::Event event, Told told) {
  Message message;
  message.subject = subject_of(to, "ask");
  message.payload = encoded(schemas::Ask{run, std::move(event)});
  broker_.request(
      std::move(message), options_.ask_limit,
      [told = std::move(told)](const Result<Message>& answered) {
        const auto received =
            answered ? schemas::decode_message(answered->payload) : answered.error();
        const auto* answer = received ? std::get_if<schemas::Answer>(&received->message) : nullptr;
        if (!received) {
          told(received.error());
        } else if (answer == nullptr) {
          told(Error{Code::wire_invalid, "a node answered something else", ""});
        } else {
          told(answer->error ? Result<LogIndex>(*answer->error) : Result<LogIndex>(answer->last));
        }
      });
}

void Cluster::on_ask(Message&& message) {
  auto received = schemas::decode_message(message.payload);
  if (const auto* fetch = received ? std::get_if<schemas::Fetch>(&received->message) : nullptr) {
    if (!message.reply.empty()) {
      (void)broker_.publish({message.reply, "", {}, encoded(copies_.give(received->from, *fetch))});
    }
    return;
  }
  if (received && std::holds_alternative<schemas::HoldsAsked>(received->message)) {
    if (!message.reply.empty()) {
      (void)broker_.publish({message.reply, "", {}, encoded(log_.holds())});
    }
    return;
  }
  if (const auto* drained = received ? std::get_if<schemas::Drain>(&received->message) : nullptr) {
    spdlog::info("asked by another node to lead {}", drained->on ? "nothing" : "its share again");
    drain(drained->on);
    answer(message.reply, {}, {});
    return;
  }
  auto* ask = received ? std::get_if<schemas::Ask>(&received->message) : nullptr;
  if (ask == nullptr) {
    misread(message);
    answer(message.reply, {},
           received ? Error{Code::wire_invalid, "that is not a question", ""} : received.error());
    return;
  }
  const PartitionId partition = partition_of(ask->run);
  if (!leads(partition)) {
    answer(message.reply, partition, nobody_leads(partition));
    return;
  }
  host_->deliver(ask->run, std::move(ask->event),
                 [this, partition, to = std::move(message.reply)](const Result<void>& result) {
                   answer(to, partition, result);
                 });
}

void Cluster::answer(const std::string& to, PartitionId partition, const Result<void>& result) {
  if (to.empty()) {
    return;
  }
  schemas::Answer answer;
  if (result) {
    answer.last = log_.replica(partition).last;
  } else {
    answer.error = result.error();
  }
  const auto sent = broker_.publish({to, "", {}, encoded(answer)});
  if (!sent) {
    spdlog::warn("an answer to another node is lost: {}", to_string(sent.error()));
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

void Cluster::ask_to_drain(NodeId node, bool on, std::function<void(Result<void>)> told) {
  if (node == options_.log.self) {
    drain(on);
    told({});
    return;
  }
  Message message;
  message.subject = subject_of(node, "ask");
  message.payload = encoded(schemas::Drain{on});
  broker_.request(std::move(message), options_.ask_limit,
                  [told = std::move(told)](const Result<Message>& answered) {
                    told(answered ? Result<void>() : answered.error());
                  });
}

void Cluster::misread(const Message& message) {
  if (misread_++ == 0) {
    spdlog::warn(
        "a message on {} is not what a node says there and is dropped; further ones are "
        "counted",
        message.subject);
  }
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
