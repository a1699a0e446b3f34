// journal_dump DATA: everything that a data directory says about its runs, one JSON object a line,
// for programs that check it. The directory must not be in use.
//
//   {"run", "state", …, "entries": […], "timers": […], "waits": […], "steps": […], "replay": {…}}
//   {"outbox": […]}
//   {"doctor": {…}}
//   {"log": {"position": …, "tails": [{"partition", "epoch", "last", "hash"}, …]}}
#include <cstdio>

#include "core/value/json.h"
#include "node/node.h"
#include "node/refold.h"
#include "node/replay.h"
#include "storage/rocks_store.h"

namespace skein::test {
namespace {

std::int64_t number(std::uint64_t n) { return static_cast<std::int64_t>(n); }

// What an entry says beyond its kind.
struct Tell {
  const flow::Machine& machine;
  Value about(const flow::Place& place, std::uint32_t attempt, Value more) const {
    return object({{"step", machine.text_of(place)},
                   {"key", machine.effect_key(place)},
                   {"attempt", number(attempt)},
                   {"more", std::move(more)}});
  }
  Value operator()(const flow::Created& e) const { return object({{"input", e.input}}); }
  Value operator()(const flow::Forked& e) const { return object({{"from", e.from}}); }
  Value operator()(const flow::Begun& e) const {
    return about(e.place, e.attempt,
                 e.child.get().empty() ? Value(name_of(e.effect_class))
                                       : object({{"child", e.child.get()}}));
  }
  Value operator()(const flow::Succeeded& e) const { return about(e.place, e.attempt, e.output); }
  Value operator()(const flow::Failed& e) const {
    return about(e.place, e.attempt, e.failure.code);
  }
  Value operator()(const flow::FoundInDoubt& e) const { return about(e.place, e.attempt, Value()); }
  Value operator()(const flow::Expired& e) const { return object({{"timer", number(e.timer)}}); }
  Value operator()(const flow::Signalled& e) const {
    return object({{"id", e.id}, {"name", e.name}});
  }
  Value operator()(const flow::Answered& e) const {
    return about(e.place, 0, object({{"by", e.by}, {"approved", e.approved}}));
  }
  Value operator()(const flow::Settled& e) const {
    const auto how = e.how == flow::Settled::How::retry     ? "retry"
                     : e.how == flow::Settled::How::succeed ? "succeed"
                                                            : "fail";
    return about(e.place, 0, how);
  }
  Value operator()(const flow::CancelAsked&) const { return {}; }
  Value operator()(const flow::PauseAsked&) const { return {}; }
  Value operator()(const flow::ResumeAsked&) const { return {}; }
  Value operator()(const flow::Proceeded&) const { return {}; }
  Value operator()(const flow::ChildEnded& e) const {
    return object({{"child", e.child.get()}, {"failed", e.failure.has_value()}});
  }
};

class Dump {
 public:
  explicit Dump(storage::RocksStore& store) : store_(store) {}

  Result<void> print() {
    RunFilter filter;
    filter.limit = 1'000'000;
    const auto records = store_.list_runs(filter);
    const auto timers = store_.due_timers(Instant{INT64_MAX}, 1'000'000);
    if (!records || !timers) {
      return records ? timers.error() : records.error();
    }
    timers_ = *timers;
    for (const RunRecord& record : *records) {
      if (auto told = print(record); !told) {
        return told;
      }
    }
    return print_rest();
  }

 private:
  static void line(const Value& value) { std::puts(to_json(value).c_str()); }

  Result<void> print(const RunRecord& record) {
    const auto machine = node::machine_at(store_, record.id);
    const auto report = node::replay(store_, record.id);
    const auto waits = store_.waits_of(record.id);
    if (!machine || !report || !waits) {
      const Error& error = !machine ? machine.error() : !report ? report.error() : waits.error();
      line(object({{"run", record.id.get()}, {"broken", to_string(error)}}));
      return {};
    }
    std::vector<Value> entries;
    const auto read = store_.read_journal(record.id, Seq(1), [&](const Entry& entry) {
      entries.push_back(told(entry, *machine));
      return true;
    });
    if (!read) {
      return read;
    }
    line(object({{"run", record.id.get()},
                 {"definition", record.definition},
                 {"parent", record.parent},
                 {"state", name_of(record.state)},
                 {"reason", record.reason},
                 {"waiting_for", record.waiting_for},
                 {"output", record.output},
                 {"machine_state", name_of(machine->state())},
                 {"machine_output", machine->output()},
                 {"entries", Value::of_list(std::move(entries))},
                 {"steps", steps(*machine)},
                 {"outstanding", number(machine->outstanding().size())},
                 {"at_rest", machine->at_rest()},
                 {"timers", timers_of(record.id)},
                 {"waits", told(*waits)},
                 {"replay", told(*report)}}));
    return {};
  }

