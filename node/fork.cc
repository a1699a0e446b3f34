#include "node/fork.h"

#include <algorithm>

#include "core/base/nearest.h"
#include "core/flow/turn.h"
#include "core/run/rows.h"
#include "node/new_run.h"
#include "node/node.h"

namespace skein::node {
namespace {

Error unknown(const RunId& run) {
  return Error{Code::run_unknown, "there is no run " + run.get(), "see `skein runs list`"};
}

Result<RunId> new_id(const Store& store, const ForkRequest& request) {
  if (request.id) {
    if (auto valid = check_id(*request.id); !valid) {
      return valid.error();
    }
    const auto last = store.last_seq(*request.id);
    if (!last) {
      return last.error();
    }
    if (last->get() > 0) {
      return Error{Code::run_exists, "run " + request.id->get() + " exists already",
                   "choose another --id"};
    }
    return *request.id;
  }
  for (int n = 1;; ++n) {
    RunId id(request.from.get() + "-f" + std::to_string(n));
    if (auto valid = check_id(id); !valid) { // of a source with a long id
      return valid.error();
    }
    const auto last = store.last_seq(id);
    if (!last || last->get() == 0) {
      return last ? Result<RunId>(id) : last.error();
    }
  }
}

// Setting what no expression reads would change nothing, and look as if it had.
Result<void> check_variables(const flow::Definition& definition, const Value& vars) {
  std::vector<std::string_view> known;
  for (const auto& [name, value] : definition.vars.as_map()) {
    known.push_back(name.as_string());
  }
  for (const flow::Step& step : definition.steps) {
    if (const auto* set = std::get_if<flow::SetStep>(&step.kind)) {
      for (const auto& assignment : set->assignments) {
        known.push_back(assignment.name);
      }
    }
  }
  for (std::size_t i = 0; vars.is(Kind::map) && i < vars.as_map().size(); ++i) {
    const std::string_view name = vars.as_map()[i].first.as_string();
    if (std::ranges::find(known, name) == known.end()) {
      return Error{Code::resource_value_invalid,
                   "flow " + definition.name + " has no variable \"" + std::string(name) + "\"" +
                       did_you_mean(name, known),
                   listed("variables of this flow", name, known)};
    }
  }
  return {};
}

// One entry of the new run: the machine's answer under its new name is what is recorded. Only the
// newest says what is armed and open; one that was copied from a fork tells of what is past.
Result<Append> append_of(flow::Machine& machine, const RunId& run, std::uint64_t seq,
                         const flow::Event& event, bool newest) {
  auto effects = machine.step(event);
  if (!effects) {
    return effects.error();
  }
  Append append;
  append.entry = Entry{run, Seq(seq), event, flow::digest_of(*effects), machine.state_digest()};
  if (newest) {
    add_rows(append, *effects);
  }
  return append;
}

// What expressions read as `input` after it.
Value input_after(Value before, const flow::Event& event) {
  if (const auto* created = std::get_if<flow::Created>(&event)) {
    return created->input;
  }
  const auto* forked = std::get_if<flow::Forked>(&event);
  return forked != nullptr && forked->input.is(Kind::map) ? flow::merged(before, forked->input)
                                                          : before;
}

Error ended(const ForkRequest& request) {
  return Error{Code::run_state_conflict,
               "run " + request.from.get() + " has ended with entry " +
                   std::to_string(request.at.get()) + ": nothing follows it",
               "name an earlier entry: see `skein run history " + request.from.get() + "`"};
}

// The record is the source's but for what the fork has come to.
Result<RunId> stored(const WriteRun& write, std::vector<Append> appends, RunRecord record,
                     const flow::Machine& machine, Instant now) {
  record.id = machine.run();
  record.created_at = now;
  show(record, machine, now);
  appends.back().record = std::move(record);
  auto committed = write(std::move(appends));
  return committed ? Result<RunId>(machine.run()) : committed.error();
}

} // namespace

Error no_entry(const RunId& run, Seq last, Seq asked) {
  return Error{Code::resource_value_invalid,
               "run " + run.get() + " has entries 1 to " + std::to_string(last.get()) + ", not " +
                   std::to_string(asked.get()),
               "see `skein run history " + run.get() + "`"};
}

Result<RunId> fork(const Store& store, const ForkRequest& request, Instant now,
                   const WriteRun& write) {
  if (auto room = store.admits(); !room) {
    return room.error();
  }
  const auto id = new_id(store, request);
  const auto source = store.find_run(request.from);
  const auto last = store.last_seq(request.from);
  if (!id || !source || !last) {
    return !id ? id.error() : !source ? source.error() : last.error();
  }
  if (!*source) {
    return unknown(request.from);
  }
  if (request.at.get() == 0 || request.at > *last) {
    return no_entry(request.from, *last, request.at);
  }
  auto definition = definition_of(store, (*source)->revision);
  if (!definition) {
    return definition.error();
  }
  if (auto known = check_variables(**definition, request.vars); !known) {
    return known.error();
  }
  flow::Machine machine(*id, *definition);
  std::vector<Append> appends;
  std::optional<Error> failure;
  Value input;
  const auto take = [&](const flow::Event& event, bool newest) {
    input = input_after(std::move(input), event);
    auto append = append_of(machine, *id, appends.size() + 1, event, newest);
    append ? appends.push_back(std::move(*append)) : void(failure = append.error());
    return !failure;
  };
  const auto read = store.read_journal(request.from, Seq(1), [&](const Entry& entry) {
    return entry.seq <= request.at && take(entry.event, false);
  });
  if (!read) {
    return read.error();
  }
  if (!failure && is_final(machine.state())) {
    failure = ended(request);
  }
  if (!failure) {
    take(flow::Forked{now, request.from.get(), request.at.get(), request.vars, request.input},
         true);
    const auto fits =
        request.input.is(Kind::map) ? check_input(**definition, input) : Result<void>();
    failure = fits ? failure : fits.error();
  }
  if (failure) {
    return *failure;
  }
  return stored(write, std::move(appends), **source, machine, now);
}

} // namespace skein::node
