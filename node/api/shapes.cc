#include "node/api/shapes.h"

#include <algorithm>

#include "core/base/nearest.h"
#include "core/flow/scope_view.h"
#include "core/run/rows.h"
#include "core/value/json.h"
#include "node/node.h"
#include "node/replay.h"

namespace skein::node {
namespace {

using Wait = flow::Machine::Wait;

Value text_or_null(const std::string& text) { return text.empty() ? Value() : Value(text); }

Error unknown_run(const Store& store, const std::string& run) {
  constexpr std::size_t kLooked = 1'000;
  RunFilter filter;
  filter.limit = kLooked;
  const auto records = store.list_runs(filter);
  std::vector<std::string_view> ids;
  for (std::size_t i = 0; records && i < records->size(); ++i) {
    ids.push_back((*records)[i].id.get());
  }
  return Error{Code::run_unknown, "there is no run \"" + run + "\"" + did_you_mean(run, ids),
               "see `skein runs list`"};
}

Value error_of(const RunRecord& record) {
  return record.failure ? object({{"code", record.failure->code},
                                  {"message", record.failure->message},
                                  {"hint", record.failure->hint},
                                  {"step", text_or_null(record.failure->step)}})
                        : Value();
}

Value list_of(const std::vector<std::string>& names) {
  return Value::of_list(std::vector<Value>(names.begin(), names.end()));
}

/// The fields of each kind of entry.
struct Fields {
  const flow::Machine& machine;

