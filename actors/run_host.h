#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "actors/slots.h"
#include "core/base/result.h"
#include "core/flow/definition.h"
#include "core/flow/event.h"
#include "core/ports/clock.h"
#include "core/ports/store.h"
#include "core/ports/tool.h"

namespace skein::actors {

using Reply = std::function<void(Result<void>)>;

/// A run that a step's attempt is to start.
struct ChildWanted {
  const flow::FlowStep& step;
  const Value& input;
  std::string key; ///< of the effect
  std::uint32_t attempt = 1;
};
struct Child {
  RunId id;
  ContentHash revision;
};

/// What the actors are given. Ownership: the caller's, outlives the host.
struct Surroundings {
  Store& store;
  ToolBox& tools;
  const Clock& clock;
  /// The pinned definition of a run; from any thread.
  std::function<Result<flow::DefinitionPtr>(const ContentHash&)> definition_of;
  /// After every durable entry, in order of its run, on an actor's thread; must not block. `shown`
  /// is what lists show of the run from now on, null where that is as before.
  std::function<void(const Entry&, const RunRecord* shown)> on_entry;
  /// A message of the outbox; after its entry is durable, at least once. Replies once it was taken;
  /// after an error it comes again. On an actor's thread; must not block.
  std::function<void(const OutboxItem&, Reply)> on_message;
  /// The store accepts nothing any more; on any thread.
  std::function<void(const Error&)> on_broken;
  /// Which run of which revision an attempt starts. Errors: those of the step.
  std::function<Result<Child>(const ChildWanted&)> child_of = {};
  /// Whether what becomes of each run is a message of the outbox.
  bool tells = false;
  /// Where another node runs this attempt already; null where none is known to. Absent: nowhere.
  std::function<WorkerPtr(const ToolCall&)> running = {};
};

struct Limits {
  std::size_t threads = 1; ///< of the scheduler; the committer has one more
  std::size_t effects_in_flight = 256;
  std::size_t inbound = 65'536;    ///< events from outside without an answer; more are refused
  std::size_t live_runs = 100'000; ///< in memory at once; events for others wait for admission
  bool starts_effects = true;      ///< false: accept and record, leave the rest to a later start
  bool leads = true;               ///< every partition, from the start; false: those it is told to
};

class Commits;

using Woken = std::function<void(const RunId&, const Result<void>&)>;

/// The actors of a node: they own the live runs, bring waiting ones back when something comes for
/// them, and let them go again.
///
///   event ──► partition actor ──► flow actor: decide ──► append ──► committer ──► answers and
///   effects
///
/// Events for partitions that it does not lead are refused with not_leader.
/// After stop() everything that is asked for is refused with interrupted.
/// Thread-safety: any thread that is not one of the actors'.
class RunHost {
 public:
  /// With a committer of its own.
  static std::unique_ptr<RunHost> make(Surroundings surroundings, Limits limits);
  /// Ownership: `commits` outlives the host, and answers nothing after stop() has returned.
  static std::unique_ptr<RunHost> make(Surroundings surroundings, Limits limits, Commits& commits);
  virtual ~RunHost() = default;

  /// Gives an event to a run. `reply` is called at most once, after it is durable or refused; it is
  /// destroyed uncalled where the host ends first. Errors: node_busy, and the machine's.
  virtual void deliver(const RunId& run, flow::Event event, Reply reply) = 0;
  /// Writes a whole run that nobody has decided anything of yet, such as a fork, and replies once
  /// it is durable. REQUIRES: all are of one run, from its first entry on.
  /// Errors: run_state_conflict where there is such a run; as deliver.
  virtual void write(std::vector<Append> appends, Reply reply) = 0;
  /// Makes a run go on that a crash cut off; replies once it is in memory.
  virtual void wake(const RunId& run, Reply reply) = 0;
  /// Wakes them all, reading ahead of their actors on a thread of its own; `woken` hears of each,
  /// but of those that a stop comes before.
  virtual Result<void> resume(std::vector<RunId> runs, Woken woken) = 0;
  /// Takes events for this partition from now on, and proposes as of this epoch. Its runs are the
  /// caller's to wake.
  virtual void lead(PartitionId partition, Epoch epoch) = 0;
  /// Lets its runs go without a word to their journals: another node has them. What was asked of
  /// them is refused with not_leader.
  virtual void follow(PartitionId partition) = 0;
  /// Starts no new effect of the partition's runs, or does again those of runs that are woken from
  /// now on.
  virtual void hold(PartitionId partition, bool held) = 0;
  /// Attempts of its runs that are under way, or wait for their turn.
  virtual int attempts(PartitionId partition) const = 0;
  /// Attempts that wait for a slot of this node, or a place at another.
  virtual std::size_t waiting() const = 0;
  /// Lets the first of them run there; whether one did.
  virtual bool lend(WorkerPtr place) = 0;
  /// A slot for an attempt of another node, until the last copy goes; null where none is free, or
  /// this node drains.
  virtual std::shared_ptr<void> guest_slot() = 0;
  /// Starts nothing new and waits for what is under way; whether it ended within the limit.
  virtual bool drain(Millis limit) = 0;
  /// Asks the attempts under way to stop, waits for what is being committed, ends every actor.
  virtual void stop() = 0;
};

} // namespace skein::actors
