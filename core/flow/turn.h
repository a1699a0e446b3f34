#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/flow/definition.h"
#include "core/flow/effect.h"
#include "core/flow/state.h"

namespace skein::flow {

/// One event being applied: the state it changes and the effects it collects.
///
///   event ──► on(…) ──► ready steps begin ──► steps end ──► edges resolve ──► more are ready ──► …
///
/// REQUIRES: the event was checked (Machine::step); nothing here refuses any more.
class Turn {
 public:
  Turn(const Definition& definition, State& state, const RunId& run, Instant now)
      : definition_(definition), state_(state), run_(run), now_(now), changed_(state.changed) {
    changed_.clear();
    effects_.reserve(4);
  }

  void on(const Created& event);
  void on(const Forked& event);
  void on(const Begun& event);
  void on(const Succeeded& event);
  void on(const Failed& event);
  void on(const FoundInDoubt& event);
  void on(const Expired& event);
  void on(const Signalled& event);
  void on(const Answered& event);
  void on(const CancelAsked& event);
  void on(const PauseAsked& event);
  void on(const ResumeAsked& event);
  void on(const Settled& event);
  void on(const Proceeded& event);
  void on(const ChildEnded& event);

  /// Begins what is ready, shows what changed and brings the digests up to date.
  Effects finish();

 private:
  /// A block of one frame.
  struct BlockAt {
    BlockIndex block;
    Place inside; ///< any place in its frame
  };

  // turn_begin.cc: what each kind of step does when its turn comes
  void drain();
  void begin(const Place& place);
  void begin_kind(const Place& place, const ToolStep& kind);
  void begin_kind(const Place& place, const SetStep& kind);
  void begin_kind(const Place& place, const SwitchStep& kind);
  void begin_kind(const Place& place, const ParallelStep& kind);
  void begin_kind(const Place& place, const ForEachStep& kind);
  void begin_kind(const Place& place, const WaitStep& kind);
  void begin_kind(const Place& place, const ApprovalStep& kind);
  void begin_kind(const Place& place, const EmitStep& kind);
  void begin_kind(const Place& place, const RespondStep& kind);
  void begin_kind(const Place& place, const FailStep& kind);
  void begin_kind(const Place& place, const FlowStep& kind);
  void wait_for_time(const Place& place, const WaitStep& kind);
  void wait_for_signal(const Place& place, const WaitStep& kind);
  void dispatch(const Place& place, StepState& step);
  void start_next_item(const Place& place);
  void start_child(const Begun& event, const FlowStep& kind);
  void enter(const BlockAt& at);

  // turn_end.cc: what follows from a step's end
  void succeed(const Place& place, Value output, std::optional<StepIndex> chosen = {});
  void succeed_with_results(const Place& place, Value results);
  void skip(const Place& place);
  void fail(const Place& place, Failure failure);
  void end(const Place& place, StepStatus status, bool done, std::optional<StepIndex> chosen);
  void resolve_edges(const Place& place, bool done, std::optional<StepIndex> chosen);
  void block_ended(const BlockAt& at);
  void fail_block(const BlockAt& at, const Failure& failure);
  void branch_ended(const Place& parallel, std::uint16_t branch, const Failure* failure);
  void item_ended(const Place& each, std::uint32_t item, const StepState* result,
                  const Failure* failure);
  void queue_item(const Place& each, ForEachState& state);
  void cancel_block(const BlockAt& at);
  void cancel_step(const Place& place);
  void release(const Place& place, StepState& step);
  void drop_frame(const Place& key);
  /// `digest` of the output, where it is known.
  void finish_run(RunState final, Value output, std::optional<Failure> failure,
                  const Digest* digest = nullptr);
  void complete_run();
  /// The step whose output is the result of its block, or null where none ended so.
  const StepState* result_of(const BlockAt& at);
  Value result_of_branches(const Place& parallel);

  // shared
  Frame* frame_at(const Place& key);      ///< null where it is gone
  StepState* look_up(const Place& place); ///< null where its frame is gone
  StepState& at(const Place& place);      ///< marks it as changed
  BlockState& block_state(const BlockAt& at);
  const Step& step_of(const Place& place) const { return definition_.steps[place.step]; }
  std::string text_of(const Place& place) const;
  std::string key_of(const Place& place) const;
  std::uint64_t arm(const Place& place, Timer::Purpose purpose, Instant due);
  void disarm(std::uint64_t timer);
  Failure failure_of(const Place& place, const Error& error) const;
  void retry_or_fail(const Place& place, Failure failure);
  void show();
  std::string what_it_waits_for() const;
  void pause(std::string reason);
  void go_on_or_ask();
  std::string doubt_about(const Place& place) const;
  void give_up(const Place& place);
  void forget_children();

  const Definition& definition_;
  State& state_;
  const RunId& run_;
  Instant now_;
  Frame* frame_ = nullptr; ///< the one looked up last
  Place frame_key_;
  Effects effects_;
  std::vector<Place>& changed_; ///< its memory outlives the event
  std::optional<Finish> finish_;
  bool force_show_ = false;
};

/// `into` with the entries of `fields` set; what is no map counts as an empty one.
Value merged(const Value& into, const Value& fields);

/// "count[3]".
std::string text_of(const Definition& definition, const Place& place);
/// "run/step/iteration".
std::string effect_key(const RunId& run, const Definition& definition, const Place& place);

} // namespace skein::flow
