#include "node/cluster/log_stream.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/base/hash.h"
#include "core/base/subject.h"
#include "schemas/log_codec.h"

namespace skein::node {
namespace {

constexpr Millis kSendAgain{1'000};        ///< what the broker did not say it has
constexpr Millis kStoredAgain{5'000};      ///< what it has and did not give back
constexpr std::size_t kAroundPart = 4'096; ///< bytes of a message besides the part
constexpr std::size_t kMostBundle = 256u << 10;

std::string hex(std::uint64_t number) {
  std::array<char, 16> digits{};
  return {digits.begin(), std::to_chars(digits.begin(), digits.end(), number, 16).ptr};
}

LogIndex last_of(const Batch& batch) {
  return LogIndex(batch.seal->first.get() + batch.appends.size() - 1);
}

} // namespace

std::string LogName::stream(std::uint64_t generation) const {
  return "SKEIN_LOG_" + to_token(cluster) + "_" + hex(incarnation) + "_" + hex(generation);
}

std::string LogName::subject(std::uint64_t generation, std::optional<PartitionId> partition) const {
  Subject subject("skein");
  subject.add(cluster).add("log").add(hex(incarnation)).add(hex(generation));
  return partition ? subject.add(std::to_string(partition->get())).text() : subject.rest().text();
}

std::string LogName::bundles(std::uint64_t generation) const {
  Subject subject("skein");
  subject.add(cluster).add("log").add(hex(incarnation)).add(hex(generation));
  return subject.add("bundles").text();
}

std::string LogName::holds(std::uint64_t generation) const {
  Subject subject("skein");
  subject.add(cluster).add("log").add(hex(incarnation)).add(hex(generation));
  return subject.add("holds").text();
}

LogStream::LogStream(Broker& broker, Store& store, actors::Commits& local, const Clock& clock,
                     LogName name, Listener listener)
    : broker_(broker),
      store_(store),
      local_(local),
      clock_(clock),
      name_(std::move(name)),
      listener_(std::move(listener)),
      bundles_(kMostBundle, [this](std::vector<schemas::LogPart> parts, const Bundles::Told& told) {
        send_bundle(std::move(parts), told);
      }) {}

LogStream::~LogStream() { close(); }

Result<void> LogStream::load() {
  for (std::uint16_t p = 0; p < kPartitions; ++p) {
    const auto tail = store_.tail_of(PartitionId(p));
    if (!tail) {
      return tail.error();
    }
    backlog_.written(PartitionId(p), tail->last);
    places_[p].replica = {tail->last,   tail->hash, tail->at,        tail->epoch,
                          tail->leader, tail->last, tail->last_epoch};
  }
  return {};
}

Result<void> LogStream::open(std::uint32_t replicas, std::uint64_t generation) {
  stream_replicas_ = replicas;
  const auto position = store_.stream_position();
  auto loaded = load();
  if (!loaded || !position) {
    return loaded ? position.error() : loaded.error();
  }
  generation_ = std::max(generation, position->generation);
  if (position->generation == generation_) {
    position_ = position->sequence;
    mark_ = position->mark;
  }
  const auto ended = has_ended_early();
  if (!ended) {
    return ended.error();
  }
  if (*ended) {
    begin(generation_ + 1);
  } else if (position_ == 0 && generation_ > 0) {
    begin(generation_);
  }
  if (auto reading = read_on(); !reading) {
    return reading;
  }
  connection_ = broker_.watch_connection([this](bool) {
    unsure_ = true;
    look_at_once_ = true;
  });
  unsure_ = false; // of this connection it was opened
  return {};
}

void LogStream::close() {
  connection_.reset();
  tail_.reset();
  broke({Code::interrupted, "the node is stopping", "ask again once it has started anew"});
}

void LogStream::submit(Batch batch, Answer answer) {
  Place& place = places_[batch.partition.get()];
  schemas::Chain chain{name_.incarnation, name_.self, {}, {}};
  std::unique_lock lock(mutex_);
  const auto refusal = [&]() -> std::optional<Error> {
    if (broken_) {
      return broken_;
    }
    return place.replica.leader != name_.self || place.replica.epoch != batch.epoch || place.gap
               ? std::optional(fenced(batch.partition))
               : std::nullopt;
  };
  if (auto refused = refusal()) {
    lock.unlock();
    answer(*refused, std::move(batch));
    return;
  }
  batch.at = std::max({batch.at, place.replica.at, clock_.now()});
  chain.last = place.replica.last;
  chain.hash = place.replica.hash;
  lock.unlock();
  // Nothing but an announcement changes the replica meanwhile: no other batch of it is under way.
  schemas::Sealed sealed = schemas::seal(batch, chain);
  batch.seal = sealed.seal;
  batch.encoded = std::move(sealed.entries);
  auto sent = std::make_shared<Sent>();
  sent->parts = parts_of(batch.partition, sealed.seal, sealed.bytes);
  const PartitionId partition = batch.partition;
  lock.lock();
  if (auto refused = refusal()) {
    lock.unlock();
    answer(*refused, std::move(batch));
    return;
  }
  sent->batch = std::move(batch);
  sent->answer = std::move(answer);
  sent->at = clock_.now();
  place.sent = sent;
  lock.unlock();
  send(partition, sent);
}

std::vector<schemas::LogPart> LogStream::parts_of(PartitionId partition, const Seal& seal,
                                                  const std::string& bytes) const {
  const std::size_t most =
      std::max<std::size_t>(broker_.max_payload(), 2 * kAroundPart) - kAroundPart;
  const auto parts = static_cast<std::uint32_t>((bytes.size() + most - 1) / most);
  std::vector<schemas::LogPart> all;
  for (std::uint32_t i = 0; i < parts; ++i) {
    all.push_back({partition, seal.hash, i, parts, bytes.substr(i * most, most)});
  }
  return all;
}

// An error is as good as silence: tick sends it again, or an announcement ends it.
void LogStream::send(PartitionId partition, const std::shared_ptr<Sent>& sent) {
  const std::shared_ptr<void> wave = std::exchange(sent->batch.wave, nullptr); // ends behind it
  if (sent->parts.size() == 1 && sent->parts.front().bytes.size() < kMostBundle &&
      broker_.max_payload() >= 2 * kMostBundle) {
    sent->waiting = true;
    bundles_.add(sent->parts.front(), [this, sent](bool stored) { told_of(*sent, stored); });
    return;
  }
  for (const schemas::LogPart& part : sent->parts) {
    broker_.append(
        {name_.subject(generation_, partition), "", {}, schemas::encode_message(name_.self, part)},
        "", [this, sent](const Result<Appended>& stored) { told_of(*sent, stored.ok()); });
  }
}

void LogStream::send_bundle(std::vector<schemas::LogPart> parts, const Bundles::Told& told) {
  const std::uint64_t generation = generation_;
  const bool one = parts.size() == 1;
  Message message;
  message.subject =
      one ? name_.subject(generation, parts.front().partition) : name_.bundles(generation);
  message.payload = one ? schemas::encode_message(name_.self, std::move(parts.front()))
                        : schemas::encode_message(name_.self, schemas::LogBundle{std::move(parts)});
  broker_.append(std::move(message), "",
                 [told](const Result<Appended>& stored) { told(stored.ok()); });
}

void LogStream::told_of(Sent& sent, bool stored) {
  sent.waiting = false;
  sent.stored = stored;
  if (!stored) {
    suspicious_ = true;
  }
}

void LogStream::announce(PartitionId partition, NodeId leader, std::uint64_t life) {
  const log::Replica now = replica(partition);
  const Epoch epoch(now.epoch.get() + 1);
  broker_.append(
      {name_.subject(generation_, partition),
       "",
       {},
       schemas::encode_message(name_.self,
                               schemas::LeaderAnnounced{partition, epoch, leader, now.last, life})},
      "", [](const Result<Appended>&) {});
}

void LogStream::tick() {
  std::vector<std::pair<PartitionId, std::shared_ptr<Sent>>> late;
  const Instant now = clock_.now();
  {
    const std::lock_guard lock(mutex_);
    for (std::uint16_t p = 0; p < kPartitions; ++p) {
      const auto& sent = places_[p].sent;
      if (sent && !sent->waiting && now - sent->at >= (sent->stored ? kStoredAgain : kSendAgain)) {
        sent->at = now;
        sent->stored = false;
        late.emplace_back(PartitionId(p), sent);
      }
    }
  }
  for (const auto& [partition, sent] : late) {
    send(partition, sent);
  }
  bundles_.tick();
  look_after();
  const auto held_by = said_what_they_hold();
  if (reading_ && promised_ == generation_ && held_by && !held_by->contains(name_.self) &&
      (!said_ || now - *said_ >= kSendAgain)) {
    said_ = now;
    broker_.append({name_.holds(generation_), "", {}, schemas::encode_message(name_.self, holds())},
                   "", [](const Result<Appended>&) {});
  }
}

void LogStream::on_stored(Stored&& stored) {
  if (is_known(stored)) {
    return;
  }
  mark_ = mark_of(stored);
  position_ = stored.sequence;
  auto received = schemas::decode_message(stored.message.payload);
  if (!received) {
    if (counts_.unreadable++ == 0) {
      spdlog::error("message {} of {} is not read: {}", stored.sequence, name_.stream(generation_),
                    to_string(received.error()));
    }
  } else if (auto* part = std::get_if<schemas::LogPart>(&received->message);
             part != nullptr &&
             stored.message.subject == name_.subject(generation_, part->partition)) {
    on_part(stored.sequence, std::move(*part));
  } else if (auto* bundle = std::get_if<schemas::LogBundle>(&received->message);
             bundle != nullptr && stored.message.subject == name_.bundles(generation_)) {
    on_bundle(stored.sequence, std::move(*bundle));
  } else if (const auto* announced = std::get_if<schemas::LeaderAnnounced>(&received->message);
             announced != nullptr &&
             stored.message.subject == name_.subject(generation_, announced->partition)) {
    on_announced(stored.sequence, *announced);
  } else if (const auto* holds = std::get_if<schemas::Holds>(&received->message);
             holds != nullptr && stored.message.subject == name_.holds(generation_)) {
    on_holds(stored.sequence, received->from, *holds);
  } else if (counts_.misplaced++ == 0) {
    spdlog::error("message {} of {} does not belong on {}", stored.sequence,
                  name_.stream(generation_), stored.message.subject);
  }
}

void LogStream::on_part(std::uint64_t sequence, schemas::LogPart&& part) {
  const PartitionId partition = part.partition;
  if (const auto whole = pieces_.add(sequence, std::move(part))) {
    on_batch(sequence, partition, *whole);
    write_read();
  }
}

// The position is past the message only with the last of them.
void LogStream::on_bundle(std::uint64_t sequence, schemas::LogBundle&& bundle) {
  for (std::size_t i = 0; i < bundle.parts.size(); ++i) {
    more_ = i + 1 < bundle.parts.size();
    on_batch(sequence, bundle.parts[i].partition, bundle.parts[i].bytes);
  }
  write_read();
}

void LogStream::on_batch(std::uint64_t sequence, PartitionId partition, const std::string& bytes) {
  const auto claimed = schemas::claimed_by(bytes);
  if (!claimed) {
    if (counts_.unreadable++ == 0) {
      spdlog::error("batch {} of {} is not read: {}", sequence, name_.stream(generation_),
                    to_string(claimed.error()));
    }
    return;
  }
  if (claimed->partition != partition || claimed->seal.incarnation != name_.incarnation) {
    ++counts_.misplaced;
    return;
  }
  std::shared_ptr<Sent> mine;
  std::shared_ptr<Sent> fenced_out;
  log::Verdict verdict{};
  {
    const std::lock_guard lock(mutex_);
    Place& place = places_[partition.get()];
    if (place.again) {
      return;
    }
    verdict = read(place.replica, log::Link{claimed->epoch, claimed->seal.node, claimed->seal.first,
                                            claimed->count, claimed->at, claimed->seal.previous,
                                            claimed->seal.hash});
    if (verdict == log::Verdict::counts && place.sent && place.sent->batch.seal == claimed->seal) {
      mine = std::exchange(place.sent, nullptr);
    }
    note(place, verdict, sequence);
    if (place.gap) {
      fenced_out = std::exchange(place.sent, nullptr);
    }
  }
  count(verdict, partition);
  if (fenced_out) {
    fenced_out->answer(fenced(partition), std::move(fenced_out->batch));
  }
  if (verdict != log::Verdict::counts) {
    return;
  }
  if (mine) {
    Batch batch = std::move(mine->batch);
    batch.position = safe_position(sequence);
    write(std::move(batch), std::move(mine));
    return;
  }
  auto batch = schemas::open_batch(bytes);
  if (!batch) {
    broke(batch.error());
    return;
  }
  batch->position = safe_position(sequence);
  write(std::move(*batch), nullptr);
}

// What is missing keeps the position of the stream where it is: a node that falls reads it again,
// and knows again that something is missing. A batch that nobody was announced to send may be
// forged, or an announcement is missing; another node can tell.
void LogStream::note(Place& place, log::Verdict verdict, std::uint64_t sequence) {
  if (place.replica.is_behind()) {
    place.seen_at = std::max(place.seen_at, sequence);
  }
  place.diverged = place.diverged || verdict == log::Verdict::diverged;
  const bool missing = verdict == log::Verdict::gap || verdict == log::Verdict::unannounced ||
                       verdict == log::Verdict::diverged;
  if (missing && !place.gap) {
    place.gap = sequence;
  }
}

void LogStream::write(Batch batch, std::shared_ptr<Sent> sent) {
  backlog_.begin(batch.partition);
  to_write_.push_back(
      {std::move(batch), [this, sent = std::move(sent)](const Result<void>& written, Batch&& done) {
         backlog_.end(done.partition, written ? last_of(done) : LogIndex());
         if (!written) {
           broke(written.error());
         }
         if (sent) {
           sent->answer(written, std::move(done));
         } else if (written) {
           listener_.on_batch(done);
         }
       }});
}

void LogStream::write_read() {
  if (to_write_.size() > 1) {
    const Bundles::Wave wave = bundles_.wave(to_write_.front().batch.partition);
    for (actors::Commits::Item& item : to_write_) {
      item.batch.wave = wave;
    }
  }
  local_.submit_all(std::exchange(to_write_, {}));
}

// What it fences out is told at once; who leads is told once all before it is written.
void LogStream::on_announced(std::uint64_t sequence, const schemas::LeaderAnnounced& announced) {
  std::shared_ptr<Sent> fenced_out;
  log::Verdict verdict{};
  {
    const std::lock_guard lock(mutex_);
    Place& place = places_[announced.partition.get()];
    if (place.again) {
      return;
    }
    verdict = read(place.replica,
                   log::LeaderAnnounced{announced.epoch, announced.leader, announced.last});
    if (verdict == log::Verdict::counts) {
      fenced_out = std::exchange(place.sent, nullptr);
      held_by_.reset(); // whoever announced it knew that all had said what they have
    }
    note(place, verdict, sequence);
  }
  count(verdict, announced.partition);
  if (verdict != log::Verdict::counts) {
    return;
  }
  if (fenced_out) {
    fenced_out->answer(fenced(announced.partition), std::move(fenced_out->batch));
  }
  Batch batch;
  batch.partition = announced.partition;
  batch.epoch = announced.epoch;
  batch.seal.emplace(); // nothing to seal: its time is nobody's
  batch.leader = announced.leader;
  batch.position = safe_position(sequence);
  backlog_.begin(batch.partition);
  local_.submit(std::move(batch), [this, announced](const Result<void>& written, Batch&&) {
    backlog_.end(announced.partition, {});
    if (!written) {
      broke(written.error());
    } else {
      listener_.on_leader(announced);
    }
  });
}

/// Up to where nothing must be read again: parts of a batch that is not whole must be, and what
/// came behind something that is missing.
StreamPosition LogStream::safe_position(std::uint64_t sequence) const {
  std::uint64_t safe = std::min(pieces_.safe(sequence), more_ ? sequence - 1 : sequence);
  const std::lock_guard lock(mutex_);
  for (const Place& place : places_) {
    if (place.gap || place.replica.is_behind()) {
      safe = std::min(safe, place.gap.value_or(place.seen_at) - 1);
    }
    safe = std::min(safe, place.again.value_or(safe));
  }
  return {generation_, safe, safe == sequence ? mark_.load() : 0};
}

void LogStream::count(log::Verdict verdict, PartitionId partition) {
  const auto number = static_cast<std::size_t>(verdict);
  ++counts_.verdicts.at(number);
  if (verdict == log::Verdict::counts || verdict == log::Verdict::repeat) {
    return;
  }
  if ((complained_.fetch_or(std::uint64_t{1} << number) >> number & 1) == 0) {
    spdlog::warn("partition {}: a message of its log is {} and dropped; further ones are counted",
                 partition.get(), name_of(verdict));
  }
  if (verdict == log::Verdict::diverged) {
    spdlog::error(
        "partition {}: what this node has last is not what the cluster went on from, as the broker "
        "has shown others something else; it is replaced by a copy of another node's and kept in "
        "given_up",
        partition.get());
  }
  if (verdict == log::Verdict::forked) {
    broke({Code::log_diverged,
           "partition " + std::to_string(partition.get()) +
               ": the log goes on from something that this node has not",
           "run: skein doctor"});
  }
}

std::vector<std::shared_ptr<LogStream::Sent>> LogStream::take_sent() {
  std::vector<std::shared_ptr<Sent>> under_way;
  for (Place& place : places_) {
    if (place.sent) {
      under_way.push_back(std::exchange(place.sent, nullptr));
    }
  }
  return under_way;
}

void LogStream::broke(const Error& error) {
  std::vector<std::shared_ptr<Sent>> under_way;
  {
    const std::lock_guard lock(mutex_);
    if (broken_) {
      return;
    }
    broken_ = error;
    under_way = take_sent();
  }
  for (const auto& sent : under_way) {
    sent->answer(error, std::move(sent->batch));
  }
  if (error.code != Code::interrupted) {
    listener_.on_broken(error);
  }
}

std::array<log::Replica, kPartitions> LogStream::replicas() const {
  const std::lock_guard lock(mutex_);
  std::array<log::Replica, kPartitions> all;
  for (std::size_t p = 0; p < kPartitions; ++p) {
    all[p] = places_[p].replica;
  }
  return all;
}

log::Replica LogStream::replica(PartitionId partition) const {
  const std::lock_guard lock(mutex_);
  return places_[partition.get()].replica;
}

} // namespace skein::node
