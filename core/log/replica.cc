#include "core/log/replica.h"

#include <algorithm>
#include <array>

namespace skein::log {

std::string_view name_of(Verdict verdict) {
  constexpr std::array<std::string_view, kVerdicts> kNames{"counts",      "repeat", "stale",
                                                           "unannounced", "gap",    "forked"};
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
  if (end <= replica.last.get() + 1) {
    return end == replica.last.get() + 1 && link.epoch == replica.epoch && link.hash != replica.hash
               ? Verdict::forked
               : Verdict::repeat;
  }
  if (link.epoch < replica.epoch) {
    return Verdict::stale;
  }
  if (link.epoch > replica.epoch || replica.leader != link.node) {
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
  replica.seen = std::max(replica.seen, replica.last);
  return Verdict::counts;
}

Verdict read(Replica& replica, const Holding& holding) {
  if (holding.last == replica.last && holding.hash != replica.hash) {
    return Verdict::forked;
  }
  if (holding.epoch > replica.epoch) {
    replica.epoch = holding.epoch;
    replica.leader.reset();
  }
  replica.seen = std::max(replica.seen, holding.last);
  return Verdict::counts;
}

} // namespace skein::log
