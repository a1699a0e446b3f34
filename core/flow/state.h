#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/hash.h"
#include "core/flow/definition.h"
#include "core/flow/digest.h"
#include "core/flow/event.h"
#include "core/flow/place.h"
#include "core/run/run.h"

/// What a run of a flow has come to. Only the machine reads and writes it; everything that a
/// decision depends on goes into its digest.
namespace skein::flow {

enum class StepStatus : std::uint8_t {
  idle,     ///< its edges are not all resolved
  ready,    ///< waits in State::ready for its turn
  running,  ///< an attempt is dispatched, or branches or items are under way
  retrying, ///< waits for the next attempt
  waiting,  ///< for a timer, a signal, people or a child run
  in_doubt, ///< an unsafe attempt may have happened; an operator decides
  succeeded,
  failed,
  skipped,
  cancelled,
};

inline bool has_ended(StepStatus status) { return status >= StepStatus::succeeded; }
std::string_view name_of(StepStatus status);

/// How many runs may be above a run.
inline constexpr std::uint32_t kMaxDepth = 8;
/// Children of one run that are under way at once.
inline constexpr std::size_t kMaxChildren = 10'000;

/// Part of a key in storage.
inline bool may_name_signal(std::string_view name) { return !name.empty() && name.size() <= 256; }

/// How far the steps of one block are.
struct BlockState {
  std::uint16_t remaining = 0; ///< steps that have not ended
  bool closed = false;         ///< done, failed or cancelled: nothing of it counts any more
  bool failed = false;
};

struct ParallelState {
  std::vector<BlockState> branches;
  std::optional<Failure> first_failure;
};

struct ForEachState {
  Value items;            ///< a list
  std::uint32_t next = 0; ///< first item that was not started
  std::uint32_t done = 0;
  bool queued = false; ///< stands in State::ready to start an item
  std::set<std::uint32_t> under_way;
  std::vector<Value> results; ///< by item, as far as they ended
  SetDigest digest;           ///< of (item, result)
};

struct Answer {
  std::string by;
  std::string comment;
};

struct ApprovalState {
  std::vector<Answer> approvals;
};

struct SignalWaitState {
  std::string name;
  std::uint64_t number = 0; ///< its key in State::waiters
};

using Detail = std::variant<ParallelState, ForEachState, ApprovalState, SignalWaitState>;

struct StepState {
  StepStatus status = StepStatus::idle;
  bool begun = false;
  EffectClass effect_class = EffectClass::unsafe;
  std::uint16_t resolved = 0; ///< edges into it whose source has ended
  std::uint16_t taken = 0;    ///< those of them that chose it
  std::uint32_t attempt = 0;
  std::uint32_t items_failed = 0; ///< of a for_each; decides nothing, so in no digest
  std::uint64_t timer = 0;        ///< armed for it; 0: none
  Value input;                    ///< of the attempt that is under way
  Value output;
  Digest output_digest;
  std::unique_ptr<Failure> failure;
  std::unique_ptr<Detail> detail;
  std::unique_ptr<RunId> child; ///< that the newest attempt started
  Digest cell;                  ///< its part of the state's digest at the end of the last event
  bool counted = false;         ///< whether that part is in the sum
  bool dirty = false;
};

/// The states of one scope: the flow's own, or one item's of a for_each.
struct Frame {
  std::vector<StepState> steps; ///< by Step::local
  BlockState block;             ///< of the root or the body
};

struct PlaceHash {
  std::size_t operator()(const Place& place) const noexcept;
};

struct Timer {
  enum class Purpose : std::uint8_t { retry, wait, give_up, run_timeout };
  Place place;
  Purpose purpose = Purpose::wait;
  Instant due;
};

struct Signal {
  std::uint64_t number = 0; ///< of its arrival
  std::string name;
  Value payload;
};

struct State {
  RunState state = RunState::pending;
  std::string reason;
  std::string waiting_for;
  bool paused = false;
  bool paused_by_doubt = false;

