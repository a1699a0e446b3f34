#include "node/remote/remote_store.h"

#include <algorithm>
#include <utility>

#include "gateway/target.h"
#include "node/api/frames.h"

namespace skein::node {
namespace {

constexpr std::size_t kPage = 1'000;

std::string coded(std::string_view text) { return gateway::percent_encoded(text); }

std::string of_run(const RunId& run, const char* what) {
  return "/v1/runs/" + coded(run.get()) + "/" + what;
}

Error only_there(const char* what) {
  return Error{Code::usage_invalid,
               std::string(what) + " is done by the node that has the data directory open",
               "stop the node first"};
}

Call framed(std::string path) { return Call{"GET", std::move(path), "", true}; }

std::uint64_t number_at(const Value& fields, std::string_view name) {
  const Value* field = fields.find(name);
  return field == nullptr            ? 0
         : field->is(Kind::uinteger) ? field->as_uint()
         : field->is(Kind::integer)  ? static_cast<std::uint64_t>(field->as_int())
                                     : 0;
}

std::string text_at(const Value& fields, std::string_view name) {
  const Value* field = fields.find(name);
  return field != nullptr && field->is(Kind::string) ? std::string(field->as_string()) : "";
}

std::span<const Value> items_of(const Value& answer) {
  const Value* items = answer.find("items");
  return items != nullptr && items->is(Kind::list) ? items->as_list() : std::span<const Value>();
}

Error strange() { return Error{Code::wire_invalid, "the node left a part out"}; }

std::string query_of(const RunFilter& filter, const RunId& after, std::size_t limit) {
  std::string query = "?limit=" + std::to_string(limit);
  if (filter.state) {
    query += "&state=" + std::string(name_of(*filter.state));
  }
  if (!filter.definition.empty()) {
    query += "&flow=" + coded(filter.definition);
  }
  for (const auto& [name, value] : filter.labels) {
    query += "&label=" + coded(name + "=" + value);
  }
  return after.get().empty() ? query : query + "&after=" + coded(after.get());
}

} // namespace

Result<void> RemoteStore::commit(std::span<const Batch>) { return only_there("committing"); }

Result<RemoteStore::Stored> RemoteStore::stored(const RunId& run) const {
  if (!gateway::parse_target("/" + coded(run.get()))) {
    return Stored(); // what no path can name is no run either
  }
  const auto bytes = link_.send(framed(of_run(run, "record")));
  if (!bytes) {
    return bytes.error();
  }
  Stored found;
  auto read = read_frames(*bytes, [&](Framed&& part) {
    if (const Seq* last = std::get_if<Seq>(&part)) {
      found.last = *last;
    } else if (auto* record = std::get_if<RunRecord>(&part)) {
      found.record = std::move(*record);
    }
    return true;
  });
  return read ? Result<Stored>(std::move(found)) : read.error();
}

Result<std::optional<RunRecord>> RemoteStore::find_run(const RunId& run) const {
  auto found = stored(run);
  return found ? Result<std::optional<RunRecord>>(std::move(found->record)) : found.error();
}

Result<Seq> RemoteStore::last_seq(const RunId& run) const {
  const auto found = stored(run);
  return found ? Result<Seq>(found->last) : found.error();
}

Result<LoadedRun> RemoteStore::load_run(const RunId& run) const {
  const auto bytes = link_.send(framed(of_run(run, "loaded")));
  if (!bytes) {
    return bytes.error();
  }
  LoadedRun loaded;
  bool any = false;
  auto read = read_frames(*bytes, [&](Framed&& part) {
    if (auto* record = std::get_if<RunRecord>(&part)) {
      loaded.record = std::move(*record);
      any = true;
    } else if (auto* checkpoint = std::get_if<Checkpoint>(&part)) {
      loaded.checkpoint = std::move(*checkpoint);
    } else if (auto* entry = std::get_if<Entry>(&part)) {
      loaded.tail.push_back(std::move(*entry));
    }
    return true;
  });
  if (!read || !any) {
    return read ? strange() : read.error();
  }
  return loaded;
}

Result<void> RemoteStore::read_journal(const RunId& run, Seq from,
                                       const EntryVisitor& visit) const {
  std::uint64_t next = std::max<std::uint64_t>(from.get(), 1);
  while (next > 0) {
    const auto bytes = link_.send(framed(of_run(run, "history") + "?from=" + std::to_string(next)));
    if (!bytes) {
      return bytes.error().code == Code::run_unknown ? Result<void>() : bytes.error();
    }
    const std::uint64_t asked = std::exchange(next, 0);
    bool stopped = false;
    auto read = read_frames(*bytes, [&](Framed&& part) {
      if (auto* entry = std::get_if<Entry>(&part)) {
        stopped = !visit(std::move(*entry));
      } else if (const Seq* page = std::get_if<Seq>(&part)) {
        next = page->get();
      }
      return !stopped;
    });
    if (!read || stopped) {
      return read;
    }
    if (next > 0 && next <= asked) {
      return strange();
    }
  }
  return {};
}

Result<std::vector<Checkpoint>> RemoteStore::checkpoints(const RunId& run) const {
  const auto bytes = link_.send(framed(of_run(run, "checkpoints")));
  return bytes ? all_of<Checkpoint>(*bytes) : bytes.error();
}

Result<std::vector<CheckpointMark>> RemoteStore::checkpoint_marks(const RunId& run) const {
  const auto answer = link_.ask({"GET", of_run(run, "checkpoint-marks")});
  if (!answer) {
    return answer.error();
  }
  std::vector<CheckpointMark> marks;
  for (const Value& item : items_of(*answer)) {
    marks.push_back(
        {Seq(number_at(item, "entry")), Digest{number_at(item, "low"), number_at(item, "high")}});
  }
  return marks;
}

Result<std::vector<RunRecord>> RemoteStore::list_runs(const RunFilter& filter) const {
  std::vector<RunRecord> all;
  for (bool more = true; more && all.size() < filter.limit;) {
    const std::size_t wanted = std::min(kPage, filter.limit - all.size());
    const RunId& after = all.empty() ? filter.after : all.back().id;
    const auto bytes = link_.send(framed("/v1/runs" + query_of(filter, after, wanted)));
    if (!bytes) {
      return bytes.error();
    }
    more = false;
    const std::size_t before = all.size();
    auto read = read_frames(*bytes, [&](Framed&& part) {
      if (auto* record = std::get_if<RunRecord>(&part)) {
        all.push_back(std::move(*record));
      } else if (const Seq* rest = std::get_if<Seq>(&part)) {
        more = rest->get() > 0;
      }
      return true;
    });
    if (!read) {
      return read.error();
    }
    more = more && all.size() > before;
  }
  return all;
}

Result<void> RemoteStore::live_runs(PartitionId partition,
                                    const std::function<bool(const RunId&)>& visit) const {
  for (const RunState state : {RunState::pending, RunState::running}) {
    RunFilter filter;
    filter.state = state;
    filter.limit = SIZE_MAX;
    const auto records = list_runs(filter);
    if (!records) {
      return records.error();
    }
    for (const RunRecord& record : *records) {
      if (partition_of(record.id) == partition && !visit(record.id)) {
        return {};
      }
    }
  }
  return {};
}

Result<PartitionTail> RemoteStore::tail_of(PartitionId) const {
  return only_there("looking at the tail of a partition");
}

Result<StreamPosition> RemoteStore::stream_position() const {
  return only_there("looking at how far a log was read");
}

Result<std::vector<TimerRow>> RemoteStore::due_timers(Instant until, std::size_t limit,
                                                      const PartitionSet&) const {
  const auto answer = link_.ask(
      {"GET", "/v1/timers?until=" + std::to_string(until.ms) + "&limit=" + std::to_string(limit)});
  if (!answer) {
    return answer.error();
  }
  std::vector<TimerRow> rows;
  for (const Value& item : items_of(*answer)) {
    rows.push_back({RunId(text_at(item, "run")), number_at(item, "timer"),
                    Instant{static_cast<std::int64_t>(number_at(item, "due_ms"))}});
  }
  return rows;
}

Result<std::optional<Instant>> RemoteStore::next_timer(const PartitionSet&) const {
  const auto answer = link_.ask({"GET", "/v1/timers?limit=0"});
  if (!answer) {
    return answer.error();
  }
  const Value* next = answer->find("next_ms");
  return next != nullptr && next->is(Kind::integer) ? std::optional(Instant{next->as_int()})
                                                    : std::nullopt;
}

Result<std::vector<WaitRow>> RemoteStore::waits_of(const RunId& run) const {
  const auto answer = link_.ask({"GET", of_run(run, "waits")});
  if (!answer) {
    return answer.error();
  }
  std::vector<WaitRow> rows;
  for (const Value& item : items_of(*answer)) {
    rows.push_back(
        {run, text_at(item, "what") == "signal" ? WaitRow::What::signal : WaitRow::What::approval,
         text_at(item, "name")});
  }
  return rows;
}

Result<std::optional<Seq>> RemoteStore::find_event(const RunId& run, std::string_view id) const {
  const auto answer = link_.ask({"GET", of_run(run, "events/") + coded(id)});
  if (!answer) {
    return answer.error();
  }
  const std::uint64_t entry = number_at(*answer, "entry");
  return entry > 0 ? std::optional(Seq(entry)) : std::nullopt;
}

Result<std::vector<OutboxItem>> RemoteStore::outbox(std::size_t, const PartitionSet&) const {
  return only_there("sending what runs emit");
}

Result<void> RemoteStore::outbox_delivered(std::span<const OutboxItem>) {
  return only_there("sending what runs emit");
}

Result<std::vector<ResourceRow>> RemoteStore::rows(const Call& call) const {
  const auto bytes = link_.send(call);
  return bytes ? all_of<ResourceRow>(*bytes) : bytes.error();
}

Result<ResourceRow> RemoteStore::row(const Call& call) const {
  auto found = rows(call);
  if (!found || found->size() != 1) {
    return found ? strange() : found.error();
  }
  return std::move(found->front());
}

Result<ResourceRow> RemoteStore::apply_resource(std::string_view, std::string_view,
                                                std::string_view content, Instant) {
  return row({"POST", "/v1/resources?lenient=true", std::string(content), true});
}

Result<ResourceRow> RemoteStore::delete_resource(std::string_view kind, std::string_view name,
                                                 Instant) {
  return row({"DELETE", "/v1/resources/" + coded(kind) + "/" + coded(name), "", true});
}

Result<ResourceRow> RemoteStore::resource(std::string_view kind, std::string_view name,
                                          std::optional<std::uint64_t> revision) const {
  return row(framed("/v1/resources/" + coded(kind) + "/" + coded(name) +
                    (revision ? "?revision=" + std::to_string(*revision) : "")));
}

Result<ResourceRow> RemoteStore::resource_by_hash(const ContentHash& hash) const {
  return row(framed("/v1/definitions/" + coded(to_string(hash))));
}

Result<std::vector<ResourceRow>> RemoteStore::list_resources(std::string_view kind) const {
  return rows(framed("/v1/resources/" + coded(kind)));
}

Result<std::vector<ResourceRow>> RemoteStore::resource_history(std::string_view kind,
                                                               std::string_view name) const {
  return rows(framed("/v1/resources/" + coded(kind) + "/" + coded(name) + "/revisions"));
}

} // namespace skein::node
