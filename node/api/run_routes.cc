#include <algorithm>

#include "core/value/json.h"
#include "node/api/asked.h"
#include "node/api/documents.h"
#include "node/api/service.h"
#include "node/api/shapes.h"

namespace skein::node {
namespace {

using gateway::Method;
using gateway::Request;
using gateway::Response;

constexpr std::uint64_t kMostRuns = 1'000;
constexpr std::uint64_t kMostEntries = 10'000;
constexpr std::size_t kPageBytes = 4u << 20;

Result<RunFilter> filter_of(const Request& request) {
  RunFilter filter;
  const auto state = request.asked("state");
  const auto limit = number_in(request, "limit", 100);
  if (!limit) {
    return limit.error();
  }
  if (state && !(filter.state = parse_run_state(*state))) {
    return Error{Code::request_invalid, "there is no state \"" + *state + "\"",
                 "states are pending, running, waiting, paused, succeeded, failed, cancelled"};
  }
  filter.definition = request.asked("flow").value_or("");
  filter.after = RunId(request.asked("after").value_or(""));
  filter.limit = std::clamp<std::uint64_t>(*limit, 1, kMostRuns);
  for (const auto& [name, value] : request.query) {
    const auto equals = value.find('=');
    if (name == "label" && equals == std::string::npos) {
      return Error{Code::request_invalid, "the label \"" + value + "\" is not NAME=VALUE"};
    }
    if (name == "label") {
      filter.labels.emplace_back(value.substr(0, equals), value.substr(equals + 1));
    }
  }
  return filter;
}

Response list(const Service& service, const Request& request) {
  const auto filter = filter_of(request);
  const auto records = filter ? service.node.store().list_runs(*filter) : filter.error();
  if (!records) {
    return gateway::refuse(records.error());
  }
  FrameWriter frames;
  std::vector<Value> items;
  std::size_t count = 0;
  std::size_t weight = 0; // of the texts of a page, roughly
  for (const RunRecord& record : *records) {
    if (frames.size() + weight > kPageBytes) {
      break;
    }
    ++count;
    if (wants_frames(request)) {
      frames.add(record);
      continue;
    }
    weight += 16u * record.output.weight();
    auto value = to_value(service.node.store(), record);
    if (!value) {
      return gateway::refuse(value.error());
    }
    items.push_back(std::move(*value));
  }
  const bool more = count < records->size() || count == filter->limit;
  if (wants_frames(request)) {
    frames.add(Seq(more ? 1 : 0));
    return answer(std::move(frames));
  }
  return gateway::answer(
      object({{"items", Value::of_list(std::move(items))},
              {"next", more ? Value((*records)[count - 1].id.get()) : Value()}}));
}

Response shown(const Service& service, const RunId& run, unsigned status = 200) {
  const Store& store = service.node.store();
  const auto record = record_of(store, run.get());
  const auto now = record ? caught_up(store, *record) : record;
  const auto value = now ? to_value(store, *now) : now.error();
  return value ? gateway::answer(*value, status) : gateway::refuse(value.error());
}

Result<flow::DefinitionPtr> definition_in(const Service& service, const Value& fields) {
  const auto flow = text_of(fields, "flow");
  const auto revision = text_of(fields, "revision");
  const Value document = value_of(fields, "definition");
  if (!flow || !revision) {
    return flow ? revision.error() : flow.error();
  }
  if ((flow->empty() ? 0 : 1) + (revision->empty() ? 0 : 1) + (document.is_null() ? 0 : 1) != 1) {
    return Error{Code::request_invalid,
                 "say what to run with one of \"flow\", \"revision\" and \"definition\""};
  }
  const Store& store = service.node.store();
  if (!flow->empty()) {
    const auto row = resource_of(store, "Flow", *flow);
    return row ? definition_of(store, row->hash) : row.error();
  }
  if (!revision->empty()) {
    const auto hash = parse_content_hash(*revision);
    return hash ? definition_of(store, *hash)
                : Error{Code::request_invalid, "\"revision\" is no hash: sha256:…"};
  }
  const auto applied = apply_documents(service, to_json(document), false);
  return applied ? definition_of(store, applied->front().after.hash) : applied.error();
}

Response start(Service& service, const Request& request) {
  const auto fields =
      fields_of(request, {"flow", "revision", "definition", "input", "labels", "id", "seed"});
  if (!fields) {
    return gateway::refuse(fields.error());
  }
  const auto id = text_of(*fields, "id");
  const auto seed = number_of(*fields, "seed");
  if (!id || !seed) {
    return gateway::refuse(id ? seed.error() : id.error());
  }
  if (service.phase == Phase::draining) {
    return gateway::refuse(Error{Code::interrupted, "the node is stopping and starts no more runs",
                                 "ask again once it has started anew, or ask another node"});
  }
  const auto definition = definition_in(service, *fields);
  if (!definition) {
    return gateway::refuse(definition.error());
  }
  const Value input = value_of(*fields, "input");
  StartRequest wanted{*definition,
                      input.is_null() ? Value::of_map({}) : input,
                      value_of(*fields, "labels"),
                      {},
                      *seed};
  if (!id->empty()) {
    wanted.id = RunId(*id);
  }
  const auto run = service.node.start(wanted);
  if (!run) {
    return gateway::refuse(run.error());
  }
  Response response = shown(service, *run, 201);
  response.headers.emplace_back("Location", "/v1/runs/" + gateway::percent_encoded(run->get()));
  return response;
}

// A page ends with whole entries, once it is large.
Response history(const Service& service, const Request& request) {
  const Store& store = service.node.store();
  const auto record = record_of(store, request.parameter("run"));
  const auto from = number_in(request, "from", 1);
  const auto limit = number_in(request, "limit", kMostEntries);
  if (!record || !from || !limit) {
    return gateway::refuse(!record ? record.error() : !from ? from.error() : limit.error());
  }
  const auto definition = definition_of(store, record->revision);
  if (!definition && !wants_frames(request)) {
    return gateway::refuse(definition.error());
  }
  FrameWriter frames;
  std::string items;
  std::uint64_t count = 0;
  std::uint64_t next = 0;
  const auto machine =
      definition ? std::optional(flow::Machine(record->id, *definition)) : std::nullopt;
  const auto read = store.read_journal(
      record->id, Seq(std::max<std::uint64_t>(*from, 1)), [&](const Entry& entry) {
        if (count == *limit || frames.size() + items.size() > kPageBytes) {
          next = entry.seq.get();
          return false;
        }
        ++count;
        if (wants_frames(request)) {
          frames.add(entry);
        } else {
          items += (items.empty() ? "" : ",") + to_json(to_value(entry, *machine));
        }
        return true;
      });
  if (!read) {
    return gateway::refuse(read.error());
  }
  if (wants_frames(request)) {
    frames.add(Seq(next));
    return answer(std::move(frames));
  }
  Response response;
  response.body = "{\"items\":[" + items +
                  "],\"next\":" + (next > 0 ? std::to_string(next) : std::string("null")) + "}\n";
  return response;
}

Response exported(const Service& service, const Request& request) {
  const auto record = record_of(service.node.store(), request.parameter("run"));
  const auto value = record ? export_of(service.node.store(), *record) : record.error();
  return value ? gateway::answer(*value) : gateway::refuse(value.error());
}

Response events(std::function<void(Watches::Stream)> begin) {
  Response response;
  response.type = "text/event-stream";
  response.events = std::move(begin);
  return response;
}

// From the entry after the one that a client had last; from now on where it says nothing.
Response watch(Service& service, const Request& request) {
  const auto record = record_of(service.node.store(), request.parameter("run"));
  const auto last = record ? service.node.store().last_seq(record->id) : record.error();
  const auto from = number_in(request, "from", 0);
  const auto bare = flag_in(request, "bare");
  if (!last || !from || !bare) {
    return gateway::refuse(!last ? last.error() : !from ? from.error() : bare.error());
  }
  std::uint64_t next = *from > 0 ? *from : last->get() + 1;
  if (const std::string_view had = request.header("last-event-id"); !had.empty()) {
    const auto number =
        number_of(object({{"id", parse_json(had) ? *parse_json(had) : Value("")}}), "id");
    if (!number || !*number) {
      return gateway::refuse(
          Error{Code::request_invalid, "the Last-Event-ID is no number of an entry"});
    }
    next = **number + 1;
  }
  return events([&service, record = *record, next, bare = *bare](Watches::Stream stream) {
    service.watches.entries(record, Seq(next), bare, std::move(stream));
  });
}

Response logs(Service& service, const Request& request) {
  const auto run = request.asked("run");
  return events([&service, run](Watches::Stream stream) {
    service.watches.logs(run ? std::optional(RunId(*run)) : std::nullopt, std::move(stream));
  });
}

Response wait(Service& service, const Request& request) {
  const auto record = record_of(service.node.store(), request.parameter("run"));
  const auto stop = flag_in(request, "stop_when_waiting");
  if (!record || !stop) {
    return gateway::refuse(record ? stop.error() : record.error());
  }
  return events([&service, run = record->id, stop = *stop](Watches::Stream stream) {
    service.watches.end(run, stop, std::move(stream));
  });
}

constexpr const char* kStartBody =
    R"({"type": "object", "additionalProperties": false, "properties": {
  "flow": {"type": "string", "description": "name of an applied flow"},
  "revision": {"type": "string", "description": "hash of a revision, instead of the name"},
  "definition": {"type": "object", "description": "a flow to apply first, instead of the name"},
  "input": {"description": "what the run is given"},
  "labels": {"type": "object", "additionalProperties": {"type": "string"}},
  "id": {"type": "string", "description": "starting it again is the same run"},
  "seed": {"type": "integer", "description": "of the run's random numbers"}}})";

