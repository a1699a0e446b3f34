#include "node/events/starter.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <mutex>

#include "core/event/lifecycle.h"
#include "core/trigger/loader.h"
#include "schemas/yaml.h"

namespace skein::node {
namespace {

using Came = Starter::Came;

Came came_of(const Error& error) {
  switch (error.code) {
    case Code::run_exists: // an earlier delivery began it, perhaps of an earlier revision
      return Came::begun;
    case Code::resource_unknown:
      return Came::no_flow;
    case Code::schema_violation:
    case Code::schema_limit:
    case Code::resource_value_invalid:
    case Code::run_limit:
    case Code::expression_evaluation:
    case Code::expression_limit:
    case Code::expression_type:
      return Came::never;
    default:
      return Came::later;
  }
}

Starter::Outcome outcome_of(const Error& error) { return {came_of(error), error}; }

/// What a run's labels say of it where an event began it.
constexpr std::string_view kHopsLabel = "hops";

std::int64_t hops_of(std::span<const Value> events) {
  std::int64_t most = 0;
  for (const Value& event : events) {
    const Value* hops = event.find(event::kHops);
    most = std::max(most, hops != nullptr && hops->is(Kind::integer) ? hops->as_int() : 0);
  }
  return most;
}

/// What a stored revision says of triggers, parsed once.
class Parsed {
 public:
  std::vector<trigger::DefinitionPtr> of(const ResourceRow& row) {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(row.hash);
    if (found != known_.end()) {
      return found->second;
    }
    return known_[row.hash] = parse(row);
  }

 private:
  static std::vector<trigger::DefinitionPtr> parse(const ResourceRow& row) {
    schemas::YamlLimits limits;
    limits.max_bytes = 16u << 20;
    limits.max_nodes = 1'000'000;
    const auto documents = schemas::read_yaml(row.content, row.kind + " " + row.name, limits);
    if (!documents) {
      spdlog::error("{} {}: {}", row.kind, row.name, to_string(documents.error()));
      return {};
    }
    if (row.kind == "Flow") {
      return trigger::triggers_of(documents->front());
    }
    const auto loaded = trigger::load(documents->front(), true);
    return loaded.definition ? std::vector{loaded.definition}
                             : std::vector<trigger::DefinitionPtr>{};
  }

  std::mutex mutex_;
  std::map<ContentHash, std::vector<trigger::DefinitionPtr>> known_;
};

} // namespace

Starter::Outcome Starter::start(const trigger::Definition& trigger, std::span<const Value> events,
                                const RunId& run, bool by_hand) {
  const std::int64_t hops = hops_of(events);
  if (hops >= event::kMostHops && !by_hand) {
    return {Came::never, Error{Code::event_limit,
                               "it came through " + std::to_string(hops) +
                                   " runs that events started, one after the other",
                               "see whether flows start each other in a circle"}};
  }
  const auto row = node_.store().resource("Flow", trigger.flow);
  if (!row) {
    return outcome_of(row.error());
  }
  auto definition = definition_of(node_.store(), row->hash);
  if (!definition) {
    return outcome_of(definition.error());
  }
  auto input = trigger::input_of(trigger, events);
  if (!input) {
    return outcome_of(input.error());
  }
  StartRequest request;
  request.definition = std::move(*definition);
  request.input = std::move(*input);
  request.labels =
      hops == 0 ? object({{"trigger", trigger.name}})
                : object({{"trigger", trigger.name}, {kHopsLabel, std::to_string(hops + 1)}});
  request.id = run;
  const auto begun = node_.start(request);
  return begun ? Outcome{} : outcome_of(begun.error());
}

std::int64_t hops_of(const Store& store, const RunId& run) {
  RunId at = run;
  for (std::int64_t depth = 0; depth < event::kMostHops; ++depth) {
    const auto record = store.find_run(at);
    if (!record || !*record) {
      return 0;
    }
    if ((*record)->labels.find("trigger") != nullptr) {
      const Value* label = (*record)->labels.find(kHopsLabel);
      const std::string text(label != nullptr ? label->as_string() : "1");
      std::int64_t hops = 1;
      std::from_chars(text.data(), text.data() + text.size(), hops);
      return hops;
    }
    at = RunId((*record)->parent);
  }
  return event::kMostHops;
}

Result<std::vector<AppliedTrigger>> applied_triggers(const Store& store) {
  static Parsed parsed;
  std::vector<AppliedTrigger> all;
  for (const char* kind : {"Trigger", "Flow"}) {
    const auto rows = store.list_resources(kind);
    if (!rows) {
      return rows.error();
    }
    for (const ResourceRow& row : *rows) {
      for (trigger::DefinitionPtr& trigger : parsed.of(row)) {
        all.push_back({std::move(trigger), row.applied_at});
      }
    }
  }
  return all;
}

} // namespace skein::node
