#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>

#include "core/ports/clock.h"
#include "node/events/consumer.h"
#include "node/events/events.h"
#include "node/events/notes.h"
#include "node/events/planner.h"
#include "node/events/rules.h"

namespace skein::node {

/// The one thread for what happens as time goes by: schedules, rules that wait, letters whose flow
/// may have come, and triggers that were applied or deleted.
class Keeper {
 public:
  struct Shared {
    TriggerTable& table;
    Starter& starter;
    Letters& letters;
    EventCounts& counts;
  };
  Keeper(Node& node, Broker& broker, const Clock& clock, const EventSettings& settings,
         const Channels& channels, Shared shared);
  ~Keeper() { close(); }

  /// The triggers are known when it returns. Errors: of the broker, storage_*.
  Result<void> open();
  void close();
  /// Returns once what is applied now is in force.
  void refresh();
  /// The same, at no cost where nothing was applied.
  void catch_up();
  /// Errors: as of Events::retry.
  Result<void> retry(std::uint64_t number);

 private:
  void work();
  void wait(Instant now);
  void take_messages();
  void take_notes();
  void learn(const Value& kept);
  Result<void> look_at_triggers();
  Result<void> change_rules(const std::vector<trigger::DefinitionPtr>& all);
  Result<void> read_from(std::optional<std::uint64_t> from);
  void fire(Instant now);
  /// Whether it needs no further look.
  bool fire_one(const DueFiring& due);
  void put_tick(Instant now);
  void try_waiting();
  Result<void> try_again(const Letter& letter);

  Node& node_;
  Broker& broker_;
  const Clock& clock_;
  const EventSettings& settings_;
  const Channels& channels_;
  Shared shared_;
  Notes notes_;
  RuleFold rules_;
  Planner planner_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Stored> messages_;
  bool closing_ = false;
  std::uint64_t wanted_ = 0; ///< refreshes that were asked for
  std::uint64_t done_ = 0;
  std::atomic<std::uint64_t> seen_ = 0; ///< writes of resources that are in force

  // Of the thread alone.
  Subscription tail_;
  std::uint64_t tailed_ = 0; ///< the newest message that was read
  bool overran_ = false;     ///< with mutex_: reading stopped because too much waits
  std::uint64_t tried_ = 0;  ///< writes of resources before the newest look
  ContentHash known_; ///< of all triggers that are in force, and which of them are this node's
  Instant next_look_;
  Instant next_try_;
  Instant next_keep_;
  Instant next_tick_;
  Instant next_fire_; ///< not before, after something kept a firing from its run
  std::thread thread_;
};

} // namespace skein::node
