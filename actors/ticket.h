#pragma once

#include <utility>

#include "actors/shared.h"

namespace skein::actors {

/// What an attempt holds until its tool has ended and its result was handled: a place in what a
/// drain waits for and, once it is granted, a slot. Whoever has a copy may end, and a message may
/// be dropped: the last copy gives both back.
class Ticket {
 public:
  Ticket(SharedPtr shared, PartitionId partition)
      : shared_(std::move(shared)), attempts_(shared_->attempts.at(partition.get())) {
    shared_->busy.begin();
    ++attempts_;
  }
  ~Ticket() {
    if (has_slot_) {
      shared_->slots.give_back();
    }
    --attempts_;
    shared_->busy.end();
  }
  Ticket(const Ticket&) = delete;
  Ticket& operator=(const Ticket&) = delete;

  /// REQUIRES: called by what Slots::take was given.
  void granted() { has_slot_ = true; }

 private:
  SharedPtr shared_;
  std::atomic<int>& attempts_;
  bool has_slot_ = false;
};
using TicketPtr = std::shared_ptr<Ticket>;

} // namespace skein::actors
