#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/trigger/match.h"
#include "node/events/channels.h"
#include "node/events/starter.h"

namespace skein::node {

/// One firing of a schedule that is due.
struct DueFiring {
  trigger::DefinitionPtr trigger;
  Instant nominal;
};

/// When which schedule fires next, and since when it has. Thread-safety: none.
class Planner {
 public:
  /// `owns`: whether this node fires the trigger of that name.
  Planner(Broker& broker, const Channels& channels, std::function<bool(const std::string&)> owns)
      : broker_(broker), channels_(channels), owns_(std::move(owns)) {}

  /// How far a schedule is, as this or another node kept it.
  void learn(const Value& kept);
  /// The schedules from now on. One that is new counts from when it was applied.
  void change(const std::vector<AppliedTrigger>& triggers);

  /// What is due here, in the order of its time, bounded; `fired` is called for each once it is
  /// done.
  std::vector<DueFiring> due(Instant now);
  /// Everything up to `upto` needs no further look. Errors: of the broker; it is asked again then.
  Result<void> fired(const trigger::Definition& trigger, Instant upto);
  std::optional<Instant> next() const;

 private:
  struct Planned {
    trigger::DefinitionPtr trigger;
    Instant last;
    std::optional<Instant> next;
  };
  Broker& broker_;
  const Channels& channels_;
  const std::function<bool(const std::string&)> owns_;
  std::map<std::string, Planned> planned_;
  std::map<std::string, Instant> kept_;
};

} // namespace skein::node
