#include "node/children/children.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "core/base/nearest.h"
#include "core/flow/turn.h"
#include "core/run/children.h"
#include "node/new_run.h"
#include "node/node.h"

namespace skein::node {
namespace {

Error no_flow(const Store& store, const std::string& name) {
  const auto known = store.list_resources("Flow");
  std::vector<std::string_view> names;
  for (std::size_t i = 0; known && i < known->size(); ++i) {
    names.push_back((*known)[i].name);
  }
  return Error{Code::resource_unknown,
               "there is no flow \"" + name + "\"" + did_you_mean(name, names),
               "apply it, and try the step again: skein apply -f FILE"};
}

std::string text_of(const flow::Placement& placement) {
  std::string text;
  for (const auto& [key, value] : placement.labels) {
    text += (text.empty() ? "" : ", ") + key + "=" + value;
  }
  return text;
}

Error nowhere(const flow::Placement& placement) {
  if (placement.how == flow::Placement::How::local) {
    return Error{Code::placement_unmet, "this node leads no partition at the moment",
                 "give the step a `retry`, so that it is tried again"};
  }
  return Error{Code::placement_unmet, "no node that is there has the labels " + text_of(placement),
               "start one with them: skein serve --label KEY=VALUE; give the step a `retry`, so "
               "that it waits for one"};
}

// Told again it would be refused again: the parent hears of it instead.
bool is_lasting(Code code) {
  return code == Code::schema_violation || code == Code::schema_limit ||
         code == Code::resource_value_invalid || code == Code::run_limit ||
         code == Code::wire_invalid;
}

// The same for every delivery.
std::uint64_t seed_of(const RunId& child) { return digest(child.get() + "/seed").low; }

bool has_all(const Value& labels, const flow::Placement& placement) {
  return std::ranges::all_of(placement.labels, [&](const auto& wanted) {
    const Value* value = labels.find(wanted.first);
    return value != nullptr && *value == Value(wanted.second);
  });
}

} // namespace

PartitionSet placed(const flow::Placement& placement, std::span<const MemberStatus> members) {
  if (placement.how == flow::Placement::How::spread) {
    return kEveryPartition;
  }
  PartitionSet where;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const bool fits = placement.how == flow::Placement::How::local
                          ? i == 0
                          : has_all(members[i].labels, placement);
    if (fits && members[i].alive && !members[i].draining) {
      where |= members[i].leads;
    }
  }
  return where;
}

Result<actors::Child> Children::child_of(const actors::ChildWanted& wanted) const {
  const std::string& flow = wanted.step.flow;
  const auto row = store_.resource("Flow", flow);
  if (!row) {
    return row.error().code == Code::resource_unknown ? no_flow(store_, flow) : row.error();
  }
  const auto definition = definition_of(store_, row->hash);
  if (!definition) {
    return definition.error();
  }
  if (auto fits = check_input(**definition, wanted.input); !fits) {
    Error error = fits.error();
    error.detail = "the input does not fit flow " + flow + ": " + error.detail;
    return error;
  }
  const PartitionSet where = ways_.places(wanted.step.placement);
  if (where.none()) {
    return nowhere(wanted.step.placement);
  }
  return actors::Child{child_id(flow, wanted.key, wanted.attempt, where), row->hash};
}

void Children::deliver(const OutboxRow& row, const actors::Reply& taken) const {
  if (row.what == OutboxRow::What::child_start) {
    start(row, taken);
    return;
  }
  const RunId to(row.destination);
  tell(to, event_of(row, clock_.now()), [to, taken](const Result<void>& told) {
    // Who has ended, or was removed since, needs to hear nothing.
    const bool gone = !told && (told.error().code == Code::run_state_conflict ||
                                told.error().code == Code::run_unknown);
    taken(gone ? Result<void>() : told);
  });
}

void Children::start(const OutboxRow& row, const actors::Reply& taken) const {
  const auto wanted = child_start_of(row);
  if (!wanted) {
    spdlog::error("outbox: {}", to_string(wanted.error()));
    taken({});
    return;
  }
  const auto definition = definition_of(store_, wanted->revision);
  if (!definition) {
    taken(definition.error());
    return;
  }
  // What the flow says of its runs goes before what they inherit.
  auto run =
      new_run({*definition, wanted->input, flow::merged(wanted->labels, (*definition)->labels),
               wanted->child, seed_of(wanted->child)},
              clock_.now());
  if (!run) {
    give_up(wanted->child, wanted->parent, run.error(), taken);
    return;
  }
  run->created.parent = wanted->parent.get();
  run->created.depth = wanted->depth;
  tell(run->id, run->created,
       [this, child = wanted->child, parent = wanted->parent, taken](const Result<void>& told) {
         if (told || told.error().code != Code::run_exists) {
           told || !is_lasting(told.error().code) ? taken(told)
                                                  : give_up(child, parent, told.error(), taken);
           return;
         }
         const auto there = store_.find_run(child); // an earlier delivery began it
         if (!there || !*there) {
           taken(told); // its entries are on their way to this node
         } else if ((*there)->parent == parent.get()) {
           taken({});
         } else {
           give_up(child, parent, told.error(), taken);
         }
       });
}

void Children::give_up(const RunId& child, const RunId& parent, const Error& why,
                       const actors::Reply& taken) const {
  tell(parent,
       flow::ChildEnded{
           clock_.now(), child, Value(),
           flow::Failure{to_string(why.code), why.detail, why.hint, {}, is_retryable(why.code)}},
       taken);
}

void Children::tell(const RunId& run, flow::Event event, const actors::Reply& taken) const {
  ways_.tell(run, std::move(event), taken);
}

} // namespace skein::node
