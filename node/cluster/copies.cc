#include "node/cluster/copies.h"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace skein::node {
namespace {

constexpr std::size_t kAtOnce = 4;      ///< partitions on their way to this node
constexpr std::size_t kGivenAtOnce = 8; ///< and from it
constexpr std::size_t kPiece = 512u << 10;
constexpr std::size_t kAroundPiece = 4'096; ///< bytes of a message besides the piece
constexpr int kStepsATick = 8;
constexpr Millis kAskAgain{1'000};
constexpr Millis kUnused{30'000};

} // namespace

Copies::Copies(Broker& broker, ReplicaStore& store, LogStream& log, const Clock& steady,
               NodeId self, std::function<std::string(NodeId)> subject, Millis ask_limit)
    : broker_(broker),
      store_(store),
      log_(log),
      steady_(steady),
      self_(self),
      subject_(std::move(subject)),
      ask_limit_(ask_limit) {}

void Copies::tick(const std::vector<NodeId>& there) {
  put_in_place();
  const PartitionSet lacking = log_.lacking();
  bool idle = false;
  std::vector<std::pair<PartitionId, Fetching>> begun;
  {
    const std::lock_guard lock(mutex_);
    for (std::uint16_t p = 0; p < kPartitions && lacking.any() && !there.empty(); ++p) {
      if (lacking.test(p) && begin(PartitionId(p), there)) {
        begun.emplace_back(PartitionId(p), fetching_.at(PartitionId(p)));
      }
    }
    idle = fetching_.empty();
  }
  for (const auto& [partition, fetching] : begun) {
    ask(partition, fetching);
  }
  if (idle) {
    log_.read_again();
  }
  const std::lock_guard lock(giving_mutex_);
  std::erase_if(giving_,
                [&](const auto& one) { return steady_.now() - one.second.used >= kUnused; });
}

// Its leader has it in any case; of the others each is asked in turn.
bool Copies::begin(PartitionId partition, const std::vector<NodeId>& there) {
  const Instant now = steady_.now();
  const auto wait = not_before_.find(partition);
  if (fetching_.size() >= kAtOnce || fetching_.contains(partition) ||
      (wait != not_before_.end() && now < wait->second)) {
    return false;
  }
  not_before_[partition] = now + kAskAgain;
  const auto leader = log_.replica(partition).leader;
  const bool ask_leader =
      leader && asked_ % 2 == 0 && std::find(there.begin(), there.end(), *leader) != there.end();
  Fetching& fetching = fetching_[partition];
  fetching.from = ask_leader ? *leader : there[asked_ / 2 % there.size()];
  fetching.number = ++asked_;
  return true;
}

void Copies::ask(PartitionId partition, const Fetching& fetching) {
  Message message;
  message.subject = subject_(fetching.from);
  message.payload = schemas::encode_message(self_, schemas::Fetch{partition, fetching.offset});
  broker_.request(std::move(message), ask_limit_,
                  [this, partition, number = fetching.number](const Result<Message>& answered) {
                    on_answer(partition, number, answered);
                  });
}

void Copies::on_answer(PartitionId partition, std::uint64_t number,
                       const Result<Message>& answered) {
  const auto received = answered ? schemas::decode_message(answered->payload)
                                 : Result<schemas::Received>(answered.error());
  std::unique_lock lock(mutex_);
  const auto found = fetching_.find(partition);
  if (found == fetching_.end() || found->second.number != number) {
    return;
  }
  const auto* piece = received ? std::get_if<schemas::Piece>(&received->message) : nullptr;
  const auto* refused = received ? std::get_if<schemas::Answer>(&received->message) : nullptr;
  if (!received || piece == nullptr) {
    give_up(partition, !received ? received.error()
                       : refused != nullptr && refused->error
                           ? *refused->error
                           : Error{Code::wire_invalid, "a node answered something else", ""});
    return;
  }
  auto more = take(partition, found->second, *piece);
  if (!more) {
    give_up(partition, more.error());
  } else if (*more) {
    const Fetching fetching = found->second;
    lock.unlock();
    ask(partition, fetching);
  }
}

/// Whether there is more to ask for.
Result<bool> Copies::take(PartitionId partition, Fetching& fetching, const schemas::Piece& piece) {
  if (piece.partition != partition || piece.offset != fetching.offset) {
    return Error{Code::wire_invalid, "a node sent another piece of a partition than asked for", ""};
  }
  if (piece.offset == 0) {
    const log::Replica own = log_.replica(partition);
    const bool later = piece.last_epoch > own.last_epoch;
    if ((piece.last < own.seen && !later) || piece.position.generation != log_.generation()) {
      return Error{Code::not_leader, "the node that was asked has no more of the partition", ""};
    }
    if (piece.last == own.last && piece.epoch <= own.epoch && !later) {
      fetching_.erase(partition);
      log_.nothing_newer(partition);
      return false;
    }
  }
  if (auto taken = store_.take_in(partition, piece.bytes, piece.offset == 0); !taken) {
    return taken.error();
  }
  fetching.offset += piece.bytes.size();
  fetching.position = piece.offset == 0 ? piece.position : fetching.position;
  fetching.whole = piece.end;
  return !piece.end;
}

// REQUIRES: the lock.
void Copies::give_up(PartitionId partition, const Error& error) {
  if (!std::exchange(complained_, true)) {
    spdlog::warn("partition {} is not taken from another node: {}; it is tried again",
                 partition.get(), to_string(error));
  }
  fetching_.erase(partition);
}

void Copies::put_in_place() {
  std::vector<std::pair<PartitionId, StreamPosition>> whole;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [partition, fetching] : fetching_) {
      if (fetching.whole) {
        whole.emplace_back(partition, fetching.position);
        if (!std::exchange(fetching.reserved, true)) {
          log_.reserve(partition);
        }
      }
    }
  }
  int steps = kStepsATick;
  for (const auto& [partition, position] : whole) {
    if (!log_.is_written(partition)) {
      continue;
    }
    Result<bool> done = false;
    while (steps > 0 && done && !*done) {
      done = store_.advance(partition);
      --steps;
    }
    if (done && !*done) {
      return;
    }
    const auto adopted = done ? log_.adopted(partition, position) : Result<void>(done.error());
    const std::lock_guard lock(mutex_);
    if (adopted) {
      ++taken_;
      fetching_.erase(partition);
    } else {
      log_.released(partition);
      give_up(partition, adopted.error());
    }
  }
}

