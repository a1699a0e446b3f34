#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/base/instant.h"
#include "core/flow/event.h"
#include "core/flow/place.h"
#include "core/ports/store.h"
#include "core/run/run.h"

/// What the machine asks its shell to do, once the entry that caused it is durable.
namespace skein::flow {

/// Run a tool for a step. A pure effect runs at once; for any other the shell first proposes Begun.
struct Dispatch {
  Place place;
  std::uint32_t attempt = 1;
  Value input;
};

/// Begun is durable: run the attempt that was dispatched.
struct Execute {
  Place place;
  std::uint32_t attempt = 1;
};

/// Nobody waits for this attempt any more: stop it; its result will be ignored.
struct Abandon {
  Place place;
  std::uint32_t attempt = 1;
};

struct ArmTimer {
  std::uint64_t timer = 0;
  Instant due;
};

struct DisarmTimer {
  std::uint64_t timer = 0;
  Instant due;
};

struct OpenWait {
  WaitRow::What what;
  std::string name; ///< signal name, or step id and path of an approval
};

struct CloseWait {
  WaitRow::What what;
  std::string name;
};

struct Emit {
  std::string id; ///< stable across replays: derived from run and place
  std::string type;
  Value event; ///< the CloudEvent
};

/// Feed Proceeded back as soon as this entry is durable.
struct Proceed {};

/// What a list shows of the run has changed.
struct Show {
  RunState state = RunState::running;
  std::string reason;
  std::string waiting_for;
};

/// The run has ended; always after its Show.
struct Finish {
  RunState state = RunState::succeeded;
  Value output;
  std::optional<Failure> failure;
  Digest output_digest;
  std::string parent = {}; ///< the run to tell; "" for none
};

/// Start a run for a step, once, however often it is asked for: its end comes back as ChildEnded.
struct StartChild {
  RunId child;
  std::string flow;
  ContentHash revision;
  Value input;
  Value labels;            ///< of this run
  std::uint32_t depth = 1; ///< of the child
};

/// Nobody waits for this child any more: cancel it.
struct CancelChild {
  RunId child;
};

using Effect = std::variant<Dispatch, Execute, Abandon, ArmTimer, DisarmTimer, OpenWait, CloseWait,
                            Emit, Proceed, Show, Finish, StartChild, CancelChild>;
using Effects = std::vector<Effect>;

/// For the journal: equal effects in equal order have equal digests.
Digest digest_of(const Effects& effects);

} // namespace skein::flow
