#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/flow/machine.h"

namespace skein::property {

/// An attempt that was dispatched and has no result yet.
struct Pending {
  std::uint32_t attempt = 1;
  bool begun = false;
  EffectClass effect_class = EffectClass::unsafe;
};

/// A machine with a journal of bytes, and everything that must hold after each event: what was
/// broken first is in `broken`.
class WatchedRun {
 public:
  WatchedRun(std::string id, flow::DefinitionPtr definition);

  /// Feeds an event as a shell does: what is ignored or refused is not journaled.
  /// Answers whether it was journaled.
  bool submit(const flow::Event& sent);

  /// The process ends and the run comes back, from its newest checkpoint or from its first entry.
  void crash(bool from_checkpoint);
  void take_checkpoint();
  /// At the end: the journal folds to the same state, fresh and from checkpoints.
  void verify_journal();
  /// Another run goes on from entry `at` of this one.
  WatchedRun fork(std::uint64_t at, Instant now) const;

  const flow::Machine& machine() const { return machine_; }
  const std::map<flow::Place, Pending>& pending() const { return pending_; }
  const std::map<std::uint64_t, Instant>& timers() const { return timers_; }
  const std::vector<flow::Event>& events() const { return events_; }
  const std::vector<std::string>& lines() const { return lines_; }
  /// How each tool step, wait and approval ended, as far as an event said so.
  const std::map<flow::Place, bool>& outcomes() const { return outcomes_; }
  const std::set<flow::Place>& dispatched() const { return dispatched_; }
  std::vector<flow::Place> waiting_approvals() const;
  std::vector<flow::Place> doubted() const;
  bool final() const { return is_final(machine_.state()); }

  std::string broken; ///< "" where all is well

 private:
  void require(bool holds, const std::string& what);
  void note(const flow::Event& event, bool journaled);
  void note_outcome(const flow::Event& event);
  void expect_retry(const flow::Failed& event, const flow::Effects& effects);
  void apply(const flow::Event& event, const flow::Effects& effects);
  void apply_effect(const flow::Dispatch& e);
  void apply_effect(const flow::Execute& e);
  void apply_effect(const flow::Abandon& e);
  void apply_effect(const flow::ArmTimer& e);
  void apply_effect(const flow::DisarmTimer& e);
  void apply_effect(const flow::OpenWait& e);
  void apply_effect(const flow::CloseWait& e);
  void apply_effect(const flow::Emit& e);
  void apply_effect(const flow::Proceed&);
  void apply_effect(const flow::Show& e);
  void apply_effect(const flow::Finish& e);
  void apply_effect(const flow::StartChild& e);
  void apply_effect(const flow::CancelChild& e);
  void check_all();
  void check_outstanding();
  void check_statuses();
  void check_sources(const std::map<flow::Place, std::string>& now);
  void check_wake();
  void check_end();
  std::optional<flow::Machine> folded(std::size_t checkpoint);
  void journal(const flow::Event& event, const flow::Effects& effects);

  std::string id_;
  flow::DefinitionPtr definition_;
  flow::Machine machine_;
  std::vector<std::vector<std::pair<flow::StepIndex, flow::Edge::On>>> sources_;
  std::vector<flow::Event> events_;
  std::vector<std::string> bytes_; ///< of the entries
  struct Kept {
    std::uint64_t seq;
    std::string bytes;
  };
  std::vector<Kept> checkpoints_;
  std::vector<std::string> lines_;
  std::map<flow::Place, Pending> pending_;
  std::map<flow::Place, std::uint32_t> attempts_;
  std::map<std::uint64_t, Instant> timers_;
  std::uint64_t last_timer_ = 0;
  std::set<std::pair<WaitRow::What, std::string>> waits_;
  std::set<std::string> emitted_;
  std::map<flow::Place, std::string> statuses_; ///< as they were after the last event
  std::set<flow::Place> gone_;                  ///< places whose item has ended
  std::map<flow::Place, bool> outcomes_;
  std::set<flow::Place> dispatched_;
  bool finished_ = false;
  Instant now_;
};

} // namespace skein::property
