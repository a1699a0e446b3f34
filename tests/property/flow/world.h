#pragma once

#include <string>
#include <vector>

#include "property/flow/chance.h"
#include "property/flow/watched_run.h"

namespace skein::property {

/// What happens to a run from outside: results good and bad, late and repeated ones, timers,
/// signals, people, pauses, crashes and nonsense, as chance has it, until the run has ended.
class World {
 public:
  World(Chance& chance, WatchedRun& run)
      : chance_(chance), run_(run), bad_luck_(chance.below(25)), unrest_(10 + chance.below(40)) {}

  void create(const std::vector<bool>& flags, const flow::Definition& definition);
  /// Until the end, or until something is broken, or nothing can happen any more.
  void go_on();
  Instant now() const { return now_; }
  bool was_cancelled() const { return cancelled_; }

 private:
  void trouble();
  bool progress();
  void attempt_goes_on(const flow::Place& place);
  void fail(const flow::Place& place, std::uint32_t attempt);
  void timer_is_due();
  void people_answer();
  void settle();
  void signal(const std::string& name);
  void crash();
  void repeat_something();
  void nonsense();
  Instant later();
  Value output();

  Chance& chance_;
  WatchedRun& run_;
  std::size_t bad_luck_; ///< how many of a hundred attempts and answers fail
  std::size_t unrest_;   ///< how many of a hundred events lead nowhere
  Instant now_{1'000};
  std::uint64_t signals_ = 0;
  bool calm_ = false; ///< only what leads to the end
  bool cancelled_ = false;
};

} // namespace skein::property
