#include "actors/proposals.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace skein::actors {
namespace {

constexpr std::size_t kMostAppends = 8'192; ///< of one batch, which is one link of the chain

} // namespace

Proposals::Proposals(PartitionId partition, Epoch epoch, Instant not_before, Commits& commits,
                     Commits::Answer answer)
    : partition_(partition),
      epoch_(epoch),
      not_before_(not_before),
      commits_(commits),
      answer_(std::move(answer)) {}

bool Proposals::propose(const ProposerPtr& proposer, Append append) {
  std::unique_lock lock(mutex_);
  if (proposer->forgotten_) {
    return false;
  }
  gathered_.push_back(std::move(append));
  gathered_by_.push_back(proposer);
  if (state_ == State::idle) {
    submit(lock);
  }
  return true;
}

void Proposals::propose_whole(const ProposerPtr& proposer, std::vector<Append> appends) {
  std::unique_lock lock(mutex_);
  for (Append& append : appends) {
    gathered_.push_back(std::move(append));
    gathered_by_.push_back(proposer);
  }
  if (state_ == State::idle) {
    submit(lock);
  }
}

// What is one run's stays together.
std::ptrdiff_t Proposals::next_count() const {
  std::size_t count = std::min(gathered_.size(), kMostAppends);
  while (count > 0 && count < gathered_.size() &&
         gathered_[count].entry.run == gathered_[count - 1].entry.run) {
    ++count;
  }
  return static_cast<std::ptrdiff_t>(count);
}

void Proposals::submit(std::unique_lock<std::mutex>& lock, std::shared_ptr<void> wave) {
  state_ = State::committing;
  Batch batch;
  batch.partition = partition_;
  batch.epoch = epoch_;
  batch.at = not_before_;
  batch.wave = std::move(wave);
  under_way_by_.clear();
  const std::ptrdiff_t count = next_count();
  if (count == static_cast<std::ptrdiff_t>(gathered_.size())) {
    batch.appends.swap(gathered_);
    under_way_by_.swap(gathered_by_);
  } else {
    batch.appends.assign(std::make_move_iterator(gathered_.begin()),
                         std::make_move_iterator(gathered_.begin() + count));
    under_way_by_.assign(gathered_by_.begin(), gathered_by_.begin() + count);
    gathered_.erase(gathered_.begin(), gathered_.begin() + count);
    gathered_by_.erase(gathered_by_.begin(), gathered_by_.begin() + count);
  }
  lock.unlock();
  commits_.submit(std::move(batch), answer_);
}

std::shared_ptr<void> Proposals::turn(std::shared_ptr<void> wave) {
  {
    const std::lock_guard lock(mutex_);
    state_ = State::turn;
  }
  return {nullptr, [self = shared_from_this(), wave = std::move(wave)](void*) mutable {
            self->end_turn(std::move(wave));
          }};
}

void Proposals::end_turn(std::shared_ptr<void> wave) {
  std::unique_lock lock(mutex_);
  if (state_ != State::turn) {
    return;
  }
  state_ = State::idle;
  if (!gathered_.empty()) {
    submit(lock, std::move(wave));
  }
}

std::vector<Append> Proposals::refuse() {
  const std::lock_guard lock(mutex_);
  state_ = State::idle;
  for (const std::vector<ProposerPtr>* proposers : {&under_way_by_, &gathered_by_}) {
    for (const ProposerPtr& proposer : *proposers) {
      proposer->forgotten_ = true;
    }
  }
  under_way_by_.clear();
  gathered_by_.clear();
  return std::exchange(gathered_, {});
}

bool Proposals::is_from(std::size_t place, const ProposerPtr& proposer) {
  const std::lock_guard lock(mutex_);
  return place < under_way_by_.size() && under_way_by_[place] == proposer;
}

void Proposals::forget(const ProposerPtr& proposer) {
  const std::lock_guard lock(mutex_);
  proposer->forgotten_ = true;
}

} // namespace skein::actors
