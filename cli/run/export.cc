#include <CLI/CLI.hpp>

#include "cli/resource/named.h"
#include "cli/run/one_run.h"
#include "core/flow/machine.h"

namespace skein::cli {
namespace {

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
                   {"parent", e.parent}});
  }
  Value operator()(const flow::Forked& e) const {
    return object({{"from", e.from},
                   {"entry", static_cast<std::int64_t>(e.entry)},
                   {"vars", e.vars},
                   {"input", e.input}});
  }
  Value operator()(const flow::Begun& e) const {
    return object({{"step", place(e.place)},
                   {"attempt", static_cast<std::int64_t>(e.attempt)},
                   {"effect_class", name_of(e.effect_class)},
                   {"key", machine.effect_key(e.place)}});
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
};

Value value_of(const Entry& entry, const Fields& fields) {
  return object({{"entry", static_cast<std::int64_t>(entry.seq.get())},
                 {"at", to_string(flow::at_of(entry.event))},
                 {"kind", flow::kind_of(entry.event)},
                 {"fields", std::visit(fields, entry.event)},
                 {"effects", to_string(entry.effects)},
                 {"state", to_string(entry.state)}});
}

int export_run(const Context& context, node::Node& node, const RunId& run) {
  const Store& store = node.store();
  const auto record = record_of(store, run.get());
  const auto shown = record ? to_value(store, *record) : record.error();
  if (!shown) {
    return complain(shown.error());
  }
  const auto resource = store.resource_by_hash(record->revision);
  const auto definition = node::definition_of(store, record->revision);
  if (!resource || !definition) {
    return complain(resource ? definition.error() : resource.error());
  }
  const flow::Machine machine(run, *definition);
  std::vector<Value> entries;
  const auto read = store.read_journal(run, Seq(1), [&](const Entry& entry) {
    entries.push_back(value_of(entry, Fields{machine}));
    return true;
  });
  if (!read) {
    return complain(read.error());
  }
  print_value(context.format == Format::yaml ? Format::yaml : Format::json,
              object({{"run", *shown},
                      {"definition", cli::value_of(*resource)},
                      {"entries", Value::of_list(std::move(entries))}}));
  return kDone;
}

} // namespace

void add_export(CLI::App& run, Chosen& chosen) {
  CLI::App& command = add_on_run(run, chosen, "export",
                                 "The run, its definition and every entry, as JSON", export_run);
  command.footer("Example:\n  skein run export incident-1 > incident-1.json");
}

} // namespace skein::cli
