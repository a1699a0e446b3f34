#include "core/cluster/members.h"

#include <algorithm>

#include "core/cluster/placement.h"

namespace skein::cluster {
namespace {

/// Before a node has heard of the others it would take what is theirs.
bool has_listened(const Members& members, Instant at) {
  return members.alone || at - members.began >= Millis{2 * members.timing.beat.count};
}

bool is_alive(const Members& members, const Peer& peer, Instant at) {
  return at - peer.heard < members.timing.silence;
}

/// Who may lead: alive, caught up, and not about to leave. This node is among them if it may.
std::vector<NodeId> candidates(const Members& members, Instant at) {
  std::vector<NodeId> nodes;
  if (members.self.ready && !members.self.draining) {
    nodes.push_back(members.self.node);
  }
  for (const auto& [node, peer] : members.peers) {
    if (is_alive(members, peer, at) && peer.beat.ready && !peer.beat.draining) {
      nodes.push_back(node);
    }
  }
  return nodes;
}

std::vector<Effect> on(Members& members, const Heard& heard) {
  if (heard.beat.node == members.self.node) {
    // The older process of the same name goes on: whoever came later made a mistake. What one says
    // that has just ended may still be on its way.
    const Instant started{static_cast<std::int64_t>(members.self.life)};
    const bool both =
        heard.beat.life < members.self.life && heard.beat.said - started >= members.timing.silence;
    return both ? std::vector<Effect>{Yield{heard.beat.life}} : std::vector<Effect>{};
  }
  const auto known = members.peers.find(heard.beat.node);
  const bool came = known == members.peers.end() || known->second.beat.life < heard.beat.life ||
                    !is_alive(members, known->second, heard.at);
  const bool changed = came || known->second.beat.ready != heard.beat.ready ||
                       known->second.beat.draining != heard.beat.draining;
  if (changed) {
    members.changed = heard.at;
  }
  const Instant since = came ? heard.at : known->second.came;
  members.peers[heard.beat.node] = Peer{heard.beat, heard.at, since};
  return {};
}

class Look {
 public:
  Look(Members& members, const Looked& looked)
      : members_(members), looked_(looked), candidates_(candidates(members, looked.at)) {}

  std::vector<Effect> run() {
    notice_silence();
    for (std::uint16_t number = 0; number < kPartitions; ++number) {
      const PartitionId partition(number);
      const std::optional<NodeId> leader = looked_.leaders[number];
      if (leads_now(partition, leader)) {
        members_.orphaned[number].reset();
        balance(partition);
      } else if (leader && *leader != self() && cluster::is_alive(members_, *leader, looked_.at)) {
        members_.orphaned[number].reset();
        members_.tried[number].reset();
      } else {
        take(partition, leader == self());
      }
    }
    return std::move(effects_);
  }

 private:
  NodeId self() const { return members_.self.node; }

  bool leads_now(PartitionId partition, const std::optional<NodeId>& leader) const {
    return leader == self() && looked_.acting.test(partition.get());
  }

  void notice_silence() {
    for (const auto& [node, peer] : members_.peers) {
      const Instant gone = peer.heard + members_.timing.silence;
      if (gone <= looked_.at && members_.changed < gone) {
        members_.changed = gone;
      }
    }
  }

  /// Nobody leads: after the first of the rank, each next waits one step longer. What was its own
  /// before it fell, a node takes back without waiting.
  void take(PartitionId partition, bool mine) {
    const std::size_t number = partition.get();
    auto& since = members_.orphaned[number];
    if (!since) {
      since = looked_.at;
      members_.tried[number].reset();
    }
    const auto order = rank(partition, candidates_);
    const auto place = std::find(order.begin(), order.end(), self());
    if (place == order.end() || (!mine && !has_listened(members_, looked_.at)) ||
        looked_.behind.test(number)) {
      return;
    }
    const auto rank_of_self = mine ? 0 : place - order.begin();
    const Millis wait{members_.timing.step.count * rank_of_self};
    if (looked_.at - *since >= wait && may_try(number)) {
      effects_.push_back(Announce{partition});
    }
  }

  /// This node leads, and another should.
  void balance(PartitionId partition) {
    const bool settled = looked_.at - members_.changed >= members_.timing.settle;
    const auto order = rank(partition, candidates_);
    if (order.empty() || order.front() == self() || (!settled && !members_.self.draining)) {
      members_.tried[partition.get()].reset();
      return;
    }
    if (may_try(partition.get())) {
      const auto to = members_.peers.find(order.front());
      effects_.push_back(HandOver{partition, order.front(), to->second.beat.life});
    }
  }

  bool may_try(std::size_t number) {
    auto& tried = members_.tried[number];
    if (tried && looked_.at - *tried < members_.timing.retry) {
      return false;
    }
    tried = looked_.at;
    return true;
  }

  Members& members_;
  const Looked& looked_;
  const std::vector<NodeId> candidates_;
  std::vector<Effect> effects_;
};

std::vector<Effect> on(Members& members, const Looked& looked) {
  return Look(members, looked).run();
}

} // namespace

Members join(Beat self, Timing timing, Instant at) {
  Members members;
  members.self = std::move(self);
  members.timing = timing;
  members.began = at;
  members.changed = at;
  return members;
}

std::vector<Effect> step(Members& members, const Event& event) {
  return std::visit([&](const auto& what) { return on(members, what); }, event);
}

bool is_alive(const Members& members, NodeId node, Instant at) {
  if (node == members.self.node) {
    return true;
  }
  const auto peer = members.peers.find(node);
  return peer != members.peers.end() && is_alive(members, peer->second, at);
}

} // namespace skein::cluster
