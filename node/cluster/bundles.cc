#include "node/cluster/bundles.h"

#include <array>
#include <deque>
#include <mutex>
#include <utility>

namespace skein::node {

struct Bundles::State : std::enable_shared_from_this<State> {
  struct Waiting {
    schemas::LogPart part;
    Told told;
  };
  struct Lane {
    std::deque<Waiting> waiting;
    std::size_t waves = 0; ///< that have not ended
    bool under_way = false;
    bool late = false; ///< the first that waits was there at the last tick
  };

  State(std::size_t most_bytes, Send way) : most(most_bytes), send(std::move(way)) {}

  Lane& lane_of(PartitionId partition) { return lanes[partition.get() % lanes.size()]; }

  void send_some(Lane& lane) {
    std::vector<schemas::LogPart> parts;
    std::vector<Told> told;
    {
      const std::lock_guard lock(mutex);
      if (lane.under_way || lane.waiting.empty() || (lane.waves > 0 && !lane.late)) {
        return;
      }
      lane.under_way = true;
      lane.late = false;
      for (std::size_t bytes = 0; !lane.waiting.empty(); lane.waiting.pop_front()) {
        bytes += lane.waiting.front().part.bytes.size();
        if (!parts.empty() && (bytes > most || parts.size() == schemas::kMostBundled)) {
          lane.late = true; // the rest has waited long enough
          break;
        }
        parts.push_back(std::move(lane.waiting.front().part));
        told.push_back(std::move(lane.waiting.front().told));
      }
    }
    send(std::move(parts), [self = shared_from_this(), &lane, told = std::move(told)](bool stored) {
      {
        const std::lock_guard lock(self->mutex);
        lane.under_way = false;
      }
      for (const Told& one : told) {
        one(stored);
      }
      self->send_some(lane);
    });
  }

  const std::size_t most;
  const Send send;
  std::mutex mutex;
  std::array<Lane, 2> lanes;
};

Bundles::Bundles(std::size_t most, Send send)
    : state_(std::make_shared<State>(most, std::move(send))) {}

Bundles::~Bundles() {
  const std::lock_guard lock(state_->mutex);
  for (State::Lane& lane : state_->lanes) {
    lane.waiting.clear();
  }
}

Bundles::Wave Bundles::wave(PartitionId partition) {
  State::Lane& lane = state_->lane_of(partition);
  const std::lock_guard lock(state_->mutex);
  ++lane.waves;
  return {nullptr, [state = state_, &lane](void*) {
            {
              const std::lock_guard ending(state->mutex);
              --lane.waves;
            }
            state->send_some(lane);
          }};
}

void Bundles::add(schemas::LogPart part, Told told) {
  State::Lane& lane = state_->lane_of(part.partition);
  {
    const std::lock_guard lock(state_->mutex);
    lane.waiting.push_back({std::move(part), std::move(told)});
  }
  state_->send_some(lane);
}

void Bundles::drop() {
  std::deque<State::Waiting> dropped;
  {
    const std::lock_guard lock(state_->mutex);
    for (State::Lane& lane : state_->lanes) {
      for (State::Waiting& one : lane.waiting) {
        dropped.push_back(std::move(one));
      }
      lane.waiting.clear();
    }
  }
  for (const State::Waiting& one : dropped) {
    one.told(false);
  }
}

void Bundles::tick() {
  for (State::Lane& lane : state_->lanes) {
    state_->send_some(lane);
    const std::lock_guard lock(state_->mutex);
    lane.late = !lane.waiting.empty();
  }
}

} // namespace skein::node