  Instant created_at;
  std::uint64_t seed = 0;
  std::uint32_t rules = 1;
  std::string parent;      ///< who is told of the end; "" for nobody
  std::uint32_t depth = 0; ///< runs above it
  Value labels;            ///< what children inherit
  Value input;
  Value vars;
  Digest input_digest;
  Digest vars_digest;
  Value response; ///< of the last respond step
  Value output;
  Digest response_digest;
  Digest output_digest;
  std::optional<Failure> failure;
  std::uint64_t steps_ended = 0;
  std::uint32_t running = 0; ///< attempts that are dispatched

  Frame root;
  std::unordered_map<Place, Frame, PlaceHash> frames; ///< key: the for_each and the item
  std::deque<Place> ready;
  std::uint64_t ready_popped = 0; ///< so that each place in `ready` has a number
  std::size_t ready_counted = 0;  ///< how many, from the front, are in ready_digest
  std::map<std::uint64_t, Timer> timers;
  std::set<std::pair<Instant, std::uint64_t>> due; ///< the same timers, earliest first
  std::uint64_t next_timer = 1;
  std::map<std::string, std::map<std::uint64_t, Place>> waiters; ///< by signal and arrival
  std::uint64_t waiters_seen = 0;
  std::set<Place> approvals;
  std::set<Place> doubted;
  std::map<std::string, Place> children;             ///< that are waited for, by run id
  std::map<std::string, std::deque<Signal>> signals; ///< by name, not consumed yet
  std::size_t signals_kept = 0;
  std::size_t results_kept = 0; ///< of every for_each under way
  std::set<std::string> signal_ids;

  std::vector<Place> changed;                                   ///< by the event under way
  std::unordered_map<Place, Frame, PlaceHash>::node_type spare; ///< of an item that ended

  // Sums that change with each element, so that an event costs what it touches.
  SetDigest cells; ///< of all step states
  SetDigest ready_digest;
  SetDigest timers_digest;
  SetDigest signals_digest;
  std::uint64_t signals_seen = 0;
  Digest total; ///< of everything, after the last event
};

/// How many for_each lie around a scope's steps.
std::uint8_t depth_of(const Definition& definition, std::uint16_t scope);

/// The state at a place, or null where its frame is gone or not there yet.
StepState* find(State& state, const Definition& definition, const Place& place);
const StepState* find(const State& state, const Definition& definition, const Place& place);

/// The key of the frame that a place lies in. REQUIRES: place.depth > 0.
Place frame_of(const Definition& definition, const Place& place);

/// A frame whose steps are all idle.
Frame make_frame(const Definition& definition, std::uint16_t scope, BlockIndex block);
/// The same, as the frame of an item. REQUIRES: it has none.
void add_frame(State& state, const Definition& definition, const Place& key, BlockIndex body);
/// REQUIRES: it is there, and none of its steps counts in the sums.
void remove_frame(State& state, const Place& key);

/// The steps with attempts that are running or in doubt, in order of their places.
std::vector<Place> under_way(const State& state, const Definition& definition);

void push_ready(State& state, const Place& place);
/// Brings ready_digest up to date. What came and went within one event costs no digest.
void count_ready(State& state);
/// REQUIRES: ready is not empty.
Place pop_ready(State& state);
void add_timer(State& state, std::uint64_t id, const Timer& timer);
/// REQUIRES: the timer is there.
void remove_timer(State& state, std::uint64_t id);
void add_signal(State& state, Signal signal);
/// The oldest one of that name, if there is one.
std::optional<Value> take_signal(State& state, const std::string& name);
/// Answers the number under which it waits.
std::uint64_t add_waiter(State& state, const std::string& signal, const Place& place);

Digest cell_digest(const Place& place, const StepState& step);
Digest total_digest(const State& state);

} // namespace skein::flow
