#include "node/refold.h"

#include <set>

#include "core/flow/machine.h"
#include "core/run/rows.h"
#include "node/node.h"
#include "node/replay.h"
#include "storage/rocks_store.h"

namespace skein::node {
namespace {

Error mismatch(const Entry& entry, std::string_view what, Digest recorded, Digest computed) {
  return to_error(entry.run, Difference{entry.seq, std::string(what), to_string(recorded),
                                        to_string(computed)});
}

/// The rows of one run, as its entries make them.
class Rows {
 public:
  Rows(const RunId& run, const flow::Created& created, const flow::DefinitionPtr& definition)
      : machine_(run, definition) {
    rows_.record.id = run;
    rows_.record.definition = created.definition;
    rows_.record.revision = created.revision;
    rows_.record.labels = created.labels;
    rows_.record.parent = created.parent;
    rows_.record.created_at = created.at;
  }

  Result<void> take(const Entry& entry) {
    const auto effects = machine_.step(entry.event);
    if (!effects) {
      return effects.error();
    }
    if (const Digest computed = flow::digest_of(*effects); computed != entry.effects) {
      return mismatch(entry, "effects", entry.effects, computed);
    }
    if (const Digest computed = machine_.state_digest(); computed != entry.state) {
      return mismatch(entry, "state", entry.state, computed);
    }
    if (const auto* forked = std::get_if<flow::Forked>(&entry.event)) {
      // What the run that was copied armed and opened is not this one's: Forked says it again.
      timers_.clear();
      waits_.clear();
      rows_.record.created_at = forked->at;
      show(rows_.record, machine_, flow::at_of(entry.event));
    }
    add(entry, *effects);
    return {};
  }

  storage::Refolded finish() {
    rows_.timers.assign(timers_.begin(), timers_.end());
    rows_.waits.assign(waits_.begin(), waits_.end());
    return std::move(rows_);
  }

 private:
  void add(const Entry& entry, const flow::Effects& effects) {
    Append append;
    append.entry.run = entry.run;
    add_rows(append, effects);
    change(timers_, append.disarm, append.arm);
    change(waits_, append.close, append.open);
    for (const flow::Effect& effect : effects) {
      if (std::holds_alternative<flow::Show>(effect)) {
        show(rows_.record, machine_, flow::at_of(entry.event));
      }
    }
  }

  template <class Row>
  static void change(std::set<Row>& rows, const std::vector<Row>& ended,
                     const std::vector<Row>& begun) {
    for (const Row& row : ended) {
      rows.erase(row);
    }
    rows.insert(begun.begin(), begun.end());
  }

  flow::Machine machine_;
  storage::Refolded rows_;
  std::set<TimerRow> timers_;
  std::set<WaitRow> waits_;
};

/// What the doctor cannot open is not sent to the doctor again.
Error without_circle(Error error) {
  if (error.hint.find("skein doctor") != error.hint.npos) {
    error.hint =
        "no other file holds what is damaged: keep this directory, and restore a copy of it from "
        "before";
  }
  return error;
}

} // namespace

Result<storage::Refolded> MachineRefold::refold(const RunId& run, std::span<const Entry> entries) {
  const auto* created =
      entries.empty() ? nullptr : std::get_if<flow::Created>(&entries.front().event);
  if (created == nullptr) {
    return Error{Code::storage_corrupt,
                 "the journal of run " + run.get() + " does not begin with its creation", ""};
  }
  const auto definition = definition_of(store_, created->revision);
  if (!definition) {
    return definition.error();
  }
  Rows rows(run, *created, *definition);
  for (const Entry& entry : entries) {
    if (auto taken = rows.take(entry); !taken) {
      return taken.error();
    }
  }
  return rows.finish();
}

Result<storage::DoctorReport> examine(const std::filesystem::path& data, bool repair,
                                      const storage::DoctorProgress& progress) {
  storage::Options options;
  options.create = false;
  auto store = storage::RocksStore::open(data, options);
  if (!store) {
    return without_circle(store.error());
  }
  MachineRefold refold(**store);
  return (*store)->examine(&refold, repair, progress);
}

} // namespace skein::node
