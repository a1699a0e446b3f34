#include "node/cluster/log_stream.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/base/subject.h"
#include "schemas/log_codec.h"

namespace skein::node {
namespace {

constexpr Millis kSendAgain{1'000};         ///< what the broker did not say it has
constexpr Millis kStoredAgain{5'000};       ///< what it has and did not give back
constexpr std::size_t kAroundPart = 4'096;  ///< bytes of a message besides the part
constexpr std::size_t kMostUnwritten = 512; ///< batches
constexpr std::size_t kMostPieces = 1'024;  ///< batches whose parts are not all there

std::string hex(std::uint64_t number) {
  std::array<char, 16> digits{};
  return {digits.begin(), std::to_chars(digits.begin(), digits.end(), number, 16).ptr};
}

Error fenced(PartitionId partition) {
  return {Code::not_leader,
          "another node leads partition " + std::to_string(partition.get()) + " now",
          "ask again: it is passed on to that node"};
}

} // namespace

std::string LogName::stream() const { return "SKEIN_LOG_" + cluster + "_" + hex(incarnation); }

std::string LogName::subject(PartitionId partition) const {
  return Subject("skein")
      .add(cluster)
      .add("log")
      .add(hex(incarnation))
      .add(std::to_string(partition.get()))
      .text();
}

LogStream::LogStream(Broker& broker, Store& store, actors::Commits& local, const Clock& clock,
                     LogName name, Listener listener)
    : broker_(broker),
      store_(store),
      local_(local),
      clock_(clock),
      name_(std::move(name)),
      listener_(std::move(listener)) {}

LogStream::~LogStream() { close(); }

Result<void> LogStream::open(std::uint32_t replicas) {
  for (std::uint16_t p = 0; p < kPartitions; ++p) {
    const auto tail = store_.tail_of(PartitionId(p));
    if (!tail) {
      return tail.error();
    }
    last_written_[p] = tail->last;
    places_[p].replica = {tail->last, tail->hash, tail->at, tail->epoch, tail->leader, tail->last};
  }
  StreamSpec spec;
  spec.name = name_.stream();
  spec.subjects = {
      Subject("skein").add(name_.cluster).add("log").add(hex(name_.incarnation)).rest().text()};
  spec.replicas = replicas;
  auto stream = broker_.make_stream(spec);
  auto position = store_.stream_position();
  if (!stream || !position) {
    return stream ? position.error() : stream.error();
  }
  if (*position > stream->last) {
    return Error{Code::log_diverged,
                 "the stream " + spec.name + " ends at " + std::to_string(stream->last) +
                     ", this node has read it up to " + std::to_string(*position),
                 "the broker has lost messages, or it is another broker"};
  }
  position_ = *position;
  goal_ = stream->last;
  auto tail = broker_.tail({spec.name, "", *position + 1},
                           [this](Stored&& stored) { on_stored(std::move(stored)); });
  if (!tail) {
    return tail.error();
  }
  tail_ = std::move(*tail);
  return {};
}

void LogStream::close() {
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
    return place.replica.leader != name_.self || place.replica.epoch != batch.epoch
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
  auto sent = std::make_shared<Sent>();
  sent->messages = messages_of(batch.partition, sealed.seal, sealed.bytes);
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

std::vector<std::string> LogStream::messages_of(PartitionId partition, const Seal& seal,
                                                const std::string& bytes) const {
  const std::size_t most =
      std::max<std::size_t>(broker_.max_payload(), 2 * kAroundPart) - kAroundPart;
  const auto parts = static_cast<std::uint32_t>((bytes.size() + most - 1) / most);
  std::vector<std::string> messages;
  for (std::uint32_t i = 0; i < parts; ++i) {
    messages.push_back(schemas::encode_message(
        name_.self,
        schemas::LogPart{partition, seal.hash, i, parts, bytes.substr(i * most, most)}));
  }
  return messages;
}

// An error is as good as silence: tick sends it again, or an announcement ends it.
void LogStream::send(PartitionId partition, const std::shared_ptr<Sent>& sent) {
  for (const std::string& message : sent->messages) {
    broker_.append({name_.subject(partition), "", {}, message}, "",
                   [sent, left = std::weak_ptr(sent)](const Result<Appended>& appended) {
                     if (appended) {
                       sent->stored = true;
                     }
                   });
  }
}

void LogStream::announce(PartitionId partition, NodeId leader, std::uint64_t life) {
  const log::Replica now = replica(partition);
  const Epoch epoch(now.epoch.get() + 1);
  broker_.append(
      {name_.subject(partition),
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
      if (sent && now - sent->at >= (sent->stored ? kStoredAgain : kSendAgain)) {
        sent->at = now;
        sent->stored = false;
        late.emplace_back(PartitionId(p), sent);
      }
    }
  }
  for (const auto& [partition, sent] : late) {
    send(partition, sent);
  }
}

void LogStream::on_stored(Stored&& stored) {
  auto received = schemas::decode_message(stored.message.payload);
  if (!received) {
    if (counts_.unreadable++ == 0) {
      spdlog::error("message {} of {} is not read: {}", stored.sequence, name_.stream(),
                    to_string(received.error()));
    }
  } else if (auto* part = std::get_if<schemas::LogPart>(&received->message);
             part != nullptr && stored.message.subject == name_.subject(part->partition)) {
    on_part(stored.sequence, std::move(*part));
  } else if (const auto* announced = std::get_if<schemas::LeaderAnnounced>(&received->message);
             announced != nullptr &&
             stored.message.subject == name_.subject(announced->partition)) {
    on_announced(stored.sequence, *announced);
  } else if (counts_.misplaced++ == 0) {
    spdlog::error("message {} of {} does not belong on {}", stored.sequence, name_.stream(),
                  stored.message.subject);
  }
  position_ = stored.sequence;
}

void LogStream::on_part(std::uint64_t sequence, schemas::LogPart&& part) {
  if (part.parts == 1) {
    on_batch(sequence, part.partition, part.bytes);
    return;
  }
  if (pieces_.size() >= kMostPieces) { // of leaders that fell between two parts
    pieces_.erase(std::min_element(
        pieces_.begin(), pieces_.end(),
        [](const auto& a, const auto& b) { return a.second.first < b.second.first; }));
  }
  const PiecesOf key{part.partition, part.batch};
  Pieces& pieces = pieces_[key];
  if (pieces.parts.size() != part.parts) {
    pieces = {sequence, std::vector<std::string>(part.parts), part.parts};
  }
  std::string& place = pieces.parts[part.part];
  pieces.missing -= place.empty() ? 1 : 0;
  place = std::move(part.bytes);
  if (pieces.missing > 0) {
    return;
  }
  std::string whole;
  for (const std::string& piece : pieces.parts) {
    whole += piece;
  }
  pieces_.erase(key);
  on_batch(sequence, part.partition, whole);
}

void LogStream::on_batch(std::uint64_t sequence, PartitionId partition, const std::string& bytes) {
  const auto claimed = schemas::claimed_by(bytes);
  if (!claimed) {
    if (counts_.unreadable++ == 0) {
      spdlog::error("batch {} of {} is not read: {}", sequence, name_.stream(),
                    to_string(claimed.error()));
    }
    return;
  }
  if (claimed->partition != partition || claimed->seal.incarnation != name_.incarnation) {
    ++counts_.misplaced;
    return;
  }
  std::shared_ptr<Sent> mine;
  log::Verdict verdict{};
  {
    const std::lock_guard lock(mutex_);
    Place& place = places_[partition.get()];
    verdict = read(place.replica, log::Link{claimed->epoch, claimed->seal.node, claimed->seal.first,
                                            claimed->count, claimed->at, claimed->seal.previous,
                                            claimed->seal.hash});
    if (verdict == log::Verdict::counts && place.sent && place.sent->batch.seal == claimed->seal) {
      mine = std::exchange(place.sent, nullptr);
    }
  }
  count(verdict, partition);
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

// A disk that is slower than the broker must not fill the memory with what was read: reading waits,
// and the broker keeps what comes meanwhile.
void LogStream::wait_for_room() {
  std::unique_lock lock(writing_);
  written_.wait(lock, [&] { return unwritten_ < kMostUnwritten; });
  ++unwritten_;
}

void LogStream::end_write(PartitionId partition, LogIndex last) {
  {
    const std::lock_guard lock(writing_);
    --unwritten_;
    LogIndex& there = last_written_.at(partition.get());
    there = std::max(there, last);
  }
  written_.notify_all();
}

bool LogStream::wait_until_written(PartitionId partition, LogIndex index, Millis limit) {
  std::unique_lock lock(writing_);
  return written_.wait_for(lock, std::chrono::milliseconds(limit.count),
                           [&] { return last_written_.at(partition.get()) >= index; });
}

void LogStream::write(Batch batch, std::shared_ptr<Sent> sent) {
  wait_for_room();
  local_.submit(std::move(batch), [this, sent = std::move(sent)](const Result<void>& written,
                                                                 Batch&& done) {
    end_write(done.partition,
              written ? LogIndex(done.seal->first.get() + done.appends.size() - 1) : LogIndex());
    if (!written) {
      broke(written.error());
    }
    if (sent) {
      sent->answer(written, std::move(done));
    } else if (written) {
      listener_.on_batch(done);
    }
  });
}

// What it fences out is told at once; who leads is told once all before it is written.
void LogStream::on_announced(std::uint64_t sequence, const schemas::LeaderAnnounced& announced) {
  std::shared_ptr<Sent> fenced_out;
  log::Verdict verdict{};
  {
    const std::lock_guard lock(mutex_);
    Place& place = places_[announced.partition.get()];
    verdict = read(place.replica,
                   log::LeaderAnnounced{announced.epoch, announced.leader, announced.last});
    if (verdict == log::Verdict::counts) {
      fenced_out = std::exchange(place.sent, nullptr);
    }
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
  wait_for_room();
  local_.submit(std::move(batch), [this, announced](const Result<void>& written, Batch&&) {
    end_write(announced.partition, {});
    if (!written) {
      broke(written.error());
    } else {
      listener_.on_leader(announced);
    }
  });
}

/// Up to where nothing must be read again: parts of a batch that is not whole must be.
std::uint64_t LogStream::safe_position(std::uint64_t sequence) const {
  std::uint64_t safe = sequence;
  for (const auto& [key, pieces] : pieces_) {
    safe = std::min(safe, pieces.first - 1);
  }
  return safe;
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
  if (verdict == log::Verdict::forked) {
    broke({Code::log_diverged,
           "partition " + std::to_string(partition.get()) +
               ": the log goes on from something that this node has not",
           "run: skein doctor"});
  }
}

void LogStream::broke(const Error& error) {
  std::vector<std::shared_ptr<Sent>> under_way;
  {
    const std::lock_guard lock(mutex_);
    if (broken_) {
      return;
    }
    broken_ = error;
    for (Place& place : places_) {
      if (place.sent) {
        under_way.push_back(std::exchange(place.sent, nullptr));
      }
    }
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