  Value place(const flow::Place& place) const { return machine.text_of(place); }
  Value operator()(const flow::Created& e) const {
    return object({{"definition", e.definition},
                   {"revision", to_string(e.revision)},
                   {"rules", static_cast<std::int64_t>(e.rules)},
                   {"seed", std::to_string(e.seed)},
                   {"input", e.input},
                   {"labels", e.labels},
                   {"parent", e.parent},
                   {"depth", static_cast<std::int64_t>(e.depth)}});
  }
  Value operator()(const flow::Forked& e) const {
    return object({{"from", e.from},
                   {"entry", static_cast<std::int64_t>(e.entry)},
                   {"vars", e.vars},
                   {"input", e.input}});
  }
  Value operator()(const flow::Begun& e) const {
    std::vector<MapEntry> fields{{"step", place(e.place)},
                                 {"attempt", static_cast<std::int64_t>(e.attempt)},
                                 {"effect_class", name_of(e.effect_class)},
                                 {"key", machine.effect_key(e.place)}};
    if (!e.child.get().empty()) {
      fields.emplace_back("child", e.child.get());
      fields.emplace_back("revision", to_string(e.revision));
    }
    return Value::of_map(std::move(fields));
  }
  Value operator()(const flow::Succeeded& e) const {
    return object({{"step", place(e.place)},
                   {"attempt", static_cast<std::int64_t>(e.attempt)},
                   {"output", e.output}});
  }
  Value operator()(const flow::Failed& e) const {
    return object({{"step", place(e.place)},
                   {"attempt", static_cast<std::int64_t>(e.attempt)},
                   {"code", e.failure.code},
                   {"message", e.failure.message},
                   {"hint", e.failure.hint},
                   {"retryable", e.failure.retryable}});
  }
  Value operator()(const flow::FoundInDoubt& e) const {
    return object({{"step", place(e.place)}, {"attempt", static_cast<std::int64_t>(e.attempt)}});
  }
  Value operator()(const flow::Expired& e) const {
    return object({{"timer", static_cast<std::int64_t>(e.timer)}});
  }
  Value operator()(const flow::Signalled& e) const {
    return object({{"id", e.id}, {"name", e.name}, {"payload", e.payload}});
  }
  Value operator()(const flow::Answered& e) const {
    return object(
        {{"step", place(e.place)}, {"approved", e.approved}, {"by", e.by}, {"comment", e.comment}});
  }
  Value operator()(const flow::CancelAsked& e) const {
    return object({{"by", e.by}, {"reason", e.reason}});
  }
  Value operator()(const flow::PauseAsked& e) const {
    return object({{"by", e.by}, {"reason", e.reason}});
  }
  Value operator()(const flow::ResumeAsked& e) const { return object({{"by", e.by}}); }
  Value operator()(const flow::Settled& e) const {
    const char* how = e.how == flow::Settled::How::retry     ? "retry"
                      : e.how == flow::Settled::How::succeed ? "succeed"
                                                             : "fail";
    return object({{"step", place(e.place)}, {"how", how}, {"output", e.output}, {"by", e.by}});
  }
  Value operator()(const flow::Proceeded&) const { return Value::of_map({}); }
  Value operator()(const flow::ChildEnded& e) const {
    return object({{"child", e.child.get()},
                   {"output", e.output},
                   {"error", e.failure ? flow::to_value(*e.failure) : Value()}});
  }
};

// "Flow" in a sentence.
std::string lower(std::string kind) {
  for (char& c : kind) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return kind;
}

} // namespace

std::vector<Wait> waits_of(const Store& store, const RunRecord& record) {
  const auto machine = is_final(record.state)
                           ? Result<flow::Machine>(Error{Code::run_state_conflict, ""})
                           : machine_at(store, record.id);
  auto waits = machine ? machine->waits() : std::vector<Wait>();
  std::stable_partition(waits.begin(), waits.end(),
                        [&](const Wait& wait) { return wait.what == record.waiting_for; });
  return waits;
}

Value to_value(const Wait& wait) {
  std::vector<MapEntry> fields{{"for", wait.what},
                               {"step", wait.step},
                               {"until", wait.until ? Value(to_string(*wait.until)) : Value()},
                               {"then", wait.then.empty() ? Value() : Value(wait.then)}};
  if (wait.required > 0) {
    fields.emplace_back("message", wait.message);
    fields.emplace_back("approvers", list_of(wait.approvers));
    fields.emplace_back("approved_by", list_of(wait.approved_by));
    fields.emplace_back("required", static_cast<std::int64_t>(wait.required));
  }
  return Value::of_map(std::move(fields));
}

Value to_value(const Entry& entry, const flow::Machine& machine) {
  return object({{"entry", static_cast<std::int64_t>(entry.seq.get())},
                 {"at", to_string(flow::at_of(entry.event))},
                 {"kind", flow::kind_of(entry.event)},
                 {"fields", std::visit(Fields{machine}, entry.event)},
                 {"effects", to_string(entry.effects)},
                 {"state", to_string(entry.state)}});
}

Value to_value(const ResourceRow& row) {
  const auto content = parse_json(row.content);
  return object({{"name", row.name},
                 {"revision", static_cast<std::int64_t>(row.revision)},
                 {"hash", to_string(row.hash)},
                 {"applied_at", to_string(row.applied_at)},
                 {"resource", content ? *content : Value()}});
}

Result<ResourceRow> resource_of(const Store& store, const std::string& kind,
                                const std::string& name, std::optional<std::uint64_t> revision) {
  auto row = store.resource(kind, name, revision);
  if (row || row.error().code != Code::resource_unknown) {
    return row;
  }
  const auto known = store.list_resources(kind);
  std::vector<std::string_view> names;
  for (std::size_t i = 0; known && i < known->size(); ++i) {
    names.push_back((*known)[i].name);
  }
  if (revision && std::find(names.begin(), names.end(), name) != names.end()) {
    return Error{Code::resource_unknown,
                 lower(kind) + " " + name + " has no revision " + std::to_string(*revision),
                 "see `skein flow history " + name + "`"};
  }
  return Error{Code::resource_unknown,
               "there is no " + lower(kind) + " \"" + name + "\"" + did_you_mean(name, names),
               "see `skein get " + lower(kind) + "`"};
}

Result<Value> to_value(const Store& store, const RunRecord& record) {
  Value input;
  const auto read = store.read_journal(record.id, Seq(1), [&](const Entry& entry) {
    if (const auto* created = std::get_if<flow::Created>(&entry.event)) {
      input = created->input;
    }
    return false;
  });
  const auto last = store.last_seq(record.id);
  if (!read || !last) {
    return read ? last.error() : read.error();
  }
  std::vector<Value> waits;
  for (const auto& wait : waits_of(store, record)) {
    waits.push_back(to_value(wait));
  }
  return object({{"id", record.id.get()},
                 {"kind", record.kind},
                 {"definition", record.definition},
                 {"revision", to_string(record.revision)},
                 {"state", name_of(record.state)},
                 {"reason", text_or_null(record.reason)},
                 {"waiting_for", text_or_null(record.waiting_for)},
                 {"waits", Value::of_list(std::move(waits))},
                 {"input", input},
                 {"output", record.output},
                 {"error", error_of(record)},
                 {"parent", text_or_null(record.parent)},
                 {"labels", record.labels.is_null() ? Value::of_map({}) : record.labels},
                 {"created_at", to_string(record.created_at)},
                 {"updated_at", to_string(record.updated_at)},
                 {"entries", static_cast<std::int64_t>(last->get())},
                 {"usage", object({{"input_tokens", 0},
                                   {"output_tokens", 0},
                                   {"cost", 0.0},
                                   {"steps", static_cast<std::int64_t>(record.steps)}})}});
}

Result<RunRecord> caught_up(const Store& store, RunRecord record) {
  if (is_final(record.state)) {
    return record;
  }
  Instant at = record.updated_at;
  const auto last = store.last_seq(record.id);
  const auto read = last ? store.read_journal(record.id, *last,
                                              [&](const Entry& entry) {
                                                at = flow::at_of(entry.event);
                                                return false;
                                              })
                         : last.error();
  const auto machine = read ? machine_at(store, record.id) : read.error();
  if (!machine) {
    return machine.error();
  }
  show(record, *machine, at);
  return record;
}

Result<RunRecord> record_of(const Store& store, const std::string& run) {
  auto record = store.find_run(RunId(run));
  if (!record) {
    return record.error();
  }
  return *record ? Result<RunRecord>(std::move(**record))
                 : Result<RunRecord>(unknown_run(store, run));
}

Result<Value> export_of(const Store& store, const RunRecord& record) {
  const auto shown = to_value(store, record);
  const auto resource = store.resource_by_hash(record.revision);
  const auto definition = definition_of(store, record.revision);
  if (!shown || !resource || !definition) {
    return !shown ? shown.error() : resource ? definition.error() : resource.error();
  }
  const flow::Machine machine(record.id, *definition);
  std::vector<Value> entries;
  const auto read = store.read_journal(record.id, Seq(1), [&](const Entry& entry) {
    entries.push_back(to_value(entry, machine));
    return true;
  });
  if (!read) {
    return read.error();
  }
  return object({{"run", *shown},
                 {"definition", to_value(*resource)},
                 {"entries", Value::of_list(std::move(entries))}});
}

} // namespace skein::node