void add_lists(gateway::Routes& routes, Service& service) {
  routes.add({.path = "/v1/runs",
              .name = "list_runs",
              .summary = "Runs, newest first",
              .query = {{"state", "in this state"},
                        {"flow", "of this flow"},
                        {"label", "NAME=VALUE; as often as needed, all must match"},
                        {"limit", "at most so many; 100, up to 1000", "integer"},
                        {"after", "go on after this run: the `next` of the page before"}},
              .answers = "`items`, and the `next` page's `after` or null",
              .handle = [&service](const Request& request) { return list(service, request); }});
  routes.add({.method = Method::post,
              .path = "/v1/runs",
              .name = "start_run",
              .summary = "Start a run; it is durable when this answers",
              .body = kStartBody,
              .answers = "the run, with status 201",
              .handle = [&service](const Request& request) { return start(service, request); }});
}

void add_streams(gateway::Routes& routes, Service& service) {
  routes.add({.path = "/v1/runs/{run}/watch",
              .name = "watch_run",
              .summary = "Entries as they become durable, as server-sent events; their ids are "
                         "numbers of entries, and Last-Event-ID goes on after one",
              .query = {{"from", "the first entry; from now on where absent", "integer"},
                        {"bare", "only number, time and kind of each", "boolean"}},
              .answers = "events `open`, then `entry` for each",
              .type = "text/event-stream",
              .handle = [&service](const Request& request) { return watch(service, request); }});
  routes.add({.path = "/v1/logs",
              .name = "watch_logs",
              .summary = "Lines that steps log while they run, as server-sent events",
              .query = {{"run", "only of this run"}},
              .answers = "events `open`, then `log` for each",
              .type = "text/event-stream",
              .handle = [&service](const Request& request) { return logs(service, request); }});
  routes.add(
      {.path = "/v1/runs/{run}/wait",
       .name = "wait_for_run",
       .summary = "One server-sent event once the run has ended or is paused",
       .query = {{"stop_when_waiting", "also once it waits for a person or a signal", "boolean"}},
       .answers = "event `settled`",
       .type = "text/event-stream",
       .handle = [&service](const Request& request) { return wait(service, request); }});
}

} // namespace

void add_run_routes(gateway::Routes& routes, Service& service) {
  add_lists(routes, service);
  add_streams(routes, service);
  routes.add({.path = "/v1/runs/{run}",
              .name = "get_run",
              .summary = "One run",
              .answers = "the run",
              .handle = [&service](const Request& request) {
                return shown(service, RunId(request.parameter("run")));
              }});
  routes.add({.path = "/v1/runs/{run}/history",
              .name = "get_history",
              .summary = "Its journal",
              .query = {{"from", "the first entry; 1 where absent", "integer"},
                        {"limit", "at most so many", "integer"}},
              .answers = "`items`, and the `from` of the `next` page or null",
              .handle = [&service](const Request& request) { return history(service, request); }});
  routes.add({.path = "/v1/runs/{run}/export",
              .name = "export_run",
              .summary = "The run, its definition and every entry",
              .answers = "`run`, `definition` and `entries`",
              .handle = [&service](const Request& request) { return exported(service, request); }});
}

} // namespace skein::node
