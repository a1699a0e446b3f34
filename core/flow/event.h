#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/base/hash.h"
#include "core/base/ids.h"
#include "core/base/instant.h"
#include "core/flow/place.h"
#include "core/ports/tool.h"
#include "core/value/value.h"

/// What can happen to a run of a flow. These are the inputs of the machine and, with a sequence
/// number and two digests, the entries of the journal. Every one carries the instant at which it
/// was accepted.
namespace skein::flow {

/// Of the machine as it is: a journal folds to what it recorded only under the rules that it was
/// written under. They count what is released.
inline constexpr std::uint32_t kRules = 1;

/// Why a step or a run failed, as expressions see it: error.code, error.message, error.hint,
/// error.step.
struct Failure {
  std::string code; ///< "SK5003", or what a `fail` step names
  std::string message;
  std::string hint;
  std::string step; ///< id of the step that failed first
  bool retryable = false;
  bool operator==(const Failure&) const = default;
};

/// The run begins. Holds all that its lists and indexes need, so that these can be rebuilt from the
/// journal.
struct Created {
  Instant at;
  std::string definition;       ///< name of the flow
  ContentHash revision;         ///< of the definition, pinned for the run's life
  std::uint32_t rules = kRules; ///< version of the machine's rules
  std::uint64_t seed = 0;
  Value input;
  Value labels;            ///< map of strings, or null
  std::string parent;      ///< run id, or ""
  std::uint32_t depth = 0; ///< how many runs are above it
};

/// A copy of the entries of another run ends here; what follows is this run's own.
struct Forked {
  Instant at;
  std::string from;        ///< run id
  std::uint64_t entry = 0; ///< the last one copied
  Value vars;              ///< variables to set, or null
  Value input;             ///< fields of the input to replace, or null
};

/// An attempt of a step's effect is about to start: the committed intent. A pure effect has none.
struct Begun {
  Instant at;
  Place place;
  std::uint32_t attempt = 1;
  EffectClass effect_class = EffectClass::unsafe;
  RunId child = {};          ///< the run that it starts; "" where it is a tool's
  ContentHash revision = {}; ///< of the child's definition, pinned here
};

struct Succeeded {
  Instant at;
  Place place;
  std::uint32_t attempt = 1;
  Value output;
};

struct Failed {
  Instant at;
  Place place;
  std::uint32_t attempt = 1;
  Failure failure;
};

/// After a crash: an unsafe attempt had begun and nobody knows how it ended.
struct FoundInDoubt {
  Instant at;
  Place place;
  std::uint32_t attempt = 1;
};

/// A timer is due. A stale one changes nothing.
struct Expired {
  Instant at;
  std::uint64_t timer = 0;
};

struct Signalled {
  Instant at;
  std::string id; ///< the sender's, to drop repeats; "" never repeats
  std::string name;
  Value payload;
};

/// An answer to an approval step.
struct Answered {
  Instant at;
  Place place;
  bool approved = false;
  std::string by;
  std::string comment;
};

struct CancelAsked {
  Instant at;
  std::string by;
  std::string reason;
};

struct PauseAsked {
  Instant at;
  std::string by;
  std::string reason;
};

struct ResumeAsked {
  Instant at;
  std::string by;
};

/// An operator settles a step that is in doubt or has no retries left.
struct Settled {
  enum class How : std::uint8_t {
    retry,   ///< run it again
    succeed, ///< it had happened; `output` is its result
    fail,    ///< it had not happened and shall not; `output` is ignored
  };
  Instant at;
  Place place;
  How how = How::retry;
  Value output;
  std::string by;
};

/// The machine had more to do than one event may cost and asked to go on.
struct Proceeded {
  Instant at;
};

/// A run that a step started has ended. One that nobody waits for changes nothing.
struct ChildEnded {
  Instant at;
  RunId child;
  Value output;
  std::optional<Failure> failure; ///< where it did not succeed
};

using Event =
    std::variant<Created, Forked, Begun, Succeeded, Failed, FoundInDoubt, Expired, Signalled,
                 Answered, CancelAsked, PauseAsked, ResumeAsked, Settled, Proceeded, ChildEnded>;

Instant at_of(const Event& event);
/// The id that a sender outside gave its event, so that it happens once; "" where it has none.
std::string_view sender_id(const Event& event);

/// The event as a journal will give it back: every text valid UTF-8, every NaN the same. A shell
/// feeds no other to a machine, or what ran and what is replayed would differ.
Event as_journaled(Event event);

/// "run.created", "step.succeeded", …: the wire kind of an event; stable.
std::string_view kind_of(const Event& event);

} // namespace skein::flow
