#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "core/base/instant.h"
#include "core/base/result.h"
#include "core/value/value.h"

/// Debounce, batch and rate of one trigger: which events start a run together, and when.
///
///   Take ──► held in the group of its key ──quiet, within or size──► closed ──rate──► Start
///                                                                              │ ▲
///                                                                              ▼ │ later
///                                                                     Drop, or delayed
///
/// Pure: time is what the events carry, in the order of the stream that they were taken from. The
/// same stream gives the same runs, so any node may fold it, from its beginning or from a snapshot.
namespace skein::trigger {

struct Rules {
  Millis quiet{0};
  Millis within{0};
  std::uint32_t size = 0;
  bool keep_all = false; ///< of a group, else only the newest
  std::uint32_t limit = 0;
  Millis per{0};
  bool delay = false;
  bool operator==(const Rules&) const = default;
};

// What is held at most; what is more ends early or is dropped, and never silently.
inline constexpr std::size_t kMostGroups = 10'000;
inline constexpr std::size_t kMostDelayed = 10'000;
inline constexpr std::size_t kMostRates = 10'000;
inline constexpr std::size_t kMostRecent = 2'000;
inline constexpr std::uint64_t kMostWeight = 256u << 10; ///< of held events, see Value::weight

/// Who an event is: its source and its id.
struct Identity {
  std::string source;
  std::string id;
  auto operator<=>(const Identity&) const = default;
};

/// Events that start one run. The run is named after the first of them.
struct Batch {
  Identity first;
  std::string rate_key;
  std::vector<Value> events;
  std::uint64_t count = 0; ///< of events that it stands for
  bool operator==(const Batch&) const = default;
};

struct Group {
  Batch batch;
  Instant opened;
  Instant closes;           ///< exclusive
  std::uint64_t number = 0; ///< in the order of opening
  bool operator==(const Group&) const = default;
};

struct State {
  Rules rules;
  Instant now; ///< of the newest entry
  std::uint64_t opened = 0;
  std::map<std::string, Group> groups;                        ///< by key
  std::set<std::pair<Instant, std::string>> closing;          ///< of all groups
  std::map<std::string, std::deque<Instant>> begun;           ///< by rate key: starts within `per`
  std::map<std::pair<Instant, std::uint64_t>, Batch> delayed; ///< by when they begin
  std::deque<Identity> recent;                                ///< taken lately, oldest first
  std::set<Identity> known;                                   ///< the same
  std::uint64_t weight = 0;                                   ///< of all events that are held

  bool operator==(const State&) const = default;
  /// Whether nothing is held or counted: time changes nothing.
  bool idle() const { return groups.empty() && delayed.empty(); }
};

// Events: what the stream brought.
struct Take {
  Instant at;
  Identity identity;
  std::string key;
  std::string rate_key;
  Value event;
};
/// Time went by. Taken from the stream as well, so that every node closes a group at the same
/// place.
struct Tick {
  Instant at;
};
/// The rules changed: what is held begins at once, under the old ones.
struct Change {
  Instant at;
  Rules rules;
};
using Event = std::variant<Take, Tick, Change>;

// Effects: what the shell must now do.
struct Start {
  Batch batch;
};
struct Drop {
  Batch batch;
  std::string reason;
};
/// Nothing will happen before this instant unless an event comes: put a Tick into the stream then.
struct ArmTimer {
  Instant at;
};
using Effect = std::variant<Start, Drop, ArmTimer>;
using Effects = std::vector<Effect>;

/// Applies one event. One that was taken before changes nothing. An instant before the newest one
/// counts as the newest. Errors: none; a refusal is a Drop.
Result<Effects> step(State& state, const Event& event);

/// The state as JSON has it, and back. Errors: json_invalid.
Value to_value(const State& state);
Result<State> state_from(const Value& value);

} // namespace skein::trigger
