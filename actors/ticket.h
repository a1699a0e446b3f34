#pragma once

#include <utility>

#include "actors/shared.h"

namespace skein::actors {

/// What an attempt holds until its tool has ended and its result was handled: a place in what a
/// drain waits for and, once it is granted, a slot. Whoever has a copy may end, and a message may
/// be dropped: the last copy gives both back. The slot may be another node's.
class Ticket {
 public:
  Ticket(SharedPtr shared, PartitionId partition)
      : shared_(std::move(shared)), attempts_(shared_->attempts.at(partition.get())) {
    shared_->busy.begin();
    ++attempts_;
  }
  ~Ticket() {
    if (has_slot_ && !worker_) {
      shared_->slots.give_back();
    }
    --attempts_;
    shared_->busy.end();
  }
  Ticket(const Ticket&) = delete;
  Ticket& operator=(const Ticket&) = delete;

  /// REQUIRES: called by what Slots::take was given.
  void granted(WorkerPtr worker) {
    has_slot_ = true;
    worker_ = std::move(worker);
  }
  /// Where the attempt runs; null for here.
  Worker* worker() const { return worker_.get(); }

 private:
  SharedPtr shared_;
  std::atomic<int>& attempts_;
  bool has_slot_ = false;
  WorkerPtr worker_;
};
using TicketPtr = std::shared_ptr<Ticket>;

/// A slot for an attempt of another node, which a drain waits for; null where none is free, or the
/// host drains.
inline std::shared_ptr<void> guest_slot(const SharedPtr& shared) {
  if (shared->draining || !shared->limits.starts_effects || !shared->slots.try_take()) {
    return nullptr;
  }
  shared->busy.begin();
  return {shared.get(), [shared](void*) {
            shared->slots.give_back();
            shared->busy.end();
          }};
}

} // namespace skein::actors
