#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "actors/committer.h"

namespace skein::actors {

/// What the runs of one partition propose, on its way into batches: one batch is under way at a
/// time, and what comes meanwhile gathers for the next.
///
///   idle ──propose──► committing ──turn()──► turn ──last copy gone──► committing, or idle
///
/// A turn is the time in which the runs that a batch set going propose what follows from it: the
/// next batch waits for all of them, so that runs in step share batches instead of splitting them.
/// Thread-safety: any thread.
class Proposals : public std::enable_shared_from_this<Proposals> {
 public:
  /// One live run that proposes. Its fields belong to Proposals.
  class Proposer {
    friend class Proposals;
    bool forgotten_ = false;
  };
  using ProposerPtr = std::shared_ptr<Proposer>;

  /// Batches go to `commits` as of `epoch` and not before `not_before`; `answer` gets each one
  /// back.
  Proposals(PartitionId partition, Epoch epoch, Instant not_before, Commits& commits,
            Commits::Answer answer);

  /// Whether it is taken: not from a proposer that was forgotten.
  bool propose(const ProposerPtr& proposer, Append append);
  /// All of them with one batch, or none. REQUIRES: they are of one run.
  void propose_whole(const ProposerPtr& proposer, std::vector<Append> appends);
  /// After a batch was committed: hold it while runs are told. When the last copy goes, what has
  /// gathered is submitted, as of the same wave as that batch.
  std::shared_ptr<void> turn(std::shared_ptr<void> wave = {});
  /// After a batch was refused: forgets who proposed it or gathers behind it, and returns what had
  /// gathered.
  std::vector<Append> refuse();
  /// Whether the append at this place of the batch under way is from this one.
  bool is_from(std::size_t place, const ProposerPtr& proposer);
  /// Takes no more of this one.
  void forget(const ProposerPtr& proposer);

 private:
  enum class State { idle, committing, turn };

  std::ptrdiff_t next_count() const;
  void submit(std::unique_lock<std::mutex>& lock, std::shared_ptr<void> wave = {});
  void end_turn(std::shared_ptr<void> wave);

  const PartitionId partition_;
  const Epoch epoch_;
  const Instant not_before_;
  Commits& commits_;
  const Commits::Answer answer_;
  std::mutex mutex_;
  State state_ = State::idle;
  std::vector<Append> gathered_;
  std::vector<ProposerPtr> gathered_by_;
  std::vector<ProposerPtr> under_way_by_;
};
using ProposalsPtr = std::shared_ptr<Proposals>;

} // namespace skein::actors
