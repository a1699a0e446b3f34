#include "core/trigger/match.h"

#include <algorithm>
#include <array>

#include "core/base/hash.h"
#include "core/event/lifecycle.h"
#include "core/value/json.h"
#include "core/value/text.h"

namespace skein::trigger {
namespace {

constexpr std::size_t kHashed = 20;  // characters of base32: 100 bits
constexpr std::size_t kLongest = 63; // of a run id

class Events : public expression::Activation {
 public:
  explicit Events(std::span<const Value> events)
      : newest_(events.empty() ? Value() : events.back()),
        all_(Value::of_list({events.begin(), events.end()})) {}

  const Value* find(expression::Slot slot) const override {
    return slot == static_cast<expression::Slot>(Slot::events) ? &all_ : &newest_;
  }

 private:
  Value newest_;
  Value all_;
};

RunId hashed(const Definition& trigger, std::string_view what, std::string_view rest) {
  constexpr std::string_view kDigits = "abcdefghijklmnopqrstuvwxyz234567";
  const Value identity = Value::of_list({Value(trigger.name), Value(what), Value(rest)});
  const ContentHash hash = content_hash(to_json(identity));
  std::string id = trigger.flow.substr(0, kLongest - kHashed - 1) + "-";
  std::uint64_t bits = 0;
  int have = 0;
  for (std::size_t byte = 0, made = 0; made < kHashed; ++made) {
    while (have < 5) {
      bits = bits << 8 | hash.bytes[byte++];
      have += 8;
    }
    have -= 5;
    id += kDigits[bits >> have & 31];
  }
  return RunId(std::move(id));
}

} // namespace

RunId run_of(const Definition& trigger, std::string_view source, std::string_view id) {
  return hashed(trigger, source, id);
}

RunId run_of(const Definition& trigger, Instant nominal) {
  return hashed(trigger, "schedule", to_string(nominal));
}

event::CloudEvent firing_event(const Definition& trigger, Instant nominal) {
  event::CloudEvent event;
  event.id = trigger.name + "/" + to_string(nominal);
  event.source = "/skein/triggers/" + trigger.name;
  event.type = "skein.schedule.fired";
  event.time = to_string(nominal);
  return event;
}

bool takes(const Definition& trigger, const event::CloudEvent& event, const Value& value) {
  const EventFilter& filter = *trigger.event;
  const bool own = event.type.starts_with(event::kOwnTypes);
  if (!filter.type.matches(event.type) ||
      (own && !filter.type.text.starts_with(event::kOwnTypes)) ||
      (filter.source && !filter.source->matches(event.source))) {
    return false;
  }
  if (!filter.when) {
    return true;
  }
  const auto holds = filter.when->evaluate(Events({&value, 1}));
  return holds && holds->is(Kind::boolean) && holds->as_bool();
}

std::string key_of(const std::optional<Program>& key, const Value& event) {
  const auto value = key ? key->evaluate(Events({&event, 1})) : Result<Value>(Value(""));
  return !value                    ? std::string()
         : value->is(Kind::string) ? std::string(value->as_string())
                                   : to_json(*value);
}

Result<Value> input_of(const Definition& trigger, std::span<const Value> events) {
  auto input = trigger.input.evaluate(Events(events));
  return input ? Result<Value>(as_json(*input)) : input.error();
}

Triggers::Triggers(std::vector<DefinitionPtr> all) : all_(std::move(all)) {
  std::ranges::sort(all_, {}, [](const DefinitionPtr& t) -> std::string_view { return t->name; });
  for (std::size_t i = 0; i < all_.size(); ++i) {
    if (!all_[i]->event) {
      continue;
    }
    const Pattern& type = all_[i]->event->type;
    (type.prefix ? by_prefix_ : by_type_[type.text]).push_back(i);
  }
}

std::vector<DefinitionPtr> Triggers::matching(const event::CloudEvent& event,
                                              const Value& value) const {
  std::vector<std::size_t> found = by_prefix_;
  if (const auto exact = by_type_.find(event.type); exact != by_type_.end()) {
    found.insert(found.end(), exact->second.begin(), exact->second.end());
  }
  std::ranges::sort(found);
  std::vector<DefinitionPtr> matching;
  for (const std::size_t i : found) {
    if (!all_[i]->paused && takes(*all_[i], event, value)) {
      matching.push_back(all_[i]);
    }
  }
  return matching;
}

DefinitionPtr Triggers::find(std::string_view name) const {
  const auto found = std::ranges::find_if(all_, [&](const auto& t) { return t->name == name; });
  return found == all_.end() ? nullptr : *found;
}

} // namespace skein::trigger
