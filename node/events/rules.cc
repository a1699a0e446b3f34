#include "node/events/rules.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "core/value/json.h"

namespace skein::node {
namespace {

// How far a snapshot of a machine that takes nothing may lag behind.
constexpr std::uint64_t kLag = 10'000;

trigger::Rules rules_of(const trigger::Definition& trigger) {
  trigger::Rules rules;
  rules.quiet = trigger.gather.quiet;
  rules.within = trigger.gather.within;
  rules.size = trigger.gather.size;
  rules.keep_all = trigger.gather.keeps_all();
  rules.limit = trigger.rate.limit;
  rules.per = trigger.rate.per;
  rules.delay = trigger.rate.delay;
  return rules;
}

} // namespace

Message batch_message(const Channels& channels, std::span<const Value> events) {
  return {channels.event("skein.batch"),
          "",
          {{"content-type", std::string(event::kBatch)}},
          to_json(Value::of_list({events.begin(), events.end()}))};
}

void RuleFold::learn(const Value& kept) {
  const Value* name = kept.find("trigger");
  if (name != nullptr && kept.find("gone") != nullptr) {
    kept_.erase(std::string(name->as_string()));
    return;
  }
  const Value* stream = kept.find("stream");
  if (stream != nullptr && *stream != Value(stream_)) {
    return;
  }
  const Value* through = kept.find("through");
  const Value* state = kept.find("state");
  auto read = state != nullptr ? trigger::state_from(*state)
                               : Error{Code::json_invalid, "there is no state in it"};
  if (!read || name == nullptr || through == nullptr || !through->is(Kind::integer)) {
    spdlog::error("a snapshot of a trigger cannot be read and is left out");
    return;
  }
  const std::string trigger(name->as_string());
  const auto upto = static_cast<std::uint64_t>(through->as_int());
  const auto known = kept_.find(trigger);
  if (!folded_.contains(trigger) && (known == kept_.end() || known->second.first <= upto)) {
    kept_.insert_or_assign(trigger, std::pair(upto, std::move(*read)));
  }
}

Result<std::optional<std::uint64_t>> RuleFold::change(const trigger::Triggers& triggers,
                                                      const std::set<std::string>& elsewhere,
                                                      Instant now, std::uint64_t last) {
  std::map<std::string, Folded> next;
  for (const trigger::DefinitionPtr& trigger : triggers.all()) {
    if (!trigger->event || trigger->is_plain()) {
      continue;
    }
    Folded folded;
    if (auto known = folded_.extract(trigger->name)) {
      folded = std::move(known.mapped());
    } else if (const auto kept = kept_.find(trigger->name); kept != kept_.end()) {
      folded.through = kept->second.first;
      folded.state = std::move(kept->second.second);
      kept_.erase(kept);
      folded.definition = trigger;
      run(folded, trigger::Tick{folded.state.now}); // when it wants to be woken
    } else {
      folded.through = older_.contains(trigger->name) ? 0 : last;
      folded.state.rules = rules_of(*trigger);
      folded.changed = true;
    }
    folded.definition = trigger;
    if (folded.state.rules != rules_of(*trigger)) {
      run(folded, trigger::Change{now, rules_of(*trigger)});
    }
    next.emplace(trigger->name, std::move(folded));
  }
  for (auto& [name, gone] : folded_) {
    if (elsewhere.contains(name)) {
      let_go(name, gone);
    } else {
      forget(gone, now);
    }
  }
  folded_ = std::move(next);
  if (auto kept = keep(); !kept) {
    return kept.error();
  }
  std::optional<std::uint64_t> from;
  for (const auto& [name, folded] : folded_) {
    from = std::min(from.value_or(folded.through + 1), folded.through + 1);
  }
  return from;
}

// A trigger that is deleted lets begin what it held.
void RuleFold::forget(Folded& folded, Instant now) {
  run(folded, trigger::Change{now, {}});
  const std::string& name = folded.definition->name;
  const std::string text = to_json(object({{"trigger", name}, {"gone", true}}));
  if (auto kept = append_now(broker_, {channels_.rules_of(name), "", {}, text}, ""); !kept) {
    spdlog::warn("trigger {}: {}", name, to_string(kept.error()));
  }
}

// Another node goes on from the newest snapshot, and so does this one should it come back.
void RuleFold::let_go(const std::string& name, Folded& folded) {
  if (auto kept = folded.changed ? keep_one(name, folded) : Result<void>(); !kept) {
    spdlog::warn("trigger {}: {}", name, to_string(kept.error()));
  }
  kept_.insert_or_assign(name, std::pair(folded.through, std::move(folded.state)));
}

void RuleFold::fold(const Stored& stored) {
  const bool tick = stored.message.subject == channels_.tick;
  const auto event = tick ? Error{Code::event_invalid, ""} : read_event(channels_, stored);
  const Value value = event ? event::to_value(*event) : Value();
  for (auto& [name, folded] : folded_) {
    if (stored.sequence <= folded.through) {
      continue;
    }
    folded.through = stored.sequence;
    folded.changed = folded.changed || folded.through > folded.kept + kLag;
    const trigger::Definition& trigger = *folded.definition;
    if (event && !trigger.paused && trigger::takes(trigger, *event, value)) {
      run(folded, trigger::Take{stored.at,
                                {event->source, event->id},
                                trigger::key_of(trigger.gather.key, value),
                                trigger::key_of(trigger.rate.key, value),
                                value});
    } else if (!folded.state.idle()) {
      run(folded, trigger::Tick{stored.at});
    }
  }
}

void RuleFold::run(Folded& folded, const trigger::Event& event) {
  const auto effects = trigger::step(folded.state, event);
  folded.changed = true;
  folded.armed.reset();
  for (const trigger::Effect& effect : *effects) {
    if (const auto* begin = std::get_if<trigger::Start>(&effect)) {
      start(*folded.definition, begin->batch);
    } else if (const auto* drop = std::get_if<trigger::Drop>(&effect)) {
      counts_.dropped += drop->batch.count;
      spdlog::info("trigger {}: event {} of {} starts nothing: {}", folded.definition->name,
                   drop->batch.first.id, drop->batch.first.source, drop->reason);
    } else if (const auto* arm = std::get_if<trigger::ArmTimer>(&effect)) {
      folded.armed = arm->at;
    }
  }
}

void RuleFold::start(const trigger::Definition& trigger, const trigger::Batch& batch) {
  const RunId run = trigger::run_of(trigger, batch.first.source, batch.first.id);
  const auto outcome = starter_.start(trigger, batch.events, run);
  switch (outcome.came) {
    case Starter::Came::begun:
      ++counts_.started;
      return;
    case Starter::Came::never:
      bury(trigger, batch, outcome.reason, "");
      return;
    case Starter::Came::later:
    case Starter::Came::no_flow:
      bury(trigger, batch, outcome.reason, trigger.flow);
  }
}

void RuleFold::bury(const trigger::Definition& trigger, const trigger::Batch& batch,
                    const Error& reason, const std::string& waits_for) {
  Letter letter;
  letter.reason = reason;
  letter.trigger = trigger.name;
  letter.run = trigger::run_of(trigger, batch.first.source, batch.first.id).get();
  letter.waits_for = waits_for;
  letter.original = batch_message(channels_, batch.events);
  ++counts_.dead;
  unkept_.push_back(std::move(letter));
}

Result<void> RuleFold::keep() {
  while (!unkept_.empty()) {
    if (auto added = letters_.add(unkept_.back()); !added) {
      return added;
    }
    unkept_.pop_back();
  }
  for (auto& [name, folded] : folded_) {
    if (folded.changed) {
      if (auto kept = keep_one(name, folded); !kept) {
        return kept;
      }
    }
  }
  return {};
}

Result<void> RuleFold::keep_one(const std::string& name, Folded& folded) {
  const std::string text = to_json(object({{"trigger", name},
                                           {"stream", stream_},
                                           {"through", static_cast<std::int64_t>(folded.through)},
                                           {"state", trigger::to_value(folded.state)}}));
  if (text.size() > broker_.max_payload()) {
    return {}; // an older one stands; more of the stream is folded after a restart
  }
  const auto stored = append_now(broker_, {channels_.rules_of(name), "", {}, text}, "");
  if (stored) {
    folded.changed = false;
    folded.kept = folded.through;
  }
  return stored ? Result<void>() : stored.error();
}

std::optional<Instant> RuleFold::next_tick() const {
  std::optional<Instant> next;
  for (const auto& [name, folded] : folded_) {
    if (folded.armed) {
      next = std::min(next.value_or(*folded.armed), *folded.armed);
    }
  }
  return next;
}

} // namespace skein::node
