#include <algorithm>

#include "node/api/asked.h"
#include "node/api/service.h"
#include "node/api/shapes.h"

/// What a reader of the store at the other end needs beyond what people ask for.
namespace skein::node {
namespace {

using gateway::Request;
using gateway::Response;

constexpr std::uint64_t kMostTimers = 100'000;

Value number(std::uint64_t count) { return Value::of_uint(count); }

// The record as it is stored and the number of the last entry; none where there is no such run.
Response stored(const Service& service, const Request& request) {
  const RunId run(request.parameter("run"));
  const auto record = service.node.store().find_run(run);
  const auto last = record ? service.node.store().last_seq(run) : record.error();
  if (!last) {
    return gateway::refuse(last.error());
  }
  FrameWriter frames;
  frames.add(*last);
  if (*record) {
    frames.add(**record);
  }
  return answer(std::move(frames));
}

Response loaded(const Service& service, const Request& request) {
  const auto run = service.node.store().load_run(RunId(request.parameter("run")));
  if (!run) {
    return gateway::refuse(run.error());
  }
  FrameWriter frames;
  frames.add(run->record);
  if (run->checkpoint) {
    frames.add(*run->checkpoint);
  }
  for (const Entry& entry : run->tail) {
    frames.add(entry);
  }
  return answer(std::move(frames));
}

Response checkpoints(const Service& service, const Request& request) {
  const auto all = service.node.store().checkpoints(RunId(request.parameter("run")));
  if (!all) {
    return gateway::refuse(all.error());
  }
  FrameWriter frames;
  for (const Checkpoint& checkpoint : *all) {
    frames.add(checkpoint);
  }
  return answer(std::move(frames));
}

Response marks(const Service& service, const Request& request) {
  const auto all = service.node.store().checkpoint_marks(RunId(request.parameter("run")));
  if (!all) {
    return gateway::refuse(all.error());
  }
  std::vector<Value> items;
  for (const CheckpointMark& mark : *all) {
    items.push_back(object({{"entry", number(mark.seq.get())},
                            {"state", to_string(mark.state)},
                            {"low", number(mark.state.low)},
                            {"high", number(mark.state.high)}}));
  }
  return gateway::answer(object({{"items", Value::of_list(std::move(items))}}));
}

Response waits(const Service& service, const Request& request) {
  const auto all = service.node.store().waits_of(RunId(request.parameter("run")));
  if (!all) {
    return gateway::refuse(all.error());
  }
  std::vector<Value> items;
  for (const WaitRow& row : *all) {
    items.push_back(object(
        {{"what", row.what == WaitRow::What::signal ? "signal" : "approval"}, {"name", row.name}}));
  }
  return gateway::answer(object({{"items", Value::of_list(std::move(items))}}));
}

Response event(const Service& service, const Request& request) {
  const auto found =
      service.node.store().find_event(RunId(request.parameter("run")), request.parameter("event"));
  if (!found) {
    return gateway::refuse(found.error());
  }
  return gateway::answer(object({{"entry", *found ? number((*found)->get()) : Value()}}));
}

Response timers(const Service& service, const Request& request) {
  const auto until = number_in(request, "until", 0);
  const auto limit = number_in(request, "limit", 1'000);
  if (!until || !limit) {
    return gateway::refuse(until ? limit.error() : until.error());
  }
  const Store& store = service.node.store();
  const auto due =
      store.due_timers(Instant{static_cast<std::int64_t>(*until)}, std::min(*limit, kMostTimers));
  const auto next = store.next_timer();
  if (!due || !next) {
    return gateway::refuse(due ? next.error() : due.error());
  }
  std::vector<Value> items;
  for (const TimerRow& row : *due) {
    items.push_back(
        object({{"run", row.run.get()}, {"timer", number(row.timer)}, {"due_ms", row.due.ms}}));
  }
  return gateway::answer(object({{"items", Value::of_list(std::move(items))},
                                 {"next_ms", *next ? Value((*next)->ms) : Value()}}));
}

template <class Handle>
auto with(Service& service, Handle handle) {
  return [&service, handle](const Request& request) { return handle(service, request); };
}

} // namespace

void add_stored_routes(gateway::Routes& routes, Service& service) {
  const std::string frames(kFrames);
  routes.add({.path = "/v1/runs/{run}/record",
              .name = "get_record",
              .summary = "The stored record of a run and the number of its last entry",
              .answers = "frames",
              .type = frames,
              .handle = with(service, stored)});
  routes.add({.path = "/v1/runs/{run}/loaded",
              .name = "load_run",
              .summary = "What a run is restored from: record, newest checkpoint, entries after it",
              .answers = "frames",
              .type = frames,
              .handle = with(service, loaded)});
  routes.add({.path = "/v1/runs/{run}/checkpoints",
              .name = "get_checkpoints",
              .summary = "The checkpoints of a run",
              .answers = "frames",
              .type = frames,
              .handle = with(service, checkpoints)});
  routes.add({.path = "/v1/runs/{run}/checkpoint-marks",
              .name = "get_checkpoint_marks",
              .summary = "Which entries there are checkpoints of, with their digests",
              .answers = "`items`",
              .handle = with(service, marks)});
  routes.add({.path = "/v1/runs/{run}/waits",
              .name = "get_waits",
              .summary = "Signals and approvals that would wake a run",
              .answers = "`items`",
              .handle = with(service, waits)});
  routes.add({.path = "/v1/runs/{run}/events/{event}",
              .name = "find_event",
              .summary = "The entry that an event became to which its sender gave this id",
              .answers = "`entry`, or null",
              .handle = with(service, event)});
  routes.add({.path = "/v1/timers",
              .name = "list_timers",
              .summary = "Timers, earliest first",
              .query = {{"until", "due at or before, in milliseconds since 1970", "integer"},
                        {"limit", "at most so many", "integer"}},
              .answers = "`items`, and when the next of all is due",
              .handle = with(service, timers)});
}

} // namespace skein::node
