#include "core/log/replica.h"

#include <algorithm>
#include <array>

namespace skein::log {

std::string_view name_of(Verdict verdict) {
  constexpr std::array<std::string_view, kVerdicts> kNames{
      "counts", "repeat", "stale", "unannounced", "gap", "diverged", "forked"};
  return kNames.at(static_cast<std::size_t>(verdict));
}

// The first of an epoch wins: whoever lost tries again with a higher one.
Verdict read(Replica& replica, const LeaderAnnounced& announced) {
  if (announced.epoch == replica.epoch && replica.leader == announced.leader) {
    return Verdict::repeat;
  }
  if (announced.epoch <= replica.epoch) {
    return Verdict::stale;
  }
  replica.epoch = announced.epoch;
  replica.leader = announced.leader;
  replica.seen = std::max(replica.seen, announced.last);
  return Verdict::counts;
}

Verdict read(Replica& replica, const Link& link) {
  const std::uint64_t end = link.first.get() + link.count;
  const bool is_leaders = link.epoch == replica.epoch && link.node == replica.leader;
  const bool later = is_leaders && link.epoch > replica.last_epoch;
  if (later && (link.first.get() <= replica.last.get() ||
                (link.first.get() == replica.last.get() + 1 && link.previous != replica.hash))) {
    return Verdict::diverged;
  }
  if (end <= replica.last.get() + 1) {
    return end == replica.last.get() + 1 && link.epoch == replica.epoch && link.hash != replica.hash
               ? Verdict::forked
               : Verdict::repeat;
  }
  if (link.epoch < replica.epoch) {
    return Verdict::stale;
  }
  if (!is_leaders) {
    return Verdict::unannounced;
  }
  if (link.first.get() > replica.last.get() + 1) {
    replica.seen = std::max(replica.seen, LogIndex(end - 1));
    return Verdict::gap;
  }
  if (link.first.get() <= replica.last.get() || link.previous != replica.hash || link.count == 0) {
    return Verdict::forked;
  }
  replica.last = LogIndex(end - 1);
  replica.hash = link.hash;
  replica.at = link.at;
  replica.last_epoch = link.epoch;
  replica.seen = std::max(replica.seen, replica.last);
  return Verdict::counts;
}

Verdict read(Replica& replica, const Holding& holding) {
  const bool later = holding.last_epoch > replica.last_epoch;
  if (!later && holding.last_epoch == replica.last_epoch && holding.last == replica.last &&
      holding.hash != replica.hash) {
    return Verdict::forked;
  }
  if (holding.epoch > replica.epoch) {
    replica.epoch = holding.epoch;
    replica.leader.reset();
  }
  if (holding.last_epoch >= replica.last_epoch) {
    replica.seen = std::max(replica.seen, holding.last);
  }
  return later && holding.last <= replica.last ? Verdict::diverged : Verdict::counts;
}

} // namespace skein::log
