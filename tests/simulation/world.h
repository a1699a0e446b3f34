#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <random>
#include <vector>

#include "core/ports/clock.h"

namespace skein::simulation {

/// Time and chance of one simulated cluster: everything that happens is a call at an instant, and
/// the same seed gives the same calls in the same order. Thread-safety: none; one thread a world.
class World : public Clock {
 public:
  explicit World(std::uint64_t seed) : random_(seed) {}

  Instant now() const override { return now_; }

  void at(Instant when, std::function<void()> call) {
    calls_.push({std::max(when, now_), ++number_, std::move(call)});
  }
  void after(Millis span, std::function<void()> call) { at(now_ + span, std::move(call)); }

  /// Makes the next call; whether there was one at or before `until`.
  bool step(Instant until) {
    if (calls_.empty() || calls_.top().when > until) {
      now_ = std::max(now_, until);
      return false;
    }
    auto call = std::move(const_cast<Call&>(calls_.top()).call);
    now_ = calls_.top().when;
    calls_.pop();
    call();
    return true;
  }

  std::uint64_t random() { return random_(); }
  /// 0 … below - 1.
  std::uint64_t random(std::uint64_t below) { return random_() % below; }
  bool chance(double probability) {
    return static_cast<double>(random_() >> 11) * 0x1p-53 < probability;
  }
  Millis between(std::int64_t least, std::int64_t most) {
    return Millis{least +
                  static_cast<std::int64_t>(random(static_cast<std::uint64_t>(most - least + 1)))};
  }

 private:
  struct Call {
    Instant when;
    std::uint64_t number;
    std::function<void()> call;
    bool operator<(const Call& other) const {
      return std::tie(other.when, other.number) < std::tie(when, number);
    }
  };

  Instant now_{1'800'000'000'000};
  std::mt19937_64 random_;
  std::uint64_t number_ = 0;
  std::priority_queue<Call> calls_;
};

} // namespace skein::simulation
