#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/hash.h"
#include "core/base/instant.h"
#include "core/expression/program.h"
#include "core/flow/place.h"
#include "core/ports/tool.h"
#include "core/resources/document.h"
#include "core/value/value.h"

/// A flow as the machine runs it: one graph for every shape that users can write. Made by the
/// loader, immutable.
namespace skein::flow {

using expression::Program;
using expression::Template;

/// A list of steps that run by their edges: the flow's own steps, a branch of a `parallel`, the
/// body of a `for_each`.
using BlockIndex = std::uint16_t;
inline constexpr BlockIndex kRootBlock = 0;

/// What variables mean to the machine. Slots of steps follow, see slot_of.
enum class FixedSlot : expression::Slot {
  input,
  vars,
  steps,
  run,
  context,
  event,
  error,
  first_free
};

/// What of a step a slot reads: steps.ID, steps.ID.output, steps.ID.status, steps.ID.error.
enum class StepSlot : std::uint8_t { whole, output, status, error };

/// A slot that is not fixed: a step's, or the item (or its index) of a for_each around the
/// expression.
struct SlotMeaning {
  enum class What : std::uint8_t { step, item, index } what = What::step;
  StepIndex step = 0; ///< the step, or the for_each
  StepSlot part = StepSlot::whole;
};

struct RetryPolicy {
  enum class Backoff : std::uint8_t { exponential, linear, constant };
  std::uint32_t max_attempts = 1;
  Backoff backoff = Backoff::exponential;
  Millis initial{1'000};
  Millis max{60'000};
  std::uint32_t jitter_permille = 200; ///< the delay varies by up to this much either way
  /// Names of codes ("tool_timeout"), public codes ("SK5005"), or the groups timeout, unavailable,
  /// rate_limited; empty: whatever is retryable by itself.
  std::vector<std::string> retry_on;
};

/// What a failed step does instead of failing its block; the first whose `when` holds is taken.
struct ErrorHandler {
  std::optional<Program> when; ///< sees `error`; absent: always
  std::optional<StepIndex> go_to;
  bool carry_on = false;          ///< `continue: true`
  std::optional<Template> output; ///< with carry_on: the step's output instead
};

enum class InDoubt : std::uint8_t { ask, retry, fail };

struct ToolStep {
  std::string tool;
  Template with;
  std::optional<EffectClass> effect_class; ///< overrides the tool's
};

/// Where what a step starts shall run.
struct Placement {
  enum class How : std::uint8_t {
    spread, ///< anywhere
    local,  ///< on the node that leads the run of the step
    labels, ///< on a node that has all of these
  };
  How how = How::spread;
  std::vector<std::pair<std::string, std::string>> labels;
};

/// A run of another flow, or of the same: its output is the step's.
struct FlowStep {
  std::string flow;
  Template with; ///< its input
  Placement placement;
};

struct SetStep {
  enum class Reducer : std::uint8_t { replace, append, merge, sum };
  struct Assignment {
    std::string name;
    Reducer reducer = Reducer::replace;
    Template value;
  };
  std::vector<Assignment> assignments; ///< evaluated in order, each sees the ones before
};

struct SwitchStep {
  struct Case {
    std::optional<Program> when; ///< absent: the default
    StepIndex go_to = 0;
  };
  std::vector<Case> cases; ///< the first that holds; none: every target is skipped
};

struct ParallelStep {
  struct Branch {
    std::string name;
    BlockIndex block = 0;
  };
  std::vector<Branch> branches;
  std::uint32_t join = 0;  ///< how many branches must succeed; 0: all
  bool run_to_end = false; ///< on_branch_failure: continue
};

struct ForEachStep {
  Template in; ///< a list
  BlockIndex body = 0;
  std::uint32_t max_parallel = 1;
  std::uint32_t max_items = 100'000;
  bool tolerate = false; ///< on_item_failure: continue; the result is null
};

struct WaitStep {
  // Exactly one of the three.
  std::optional<Template> duration; ///< "10s", or a CEL duration
  std::optional<Template> until;    ///< RFC 3339, or a CEL timestamp
  std::optional<Template> signal;   ///< its name
  std::optional<Millis> timeout;    ///< of a signal
  bool continue_on_timeout = false; ///< else the step fails with wait_timeout
};

struct ApprovalStep {
  enum class OnTimeout : std::uint8_t { fail, approve, reject };
  std::optional<Template> message;    ///< shown to the approvers
  std::vector<std::string> approvers; ///< empty: anyone
  std::uint32_t required = 1;         ///< distinct people
  std::optional<Millis> timeout;
  OnTimeout on_timeout = OnTimeout::fail;
  std::optional<Program> auto_approve;
};

struct EmitStep {
  Template type;
  std::optional<Template> source; ///< default "skein/flow/NAME"
  std::optional<Template> subject;
  Template data;
};

struct RespondStep {
  Template value;
};

struct FailStep {
  Template message;
  std::optional<Template> code; ///< default SK1308
};

using StepKind = std::variant<ToolStep, SetStep, SwitchStep, ParallelStep, ForEachStep, WaitStep,
                              ApprovalStep, EmitStep, RespondStep, FailStep, FlowStep>;

/// Whether its attempts are made outside the machine: by a tool, or by another run.
inline bool has_attempts(const StepKind& kind) {
  return std::holds_alternative<ToolStep>(kind) || std::holds_alternative<FlowStep>(kind);
}

/// One edge of the graph: taken when its source ended and chose it.
struct Edge {
  enum class On : std::uint8_t {
    done,   ///< the source succeeded, was skipped by its own `when`, or failed and carried on
    chosen, ///< a switch or an error handler named this target
  };
  StepIndex to = 0;
  On on = On::done;
};

struct Step {
  std::string id;
  StepIndex index = 0;
  BlockIndex block = 0;
  std::uint16_t local = 0; ///< position among the steps of its frame
  Mark mark;
  StepKind kind;
  std::optional<Program> when;
  std::vector<Edge> out;
  std::uint16_t in = 0;          ///< number of edges that lead here; 0: starts with its block
  std::optional<Millis> timeout; ///< of one attempt
  RetryPolicy retry;
  std::vector<ErrorHandler> on_error;
  InDoubt in_doubt = InDoubt::ask;
};

struct Block {
  std::optional<StepIndex> owner; ///< the parallel or for_each; none for the root
  std::uint16_t branch = 0;       ///< which branch of a parallel
  std::vector<StepIndex> steps;   ///< in the file's order
};

/// The steps that share one set of states: all outside any for_each, or one for_each's body without
/// inner bodies.
struct Scope {
  std::optional<StepIndex> owner; ///< the for_each; none for the outermost
  std::vector<StepIndex> steps;   ///< by Step::local
};

struct Definition {
  std::string name;
  ContentHash revision;
  Value labels;
  std::optional<Value> input_schema;
  Value vars; ///< a map; initial values
  std::optional<Millis> timeout;
  std::vector<Step> steps;                  ///< by StepIndex
  std::vector<Block> blocks;                ///< by BlockIndex
  std::vector<Scope> scopes;                ///< scopes[0] is the outermost
  std::vector<std::uint16_t> scope_of_step; ///< by StepIndex: index into scopes
  std::optional<Template> output;
  std::vector<SlotMeaning> slots; ///< by slot - FixedSlot::first_free

  const Step* find(std::string_view id) const;
};

using DefinitionPtr = std::shared_ptr<const Definition>;

} // namespace skein::flow
