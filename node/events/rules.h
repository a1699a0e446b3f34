#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/trigger/machine.h"
#include "node/events/consumer.h"

namespace skein::node {

/// Folds the stream of events for the triggers that have rules: docs/decisions/0040.
///
/// The stream is the journal of these machines, its order their order, and the broker's instants
/// their clock. A snapshot in a stream of its own is where the fold goes on from; whatever was
/// started twice is one run by its name. Thread-safety: none; one thread feeds it.
class RuleFold {
 public:
  RuleFold(Broker& broker, const Channels& channels, Starter& starter, Letters& letters,
           EventCounts& counts)
      : broker_(broker),
        channels_(channels),
        starter_(starter),
        letters_(letters),
        counts_(counts) {}

  /// Which stream is folded (StreamState::created). Snapshots of another one do not count: a node
  /// may write one though the stream was lost meanwhile.
  void reads(std::string stream) { stream_ = std::move(stream); }
  /// To the trigger the whole stream is new: it was there before the stream.
  void reads_from_start(const std::string& trigger) { older_.insert(trigger); }
  /// A snapshot that this or another node kept; a later one of the same trigger takes its place.
  void learn(const Value& kept);

  /// The triggers that this node folds from now on; those without rules are left out. `elsewhere`:
  /// names of others, which another node folds. `last`: where the stream of events ends, for those
  /// that are new. Answers where to go on reading, none where none has rules.
  Result<std::optional<std::uint64_t>> change(const trigger::Triggers& triggers,
                                              const std::set<std::string>& elsewhere, Instant now,
                                              std::uint64_t last);
  /// One message of the stream of events, ticks included.
  void fold(const Stored& stored);
  /// Keeps a snapshot of what changed, once everything that it began is kept as well.
  /// Errors: of the broker.
  Result<void> keep();

  /// When time will have to be put into the stream; none where nothing waits.
  std::optional<Instant> next_tick() const;
  bool empty() const { return folded_.empty(); }

 private:
  struct Folded {
    trigger::DefinitionPtr definition;
    trigger::State state;
    std::uint64_t through = 0; ///< sequence of the newest message that was folded
    std::uint64_t kept = 0;    ///< of the newest snapshot
    bool changed = false;
    std::optional<Instant> armed;
  };
  void run(Folded& folded, const trigger::Event& event);
  void start(const trigger::Definition& trigger, const trigger::Batch& batch);
  void bury(const trigger::Definition& trigger, const trigger::Batch& batch, const Error& reason,
            const std::string& waits_for);
  void forget(Folded& folded, Instant now);
  void let_go(const std::string& name, Folded& folded);
  Result<void> keep_one(const std::string& name, Folded& folded);

  std::string stream_;
  std::set<std::string> older_; ///< triggers than the stream
  Broker& broker_;
  const Channels& channels_;
  Starter& starter_;
  Letters& letters_;
  EventCounts& counts_;
  std::map<std::string, Folded> folded_;
  std::vector<Letter> unkept_; ///< that the broker did not take yet
  std::map<std::string, std::pair<std::uint64_t, trigger::State>> kept_;
};

/// What the message of several events holds, as one batch, or of one alone.
Message batch_message(const Channels& channels, std::span<const Value> events);

} // namespace skein::node
