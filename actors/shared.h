#pragma once

#include <array>
#include <atomic>
#include <caf/all.hpp>
#include <functional>
#include <memory>

#include "actors/busy.h"
#include "actors/committer.h"
#include "actors/run_host.h"
#include "actors/slots.h"

namespace skein::actors {

/// What every actor of a host shares.
struct Shared {
  Shared(Surroundings surroundings, Limits host_limits, Commits& to)
      : around(std::move(surroundings)),
        limits(host_limits),
        commits(to),
        slots(host_limits.effects_in_flight),
        led(host_limits.leads ? ~std::uint64_t{0} : 0) {
    static_assert(kPartitions == 64, "a bit for each");
  }

  const Surroundings around;
  const Limits limits;
  Commits& commits;
  Slots slots;
  Busy busy;                            ///< attempts, and entries that are not durable yet
  std::atomic<bool> draining = false;   ///< start nothing new
  std::atomic<std::size_t> inbound = 0; ///< events from outside without an answer
  std::atomic<int> resuming = 0;        ///< runs are being read ahead of their actors
  std::atomic<std::uint64_t> led = 0;   ///< a bit for each partition whose runs are this host's
  std::atomic<std::uint64_t> held = 0;  ///< a bit for each partition that starts nothing new
  std::array<std::atomic<int>, kPartitions> attempts{}; ///< under way, or waiting for a slot
  caf::actor timer;
  caf::actor supervisor;
  caf::actor outbox;
  std::function<void(const RunId&, flow::Event, Reply)> deliver; ///< from an actor
  std::function<void(const RunId&, Reply)> wake;

  PartitionSet led_partitions() const { return PartitionSet(led.load()); }

  /// Whether new effects of the partition's runs may start.
  bool starts(PartitionId partition) const {
    return limits.starts_effects && !draining.load(std::memory_order_relaxed) &&
           (held.load(std::memory_order_relaxed) >> partition.get() & 1) == 0;
  }
};
using SharedPtr = std::shared_ptr<Shared>;

} // namespace skein::actors
