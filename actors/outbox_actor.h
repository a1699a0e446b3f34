#pragma once

#include <map>
#include <set>
#include <tuple>

#include "actors/messages.h"

namespace skein::actors {

/// Sends what the outbox of the store holds, and drops what was delivered. Messages of one
/// partition to one destination go out in order, one after the other; none waits for another
/// destination. What a crash left there goes out at the start; receivers drop repeats.
struct OutboxActorState {
  static inline const char* name = "outbox_actor";

  using Where = std::tuple<PartitionId, LogIndex, std::uint32_t>;
  using Lane = std::pair<PartitionId, std::string>; ///< what goes to one destination

  caf::stateful_actor<OutboxActorState>* self = nullptr;
  SharedPtr shared;
  std::map<Where, Lane> under_way;
  std::set<Lane> busy;   ///< have one under way
  std::set<Lane> silent; ///< did not take theirs; tried again after a moment
  bool waiting = false;  ///< for that moment
  bool kicked = false;   ///< a kick is in the mailbox

  void kick();
  void send_all();
  void send(const OutboxItem& item);
  void sent(const Sent& sent);
  void try_later();
};

caf::behavior outbox_actor(caf::stateful_actor<OutboxActorState>* self, SharedPtr shared);

} // namespace skein::actors
