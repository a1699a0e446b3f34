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
    return to_error(run, *folding->report_.difference);
  }
  return std::move(*folding->machine_);
}

Error to_error(const RunId& run, const Difference& difference) {
  return Error{Code::replay_mismatch,
               "entry " + std::to_string(difference.seq.get()) + " of run " + run.get() +
                   " differs in its " + difference.what + ": recorded " + difference.recorded +
                   ", computed " + difference.computed,
               "see `skein run replay " + run.get() + "`"};
}

} // namespace skein::node