  static Value told(const node::ReplayReport& report) {
    Value difference;
    if (report.difference) {
      difference = object(
          {{"entry", number(report.difference->seq.get())}, {"what", report.difference->what}});
    }
    return object({{"entries", number(report.entries)},
                   {"state", name_of(report.state)},
                   {"digest", to_string(report.digest)},
                   {"difference", difference}});
  }

  static Value told(const std::vector<WaitRow>& waits) {
    std::vector<Value> rows;
    for (const WaitRow& row : waits) {
      const char* what = row.what == WaitRow::What::signal ? "signal" : "approval";
      rows.push_back(object({{"what", what}, {"name", row.name}}));
    }
    return Value::of_list(std::move(rows));
  }

  Value timers_of(const RunId& run) const {
    std::vector<Value> rows;
    for (const TimerRow& row : timers_) {
      if (row.run == run) {
        rows.push_back(object({{"timer", number(row.timer)}, {"due", to_string(row.due)}}));
      }
    }
    return Value::of_list(std::move(rows));
  }

  static Value steps(const flow::Machine& machine) {
    std::vector<Value> rows;
    for (const auto& step : machine.view()) {
      rows.push_back(object({{"step", step.name}, {"status", step.status}}));
    }
    return Value::of_list(std::move(rows));
  }

  static Value told(const Entry& entry, const flow::Machine& machine) {
    return object({{"seq", number(entry.seq.get())},
                   {"kind", flow::kind_of(entry.event)},
                   {"at", to_string(flow::at_of(entry.event))},
                   {"event", std::visit(Tell{machine}, entry.event)}});
  }

  Result<void> print_rest() {
    const auto outbox = store_.outbox(1'000'000);
    node::MachineRefold refold(store_);
    const auto report = store_.examine(&refold, false);
    if (!outbox || !report) {
      return outbox ? report.error() : outbox.error();
    }
    std::vector<Value> messages;
    for (const OutboxItem& item : *outbox) {
      messages.emplace_back(item.row.id);
    }
    line(object({{"outbox", Value::of_list(std::move(messages))}}));
    std::vector<Value> findings;
    for (const storage::Finding& finding : report->findings) {
      findings.emplace_back(to_string(finding.error));
    }
    line(object({{"doctor", object({{"entries", number(report->entries)},
                                    {"batches", number(report->batches)},
                                    {"runs", number(report->runs)},
                                    {"findings", Value::of_list(std::move(findings))}})}}));
    return print_log();
  }

  // How far the log of each partition has come, of those that have begun.
  Result<void> print_log() {
    const auto position = store_.stream_position();
    if (!position) {
      return position.error();
    }
    std::vector<Value> tails;
    for (std::uint16_t p = 0; p < kPartitions; ++p) {
      const auto tail = store_.tail_of(PartitionId(p));
      if (!tail) {
        return tail.error();
      }
      if (tail->epoch.get() != 0) {
        tails.push_back(object({{"partition", number(p)},
                                {"epoch", number(tail->epoch.get())},
                                {"last", number(tail->last.get())},
                                {"hash", to_string(tail->hash)}}));
      }
    }
    line(object({{"log", object({{"position", number(position->sequence)},
                                 {"generation", number(position->generation)},
                                 {"tails", Value::of_list(std::move(tails))}})}}));
    return {};
  }

  storage::RocksStore& store_;
  std::vector<TimerRow> timers_;
};

} // namespace
} // namespace skein::test

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: journal_dump DATA\n", stderr);
    return 2;
  }
  auto store = skein::storage::RocksStore::open(argv[1]);
  const auto printed =
      store ? skein::test::Dump(**store).print() : skein::Result<void>(store.error());
  if (!printed) {
    std::fprintf(stderr, "%s\n", skein::to_string(printed.error()).c_str());
    return 1;
  }
  return 0;
}
