#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/hash.h"
#include "core/base/result.h"
#include "core/flow/definition.h"
#include "core/flow/effect.h"
#include "core/flow/event.h"
#include "core/run/run.h"

/// The rules of a run of a flow.
///
///   Created ──► running ──► waiting ──► … ──► succeeded, failed, cancelled
///
/// Pure: no clock, no I/O, no randomness but the run's seed. The same events give the same state,
/// byte for byte.
namespace skein::flow {

struct State; // core/flow/state.h

/// An effect that a restart has to think about.
struct Outstanding {
  Place place;
  std::uint32_t attempt = 1;
  Value input;
  bool begun = false; ///< its Begun is in the journal: it may have happened
  EffectClass effect_class = EffectClass::unsafe; ///< where begun
};

/// One run: its definition and its state.
/// Thread-safety: like an int.
class Machine {
 public:
  Machine(RunId run, DefinitionPtr definition);
  ~Machine();
  Machine(Machine&&) noexcept;
  Machine& operator=(Machine&&) noexcept;

  /// Restores the state that a checkpoint recorded.
  /// Errors: hash_mismatch (the cells do not add up to its digest), wire_invalid.
  static Result<Machine> restore(RunId run, DefinitionPtr definition, const Checkpoint& checkpoint);

  /// Applies one event. On an error nothing has changed and nothing is to be journaled.
  /// A late or repeated result, answer or expiry is not an error: see Ignored below.
  /// Errors: run_state_conflict (the run has ended, is not created, there is no such approval …),
  /// run_limit.
  Result<Effects> step(const Event& event);

  /// Whether this event would change nothing: a shell then journals nothing.
  /// True of late and repeated results, stale timers, repeated signal ids.
  bool ignores(const Event& event) const;

  RunState state() const;
  std::string reason() const;
  std::string waiting_for() const;
  const Value& output() const; ///< null until the run ended or responded
  const std::optional<Failure>& failure() const;
  std::uint64_t steps_ended() const;
  Digest state_digest() const;

  /// Effects that were dispatched and have no result: what a restart starts again, in a fixed
  /// order.
  std::vector<Outstanding> outstanding() const;
  bool wants_to_proceed() const; ///< a restart feeds Proceeded
  /// Nothing is in flight and nothing will happen until a timer, a signal, a person or another run:
  /// may leave memory.
  bool at_rest() const;

  Checkpoint checkpoint(Seq seq) const;
  /// About how much a checkpoint would hold now: step states, results, signals and timers.
  std::size_t size() const;

  /// "run/step/iteration".
  std::string effect_key(const Place& place) const;
  const Step& step_at(const Place& place) const;
  /// "count[3]" → its place. Errors: flow_step_unknown.
  Result<Place> place_of(std::string_view text) const;
  std::string text_of(const Place& place) const;

  const Definition& definition() const;
  const RunId& run() const;

  /// One line per step that has a state, for status and watch.
  struct StepView {
    Place place;
    std::string name;   ///< "count[3]"
    std::string status; ///< pending, running, retrying, waiting, in_doubt, succeeded, …
    std::uint32_t attempt = 0;
    std::optional<Failure> failure;
    Value output;
    std::uint32_t items = 0; ///< of a for_each that has begun
    std::uint32_t items_done = 0;
    std::uint32_t items_failed = 0; ///< of those that are done
    std::string child = {};         ///< the run that its newest attempt started
  };
  std::vector<StepView> view() const;

  /// What keeps a step waiting: people, a signal, another run, or an instant.
  struct Wait {
    /// "approval agree", "signal go", "child pay-7h2…", "timer 2026-…", as waiting_for() says it.
    std::string what;
    std::string step;
    Value message;                        ///< what the approvers are shown, or null
    std::vector<std::string> approvers;   ///< who may approve; empty: anyone
    std::vector<std::string> approved_by; ///< who has
    std::uint32_t required = 0;           ///< people who have to; 0 where it is no approval
    std::optional<Instant> until;         ///< when the wait ends by itself
    std::string then;                     ///< what is with it then: "approved", "rejected", …
  };
  std::vector<Wait> waits() const; ///< in order of their places

 private:
  Result<void> accepts(const Event& event) const;
  Result<void> accepts_answer(const Answered& answer) const;

  RunId run_;
  DefinitionPtr definition_;
  std::unique_ptr<State> state_;
};

} // namespace skein::flow
