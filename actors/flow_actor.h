#pragma once

#include <deque>
#include <map>
#include <optional>

#include "actors/messages.h"
#include "actors/proposals.h"
#include "core/flow/machine.h"

namespace skein::actors {

/// Where a run proposes its entries, and as who.
struct Proposing {
  ProposalsPtr to;
  Proposals::ProposerPtr as;
};

/// One live run: feeds its machine, proposes entries, runs effects once they are durable. Holds no
/// rule of its own.
///
///   event ──► Machine::step ──► Append ──► Proposals ──► … ──► Durable ──► answers and effects
struct FlowActorState {
  static inline const char* name = "flow_actor";

  caf::stateful_actor<FlowActorState>* self = nullptr;
  SharedPtr shared;
  caf::actor_addr partition;
  RunId run;
  Proposing proposing;
  std::optional<flow::Machine> machine;
  RunRecord record;

  struct Pending {
    std::uint64_t seq = 0;
    flow::Effects effects;
    Reply reply;
    Result<void> answer; ///< once everything up to `seq` is durable
  };
  std::deque<Pending> pending;   ///< proposed and not durable
  std::deque<flow::Effect> todo; ///< of durable entries, while too many others are not
  struct UnderWay {
    std::uint32_t attempt = 1;
    Value input;
    bool begun = false; ///< its intent is durable, or it needs none
    TicketPtr ticket;   ///< once it has a slot
    caf::actor actor;   ///< once it runs
  };
  std::map<flow::Place, UnderWay> attempts;
  std::uint64_t seq = 0;
  std::uint64_t since_checkpoint = 0;
  std::uint64_t size_at_checkpoint = 0;
  Instant newest;            ///< time of the newest entry
  std::uint64_t handled = 0; ///< messages that came through the partition
  bool loaded = false;
  bool recovered = false;

  // flow_actor.cc: events become entries, durable entries become effects
  Result<void> create(const flow::Created& created);
  void handle(flow::Event event, Reply reply);
  Append append_of(const flow::Event& event, const flow::Effects& effects);
  bool wants_checkpoint() const;
  void durable(std::uint64_t upto);
  void work();
  void run_effect(const flow::Effect& effect);
  void refused(const Error& error);
  void rest();

  // flow_recovery.cc: what a crash cut off
  Result<void> load(std::optional<LoadedRun> known);
  Result<void> fold(std::optional<LoadedRun> known);
  Result<void> fold(const Entry& entry);
  Result<void> fold_journal();
  void recover();
  void recover(const flow::Outstanding& effect);

  // flow_effects.cc: attempts of steps, by the class of their effect
  void dispatch(const flow::Dispatch& effect);
  void begin_child(const flow::Dispatch& effect);
  void has_no_tool(const flow::Place& place, std::uint32_t attempt);
  void queue(const flow::Place& place, UnderWay attempt);
  void start(const SlotGranted& granted);
  void execute(const flow::Place& place, std::uint32_t attempt);
  void cancel_attempts();
  void ended(AttemptEnded& done);
  bool settled_elsewhere(const AttemptEnded& done, UnderWay attempt);
  bool adopt(const flow::Outstanding& effect);
  ToolCall call_of(const flow::Place& place, std::uint32_t attempt, const Value& input) const;
  Tool* tool_of(const flow::Place& place) const;
  EffectClass class_of(const flow::Place& place, const Tool& tool, const Value& input) const;
};

caf::behavior flow_actor(caf::stateful_actor<FlowActorState>* self, SharedPtr shared,
                         caf::actor_addr partition, RunId run, Proposing proposing);

} // namespace skein::actors
