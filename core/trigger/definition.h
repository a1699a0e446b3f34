#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/hash.h"
#include "core/base/ids.h"
#include "core/base/instant.h"
#include "core/event/cloud_event.h"
#include "core/expression/program.h"
#include "core/schedule/schedule.h"

/// What starts flows by itself: events, and the clock.
namespace skein::trigger {

using expression::Program;
using expression::Template;

/// What the expressions of a trigger see.
enum class Slot : expression::Slot {
  event,  ///< the event; of several, the newest
  events, ///< those that start one run together, in order
};

/// A text that ends in `*` stands for every text that begins with what is before it.
struct Pattern {
  std::string text; ///< without the star
  bool prefix = false;

  bool matches(std::string_view whole) const {
    return prefix ? whole.starts_with(text) : whole == text;
  }
};

struct EventFilter {
  Pattern type;
  std::optional<Pattern> source;
  std::optional<Program> when;
};

/// How the events that a trigger takes become firings.
///
///   debounce: one run once `quiet` went by without another, after `within` at the latest, with the
///             newest event
///   batch:    one run for `size` events, or those that came `within` the first
///   neither:  one run for each
struct Gather {
  Millis quiet{0};        ///< 0: no debounce
  Millis within{0};       ///< 0: without such an end
  std::uint32_t size = 0; ///< 0: no batch
  std::optional<Program> key;

  bool waits() const { return quiet.count > 0 || size > 0; }
  bool keeps_all() const { return size > 0; }
};

/// At most `limit` runs begin in any time of this length; what is more is dropped, or begins later.
struct Rate {
  std::uint32_t limit = 0; ///< 0: no limit
  Millis per{0};
  bool delay = false;
  std::optional<Program> key;
};

/// One reason for one flow to begin. Has a filter or a schedule, never both.
struct Definition {
  std::string name; ///< identifies its runs: "triage", or "flow.0" for one of a flow's own
  std::string flow;
  ContentHash revision;
  std::optional<EventFilter> event;
  std::optional<schedule::Schedule> schedule;
  Template input;
  Gather gather;
  Rate rate;
  bool paused = false;

  /// Whether it starts a run for each event, by that event alone.
  bool is_plain() const { return !gather.waits() && rate.limit == 0; }
};

using DefinitionPtr = std::shared_ptr<const Definition>;

} // namespace skein::trigger
