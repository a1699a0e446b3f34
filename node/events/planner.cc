#include "node/events/planner.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "core/value/json.h"
#include "node/events/letters.h"

namespace skein::node {

void Planner::learn(const Value& kept) {
  const Value* name = kept.find("schedule");
  const Value* last = kept.find("last");
  if (name == nullptr || last == nullptr || !last->is(Kind::integer)) {
    return;
  }
  const std::string trigger(name->as_string());
  Instant& known = kept_[trigger];
  known = std::max(known, Instant{last->as_int()});
  const auto planned = planned_.find(trigger);
  if (planned != planned_.end() && known > planned->second.last) {
    planned->second.last = known;
    planned->second.next = planned->second.trigger->schedule->next(known);
  }
}

void Planner::change(const std::vector<AppliedTrigger>& triggers) {
  std::map<std::string, Planned> next;
  for (const AppliedTrigger& applied : triggers) {
    const trigger::Definition& trigger = *applied.trigger;
    if (!trigger.schedule || trigger.paused) {
      continue;
    }
    Instant last = applied.at;
    if (const auto known = planned_.find(trigger.name); known != planned_.end()) {
      last = std::max(last, known->second.last);
    } else if (const auto kept = kept_.find(trigger.name); kept != kept_.end()) {
      last = std::max(last, kept->second);
    }
    next[trigger.name] = {applied.trigger, last, trigger.schedule->next(last)};
  }
  planned_ = std::move(next);
}

std::vector<DueFiring> Planner::due(Instant now) {
  std::vector<DueFiring> due;
  for (auto& [name, planned] : planned_) {
    if (!planned.next || *planned.next > now || !owns_(name)) {
      continue;
    }
    const auto found = planned.trigger->schedule->due(planned.last, now);
    for (const Instant nominal : found.firings) {
      due.push_back({planned.trigger, nominal});
    }
    if (found.passed_over > 0) {
      spdlog::warn("trigger {}: {} firings were missed and are passed over", name,
                   found.passed_over);
    }
    if (found.firings.empty()) {
      planned.last = now;
      planned.next = planned.trigger->schedule->next(now);
    }
  }
  std::ranges::sort(due, {}, [](const DueFiring& one) { return one.nominal; });
  return due;
}

Result<void> Planner::fired(const trigger::Definition& trigger, Instant upto) {
  const auto found = planned_.find(trigger.name);
  if (found == planned_.end()) {
    return {};
  }
  const std::string text = to_json(object({{"schedule", trigger.name}, {"last", upto.ms}}));
  const auto stored = append_now(broker_, {channels_.rules_of(trigger.name), "", {}, text}, "");
  if (!stored) {
    return stored.error();
  }
  found->second.last = upto;
  found->second.next = trigger.schedule->next(upto);
  return {};
}

std::optional<Instant> Planner::next() const {
  std::optional<Instant> next;
  for (const auto& [name, planned] : planned_) {
    if (planned.next && owns_(name)) {
      next = std::min(next.value_or(*planned.next), *planned.next);
    }
  }
  return next;
}

} // namespace skein::node
