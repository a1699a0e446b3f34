#include "node/replay.h"

#include <algorithm>

#include "node/node.h"
#include "node/read_ahead.h"

namespace skein::node {
namespace {

Error unknown(const RunId& run) {
  return Error{Code::run_unknown, "there is no run " + run.get(), "see `skein runs list`"};
}

/// Folds entries as they come and compares what each recorded.
class Folding {
 public:
  Folding(const Store& store, const RunId& run, std::vector<CheckpointMark> checkpoints)
      : store_(store), run_(run), checkpoints_(std::move(checkpoints)) {}

  bool take(const Entry& entry) {
    if (!machine_ && !begin(entry)) {
      return false;
    }
    const auto effects = machine_->step(entry.event);
    ++report_.entries;
    if (!effects) {
      differ(entry, "entry", std::string(flow::kind_of(entry.event)), to_string(effects.error()));
    } else if (const Digest computed = flow::digest_of(*effects); computed != entry.effects) {
      differ(entry, "effects", to_string(entry.effects), to_string(computed));
    } else if (machine_->state_digest() != entry.state) {
      differ(entry, "state", to_string(entry.state), to_string(machine_->state_digest()));
    } else {
      compare_checkpoint(entry);
    }
    return !report_.difference;
  }

  std::optional<flow::Machine> machine_;
  std::optional<Error> failure_;
  ReplayReport report_;

 private:
  bool begin(const Entry& entry) {
    const auto* created = std::get_if<flow::Created>(&entry.event);
    if (created == nullptr) {
      failure_ = Error{Code::storage_corrupt,
                       "the journal of run " + run_.get() + " does not begin with its creation",
                       "run `skein doctor`"};
      return false;
    }
    auto definition = definition_of(store_, created->revision);
    if (!definition) {
      failure_ = definition.error();
      return false;
    }
    machine_.emplace(run_, *definition);
    return true;
  }

  void differ(const Entry& entry, std::string what, std::string recorded, std::string computed) {
    report_.difference =
        Difference{entry.seq, std::move(what), std::move(recorded), std::move(computed)};
  }

  void compare_checkpoint(const Entry& entry) {
    while (next_ < checkpoints_.size() && checkpoints_[next_].seq < entry.seq) {
      ++next_;
    }
    if (next_ == checkpoints_.size() || checkpoints_[next_].seq != entry.seq) {
      return;
    }
    const CheckpointMark& recorded = checkpoints_[next_++];
    ++report_.checkpoints;
    if (recorded.state != machine_->state_digest()) {
      differ(entry, "checkpoint", to_string(recorded.state), to_string(machine_->state_digest()));
    }
  }

  const Store& store_;
  const RunId& run_;
  std::vector<CheckpointMark> checkpoints_;
  std::size_t next_ = 0;
};

Result<Folding> fold(const Store& store, const RunId& run, std::optional<Seq> until) {
  auto checkpoints = store.checkpoint_marks(run);
  if (!checkpoints) {
    return checkpoints.error();
  }
  Folding folding(store, run, std::move(*checkpoints));
  ReadAhead journal(store, run, until);
  for (auto entries = journal.next({}); !entries.empty();
       entries = journal.next(std::move(entries))) {
    if (!std::all_of(entries.begin(), entries.end(),
                     [&](const Entry& entry) { return folding.take(entry); })) {
      break;
    }
  }
  if (folding.failure_) {
    return *folding.failure_;
  }
  if (!folding.report_.difference && !journal.status()) {
    return journal.status().error();
  }
  if (!folding.machine_) {
    return unknown(run);
  }
  return folding;
}

Result<RunId> new_id(Store& store, const ForkRequest& request) {
  if (request.id) {
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
    const auto last = store.last_seq(id);
    if (!last || last->get() == 0) {
      return last ? Result<RunId>(id) : last.error();
    }
  }
}

// One entry of the new run: the machine's answer under its new name is what is recorded.
Result<Append> append_of(flow::Machine& machine, const RunId& run, std::uint64_t seq,
                         const flow::Event& event) {
  auto effects = machine.step(event);
  if (!effects) {
    return effects.error();
  }
  Append append;
  append.entry = Entry{run, Seq(seq), event, flow::digest_of(*effects), machine.state_digest()};
  if (!std::holds_alternative<flow::Forked>(event)) {
    return append;
  }
  for (const flow::Effect& effect : *effects) {
    if (const auto* arm = std::get_if<flow::ArmTimer>(&effect)) {
      append.arm.push_back({run, arm->timer, arm->due});
    } else if (const auto* open = std::get_if<flow::OpenWait>(&effect)) {
      append.open.push_back({run, open->what, open->name});
    }
  }
  return append;
}

} // namespace

Result<ReplayReport> replay(const Store& store, const RunId& run, std::optional<Seq> until) {
  auto folding = fold(store, run, until);
  if (!folding) {
    return folding.error();
  }
  ReplayReport report = std::move(folding->report_);
  const flow::Machine& machine = *folding->machine_;
  report.state = machine.state();
  report.output = machine.output();
  report.failure = machine.failure();
  report.digest = machine.state_digest();
  return report;
}

Result<flow::Machine> machine_at(const Store& store, const RunId& run, std::optional<Seq> until) {
  auto folding = fold(store, run, until);
  if (!folding) {
    return folding.error();
  }
  if (folding->report_.difference) {
    const Difference& difference = *folding->report_.difference;
    return Error{Code::replay_mismatch,
                 "entry " + std::to_string(difference.seq.get()) + " of run " + run.get() +
                     " differs in its " + difference.what + ": recorded " + difference.recorded +
                     ", computed " + difference.computed,
                 "see `skein run replay " + run.get() + "`"};
  }
  return std::move(*folding->machine_);
}

Result<RunId> fork(Store& store, const ForkRequest& request, Instant now) {
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
    return Error{Code::resource_value_invalid,
                 "run " + request.from.get() + " has entries 1 to " + std::to_string(last->get()) +
                     ", not " + std::to_string(request.at.get()),
                 "see `skein run history " + request.from.get() + "`"};
  }
  auto definition = definition_of(store, (*source)->revision);
  if (!definition) {
    return definition.error();
  }
  flow::Machine machine(*id, *definition);
  Batch batch;
  batch.partition = partition_of(*id);
  batch.epoch = Epoch(1);
  const auto tail = store.tail_of(batch.partition);
  batch.at = tail ? std::max(now, tail->at) : now;
  std::optional<Error> failure;
  const auto take = [&](const flow::Event& event) {
    auto append = append_of(machine, *id, batch.appends.size() + 1, event);
    append ? batch.appends.push_back(std::move(*append)) : void(failure = append.error());
    return !failure;
  };
  const auto read = store.read_journal(request.from, Seq(1), [&](const Entry& entry) {
    return entry.seq <= request.at && take(entry.event);
  });
  if (!read) {
    return read.error();
  }
  if (!failure) {
    take(flow::Forked{now, request.from.get(), request.at.get(), request.vars, request.input});
  }
  if (failure) {
    return *failure;
  }
  RunRecord record = **source;
  record.id = *id;
  record.state = machine.state();
  record.reason = machine.reason();
  record.waiting_for = machine.waiting_for();
  record.output = machine.output();
  record.failure = machine.failure();
  record.steps = machine.steps_ended();
  record.updated_at = now;
  batch.appends.back().record = std::move(record);
  if (auto committed = store.commit({&batch, 1}); !committed) {
    return committed.error();
  }
  return *id;
}

} // namespace skein::node
