#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/hash.h"
#include "core/base/ids.h"
#include "core/base/instant.h"
#include "core/flow/event.h"
#include "core/value/value.h"

namespace skein {

///   pending ──► running ◄──► waiting
///                 │  ▲ ▼        │
///                 │  paused ◄───┘
///                 ▼
///   succeeded, failed, cancelled: final
enum class RunState : std::uint8_t {
  pending,
  running,
  waiting,
  paused,
  succeeded,
  failed,
  cancelled
};

std::string_view name_of(RunState state);
std::optional<RunState> parse_run_state(std::string_view name);
inline bool is_final(RunState state) { return state >= RunState::succeeded; }

/// What a list and `run status` show of a run; one row in storage, written with the entry that
/// changed it.
struct RunRecord {
  RunId id;
  std::string kind = "flow";
  std::string definition;
  ContentHash revision;
  RunState state = RunState::pending;
  std::string reason;      ///< why paused, failed or cancelled; "" otherwise
  std::string waiting_for; ///< what would wake it, such as "approval approve" or "timer 2026-…"; ""
                           ///< otherwise
  std::string parent;
  Value labels; ///< map of strings, or null
  Value output;
  std::optional<flow::Failure> failure;
  Instant created_at;
  Instant updated_at;
  std::uint64_t steps = 0; ///< attempts that ended, for usage.steps
};

/// One entry of a run's journal.
struct Entry {
  RunId run;
  Seq seq;
  flow::Event event;
  Digest effects; ///< of the effects that the machine answered with
  Digest state;   ///< of the state after it
};

/// Machine state at an entry, as named cells; what the cells mean is the machine's own business.
struct Checkpoint {
  RunId run;
  Seq seq;
  Digest state;
  Value cells; ///< a map
};

/// Only which entry a checkpoint is of, and the digest that it recorded.
struct CheckpointMark {
  Seq seq;
  Digest state;
};

} // namespace skein
