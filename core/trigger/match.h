#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.h"
#include "core/event/cloud_event.h"
#include "core/trigger/definition.h"

namespace skein::trigger {

/// The run that an event starts through a trigger: the same on every node and however often the
/// event comes. Up to 63 characters, fit for a run id.
RunId run_of(const Definition& trigger, std::string_view source, std::string_view id);
/// The run of a firing of a schedule, by the time that it is for.
RunId run_of(const Definition& trigger, Instant nominal);

/// The event that a firing of a schedule stands for.
event::CloudEvent firing_event(const Definition& trigger, Instant nominal);

/// Whether the trigger takes the event, whose JSON form is `value`. An expression that fails, such
/// as on a member that is not there, takes nothing. REQUIRES: it has a filter.
bool takes(const Definition& trigger, const event::CloudEvent& event, const Value& value);

/// A key of a rule as text, "" where the rule has none or it fails.
std::string key_of(const std::optional<Program>& key, const Value& event);

/// The input of the run that these events start; the newest is the last of them.
/// Errors: expression_evaluation, expression_limit.
Result<Value> input_of(const Definition& trigger, std::span<const Value> events);

/// Triggers, found by the type of an event without looking at each of them.
class Triggers {
 public:
  explicit Triggers(std::vector<DefinitionPtr> all = {});

  /// Those with a filter that take the event and are not paused, by name.
  std::vector<DefinitionPtr> matching(const event::CloudEvent& event, const Value& value) const;
  std::span<const DefinitionPtr> all() const { return all_; } ///< by name
  DefinitionPtr find(std::string_view name) const;            ///< null where there is none

 private:
  std::vector<DefinitionPtr> all_;
  std::map<std::string, std::vector<std::size_t>, std::less<>> by_type_;
  std::vector<std::size_t> by_prefix_;
};

} // namespace skein::trigger
