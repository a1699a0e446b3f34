#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "node/cluster/cluster.h"

// Which partitions this node leads, from when on, and what it hands over.
namespace skein::node {
namespace {

constexpr std::size_t kDroppedAtOnce = 4'096; ///< messages of one partition, a tick

} // namespace

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

} // namespace skein::node