schemas::NodeMessage Copies::give(NodeId to, const schemas::Fetch& fetch) {
  auto piece = next_piece(to, fetch);
  if (piece) {
    return std::move(*piece);
  }
  return schemas::Answer{piece.error(), {}};
}

Result<schemas::Piece> Copies::next_piece(NodeId to, const schemas::Fetch& fetch) {
  const std::lock_guard lock(giving_mutex_);
  if (log_.lacking().test(fetch.partition.get())) {
    return Error{Code::not_leader, "this node lacks entries of the partition itself", ""};
  }
  const std::pair key{to, fetch.partition};
  if (fetch.offset == 0) {
    auto copy = store_.copy(fetch.partition);
    if (!copy) {
      return copy.error();
    }
    while (giving_.size() >= kGivenAtOnce && !giving_.contains(key)) {
      giving_.erase(std::min_element(
          giving_.begin(), giving_.end(),
          [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
    }
    giving_[key] = Giving{std::move(*copy), {}, {}};
  }
  const auto found = giving_.find(key);
  if (found == giving_.end()) {
    return Error{Code::not_leader, "the copy was given up: begin anew", ""};
  }
  Giving& giving = found->second;
  giving.used = steady_.now();
  schemas::Piece& last = giving.last;
  if (fetch.offset == last.offset && !last.bytes.empty()) {
    return last;
  }
  if (fetch.offset != last.offset + last.bytes.size()) {
    return Error{Code::not_leader, "the copy has gone on: begin anew", ""};
  }
  const std::size_t most =
      std::min(kPiece, std::max(broker_.max_payload(), 2 * kAroundPiece) - kAroundPiece);
  auto bytes = giving.copy->next(most);
  if (!bytes) {
    return bytes.error();
  }
  const bool end = bytes->size() < most;
  const PartitionTail& tail = giving.copy->tail();
  last = {fetch.partition, fetch.offset, std::move(*bytes),       end,
          tail.last,       tail.epoch,   giving.copy->position(), tail.last_epoch};
  return last;
}

} // namespace skein::node
