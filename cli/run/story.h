#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "core/flow/machine.h"
#include "core/ports/store.h"

namespace skein::cli {

/// One entry of a journal, told.
struct Told {
  Seq seq;
  Instant at;
  std::string kind;  ///< "step.succeeded"
  std::string step;  ///< "count[3]", or ""
  std::string what;  ///< "succeeded: {…}"
  std::string cause; ///< "entry 4", "alice, asked by entry 7", "from outside"
  std::string key;   ///< of the effect that it is about, or ""

  /// Whether it is about this step, or an item inside it; "" is every step.
  bool is_about(const std::string& named) const {
    return named.empty() || step == named || step.starts_with(named + "[");
  }
};

/// As `run history -o json` has it.
Value to_value(const Entry& entry, const Told& told);

/// Folds a journal, and knows for each entry why it is there: which entry asked for the attempt
/// that ended, armed the timer that is due, opened the approval that was answered.
class Story {
 public:
  using DefinitionOf = std::function<Result<flow::DefinitionPtr>(const ContentHash&)>;

  explicit Story(DefinitionOf definition_of);

  /// REQUIRES: the entries of one run, in order. Errors: resource_unknown, storage_corrupt (the
  /// journal does not begin with a creation).
  Result<Told> take(const Entry& entry);

  /// Whether the flow has the step of "STEP" or "STEP[ITEM]"; "" is every step.
  /// Errors: flow_step_unknown. REQUIRES: the story has begun.
  Result<void> knows_step(const std::string& named) const;

  Seq last() const { return last_; }
  /// Null before the first entry.
  const flow::Machine* machine() const { return machine_ ? &*machine_ : nullptr; }

  Instant first_at() const { return first_at_; } ///< of the first entry
  Instant last_at() const { return last_at_; }   ///< of the newest

  /// What an attempt was asked to do and when, since its last one.
  struct Attempt {
    Seq asked;
    Value input;
    std::optional<Instant> begun;
    std::optional<Instant> ended;
  };
  const std::map<flow::Place, Attempt>& attempts() const { return attempts_; }

 private:
  struct Teller;
  void remember(const Entry& entry, const flow::Effects& effects, Told& told);
  std::string entry_text(Seq seq) const;

  DefinitionOf definition_of_;
  std::optional<flow::Machine> machine_;
  std::map<flow::Place, Attempt> attempts_;
  std::map<std::uint64_t, Seq> timers_;
  std::map<std::string, Seq> waits_;
  Seq last_;
  Instant first_at_;
  Instant last_at_;
};

} // namespace skein::cli
