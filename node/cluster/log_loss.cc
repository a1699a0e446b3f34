#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "core/base/hash.h"
#include "node/cluster/log_stream.h"

// How a log goes on where its stream has lost something, or never had it.
namespace skein::node {
namespace {

constexpr Millis kKept{7 * 24 * 3'600'000LL}; ///< what is older comes from another node
constexpr Millis kLookAgain{1'000};           ///< at a stream that may have lost something

} // namespace

std::uint64_t mark_of(const Stored& stored) {
  const std::uint64_t mark = digest(stored.message.payload).low;
  return mark == 0 ? 1 : mark;
}

Error fenced(PartitionId partition) {
  return {Code::not_leader,
          "another node leads partition " + std::to_string(partition.get()) + " now",
          "ask again: it is passed on to that node"};
}

/// Whether the stream is not there any more, or ends before what was read of it.
Result<bool> LogStream::has_ended_early() const {
  if (position_ == 0) {
    return false;
  }
  const auto stream = broker_.stream(name_.stream(generation_));
  if (!stream) {
    return stream.error().code == Code::stream_unknown ? Result<bool>(true)
                                                       : Result<bool>(stream.error());
  }
  return stream->last < position_;
}

Result<void> LogStream::read_on() {
  StreamSpec spec;
  spec.name = name_.stream(generation_);
  spec.subjects = {name_.subject(generation_, {})};
  spec.replicas = stream_replicas_;
  spec.max_age = kKept;
  auto stream = broker_.make_stream(spec);
  if (!stream) {
    return stream.error();
  }
  goal_ = stream->last;
  unsure_ = false;
  check_.reset();
  if (mark_ != 0 && position_ > 0) {
    check_ = {generation_, position_, mark_};
  }
  auto tail = broker_.tail({spec.name, "", check_ ? position_.load() : position_ + 1},
                           [this](Stored&& stored) { on_stored(std::move(stored)); });
  if (!tail) {
    return tail.error();
  }
  tail_ = std::move(*tail);
  reading_ = true;
  return {};
}

// What was under way in the old stream never counts: nobody reads it any more who could lead.
void LogStream::begin(std::uint64_t generation) {
  spdlog::warn(
      "the log goes on in {}: the stream before has lost messages, or another node says so",
      name_.stream(generation));
  tail_.reset();
  reading_ = false;
  lost_ = false;
  mark_ = 0;
  std::vector<std::shared_ptr<Sent>> under_way;
  {
    const std::lock_guard lock(mutex_);
    under_way = take_sent();
    for (Place& place : places_) {
      place.replica.leader.reset();
      place.gap.reset();
      place.diverged = false;
      place.seen_at = 0;
      place.again = place.reserved ? std::optional<std::uint64_t>(0) : std::nullopt;
    }
    generation_ = generation;
    held_by_.emplace();
    position_ = 0;
  }
  pieces_.clear();
  looked_.reset();
  said_.reset();
  bundles_.drop();
  for (const auto& sent : under_way) {
    sent->answer(fenced(sent->batch.partition), std::move(sent->batch));
  }
  promise(generation);
  listener_.on_generation(generation);
}

// Others lead by what this node says that it holds: all of it must be written by then, and so must
// be that it never again takes part in a stream before.
void LogStream::promise(std::uint64_t generation) {
  Batch batch;
  batch.epoch = replica(batch.partition).epoch;
  batch.seal.emplace(); // nothing to seal: its time is nobody's
  batch.position.generation = generation;
  backlog_.begin(batch.partition);
  local_.submit(std::move(batch), [this](const Result<void>& written, Batch&& done) {
    backlog_.end(done.partition, {});
    if (!written) {
      broke(written.error());
    } else {
      promised_ = done.position.generation;
    }
  });
}

void LogStream::follow(std::uint64_t generation) {
  if (generation > generation_) {
    begin(generation);
  }
}

void LogStream::look_after() {
  const Instant now = clock_.now();
  if (looked_ && now - *looked_ < kLookAgain && !look_at_once_) {
    return;
  }
  look_at_once_ = false;
  if (lost_) {
    begin(generation_ + 1);
  } else if (reading_ && (unsure_ || suspicious_)) {
    looked_ = now;
    const auto ended = has_ended_early();
    if (ended && *ended) {
      begin(generation_ + 1);
    } else if (ended && unsure_) { // from the message that was read last: it must be the same
      tail_.reset();
      reading_ = false;
    }
    suspicious_ = suspicious_ && !ended;
  }
  if (!reading_) {
    looked_ = now;
    if (auto reading = read_on(); !reading) {
      spdlog::warn("the log is not read: {}", to_string(reading.error()));
    }
  }
}

schemas::Holds LogStream::holds() const {
  schemas::Holds holds;
  for (std::uint16_t p = 0; p < kPartitions; ++p) {
    const log::Replica now = replica(PartitionId(p));
    holds.tails[p] = {now.last, now.hash, now.epoch, now.last_epoch};
  }
  return holds;
}

bool LogStream::has_all_of(PartitionId partition, const log::Holding& others) {
  log::Verdict verdict{};
  bool all = false;
  {
    const std::lock_guard lock(mutex_);
    Place& place = places_[partition.get()];
    if (place.again || others.epoch > place.replica.epoch) {
      return false;
    }
    verdict = read(place.replica, others);
    note(place, verdict, position_);
    all = verdict == log::Verdict::counts && !place.gap && !place.replica.is_behind();
  }
  count(verdict, partition);
  return all;
}

/// Where reading goes on, the stream must be what it was: another message at the same place means
/// that it has lost some, or that another replica of the broker answers, which misses one.
bool LogStream::is_known(const Stored& stored) {
  if (lost_ || unsure_) {
    return true;
  }
  const auto check = std::exchange(check_, std::nullopt);
  if (!check || stored.sequence != check->sequence) {
    return false;
  }
  lost_ = mark_of(stored) != check->mark;
  look_at_once_ = look_at_once_ || lost_;
  return true;
}

void LogStream::on_holds(std::uint64_t sequence, NodeId node, const schemas::Holds& holds) {
  for (std::uint16_t p = 0; p < kPartitions; ++p) {
    log::Verdict verdict{};
    {
      const std::lock_guard lock(mutex_);
      Place& place = places_[p];
      if (place.again) {
        continue;
      }
      verdict = read(place.replica, holds.tails[p]);
      note(place, verdict, sequence);
    }
    count(verdict, PartitionId(p));
  }
  const std::lock_guard lock(mutex_);
  if (held_by_) {
    held_by_->insert(node);
  }
}

// The message of its position may just be on its way to be judged.
void LogStream::reserve(PartitionId partition) {
  const std::lock_guard lock(mutex_);
  Place& place = places_[partition.get()];
  place.again = std::max<std::uint64_t>(position_, 1) - 1;
  place.reserved = true;
}

Result<void> LogStream::adopted(PartitionId partition, StreamPosition read) {
  const auto tail = store_.tail_of(partition);
  if (!tail) {
    return tail.error();
  }
  backlog_.written(partition, tail->last);
  const std::lock_guard lock(mutex_);
  Place& place = places_[partition.get()];
  const bool later = tail->last_epoch > place.replica.last_epoch; // what was seen may not count
  const LogIndex seen = later ? tail->last : std::max(place.replica.seen, tail->last);
  place.replica = {tail->last,   tail->hash, tail->at,        tail->epoch,
                   tail->leader, seen,       tail->last_epoch};
  place.gap.reset();
  place.diverged = false;
  place.again = read.generation == generation_ ? read.sequence : 0;
  place.reserved = false;
  return {};
}

void LogStream::released(PartitionId partition) {
  const std::lock_guard lock(mutex_);
  places_[partition.get()].reserved = false;
}

void LogStream::read_again() {
  std::optional<std::uint64_t> from;
  {
    const std::lock_guard lock(mutex_);
    for (const Place& place : places_) {
      if (place.again && !place.reserved) {
        from = std::min(from.value_or(*place.again), *place.again);
      }
    }
  }
  if (!from || !reading_) {
    return;
  }
  tail_.reset();
  reading_ = false;
  {
    const std::lock_guard lock(mutex_);
    for (Place& place : places_) {
      if (!place.reserved) {
        place.again.reset();
      }
    }
  }
  position_ = std::min(*from, pieces_.safe(position_));
  mark_ = 0;
  pieces_.clear();
  looked_.reset();
  look_after();
}

void LogStream::nothing_newer(PartitionId partition) {
  const std::lock_guard lock(mutex_);
  Place& place = places_[partition.get()];
  if (!place.replica.is_behind() && !place.diverged) {
    place.gap.reset();
  }
}

std::optional<std::set<NodeId>> LogStream::said_what_they_hold() const {
  const std::lock_guard lock(mutex_);
  return held_by_;
}

PartitionSet LogStream::behind() const {
  const std::lock_guard lock(mutex_);
  PartitionSet behind;
  for (std::size_t p = 0; p < kPartitions; ++p) {
    behind.set(p, places_[p].gap || places_[p].again || places_[p].replica.is_behind());
  }
  return behind;
}

PartitionSet LogStream::lacking() const {
  const std::lock_guard lock(mutex_);
  PartitionSet lacking;
  for (std::size_t p = 0; p < kPartitions; ++p) {
    const Place& place = places_[p];
    lacking.set(p, !place.again &&
                       (place.gap || (place.replica.is_behind() && position_ >= place.seen_at)));
  }
  return lacking;
}

} // namespace skein::node
