#include "storage/rocks_copies.h"

#include <set>
#include <utility>

#include "storage/layout/rocks_rows.h"

namespace skein::storage {
namespace {

/// Rows of a partition that is on its way lie under this number more than its own.
constexpr std::uint16_t kBeside = 0x4000;
constexpr std::size_t kRowsAStep = 4'000;
constexpr std::size_t kBytesAStep = 4u << 20;
constexpr std::size_t kRowHead = 9;
constexpr std::size_t kLongestKey = 64u << 10;
constexpr std::size_t kLongestValue = 512u << 20;
constexpr Family kCopied[] = {Family::state, Family::history, Family::runs};

std::uint16_t beside(PartitionId partition) {
  return static_cast<std::uint16_t>(kBeside + partition.get());
}

std::string prefix_of(std::uint16_t rows) {
  std::string prefix = Key(rows, Table::log).take();
  prefix.pop_back();
  return prefix;
}

Key mark_key(PartitionId partition) {
  Key key(kNodeRows, Table::meta);
  key.bytes("arriving/").byte(static_cast<std::uint8_t>(partition.get()));
  return key;
}

LogIndex last_of(const schemas::BatchHeader& header) {
  return LogIndex(header.first.get() + header.entries.size() -
                  (header.entries.empty() ? header.first.get() : 1));
}

Error no_copy(std::string_view why) {
  return {Code::wire_invalid, "the copy of a partition cannot be read: " + std::string(why), ""};
}

Error not_proved(PartitionId partition, Code code, const std::string& why) {
  return {code, "the copy of partition " + std::to_string(partition.get()) + " is refused: " + why,
          "run on the node that it came from: skein doctor"};
}

class RocksCopy : public PartitionCopy {
 public:
  static Result<std::unique_ptr<PartitionCopy>> make(const RocksDatabase& database,
                                                     PartitionId partition) {
    auto copy = std::unique_ptr<RocksCopy>(new RocksCopy(database, partition));
    auto tail = read_tail(database, partition, copy->view_.get());
    auto position = read_stream_position(database, copy->view_.get());
    if (!tail || !position) {
      return tail ? position.error() : tail.error();
    }
    copy->tail_ = *tail;
    copy->position_ = *position;
    return std::unique_ptr<PartitionCopy>(std::move(copy));
  }

  const PartitionTail& tail() const override { return tail_; }
  StreamPosition position() const override { return position_; }

  Result<std::string> next(std::size_t most) override {
    while (out_.size() < most && !done_) {
      if (auto added = add_row(); !added) {
        return added.error();
      }
    }
    std::string bytes = out_.substr(0, most);
    out_.erase(0, bytes.size());
    return bytes;
  }

 private:
  RocksCopy(const RocksDatabase& database, PartitionId partition)
      : database_(database), view_(database), prefix_(prefix_of(partition.get())) {}

  Result<void> add_row() {
    if (!scan_) {
      scan_ = std::make_unique<Scan>(database_, kCopied[family_], prefix_, view_.get());
      scan_->first();
    }
    if (!scan_->valid()) {
      auto ended = scan_->status();
      scan_.reset();
      ++family_;
      done_ = family_ == std::size(kCopied);
      return ended;
    }
    const std::string_view key = scan_->suffix();
    Result<void> added;
    if (key.front() == static_cast<char>(Table::blob_use)) {
      added = add_content(key);
    }
    append(kCopied[family_], key, scan_->value());
    scan_->next();
    return added;
  }

  /// Once, with the first row that refers to it.
  Result<void> add_content(std::string_view use) {
    KeyReader reader(use.substr(1));
    const bool named = reader.text().has_value();
    const std::string hash(named ? reader.rest() : std::string_view());
    if (hash.empty() || !contents_.insert(hash).second) {
      return {};
    }
    auto content = database_.get(Family::blobs, hash, view_.get());
    if (!content) {
      return content.error();
    }
    if (*content) {
      append(Family::blobs, hash, **content);
    }
    return {};
  }

  void append(Family family, std::string_view key, std::string_view value) {
    out_ += Key()
                .byte(static_cast<std::uint8_t>(family))
                .u32(static_cast<std::uint32_t>(key.size()))
                .u32(static_cast<std::uint32_t>(value.size()))
                .take();
    out_ += key;
    out_ += value;
  }

  const RocksDatabase& database_;
  const View view_;
  const std::string prefix_;
  PartitionTail tail_;
  StreamPosition position_;
  std::unique_ptr<Scan> scan_;
  std::size_t family_ = 0;
  bool done_ = false;
  std::set<std::string> contents_;
  std::string out_;
};

struct Row {
  Family family{};
  std::string_view key;
  std::string_view value;
};

/// The row at the front, none where it has not come whole.
Result<std::optional<Row>> row_at(std::string_view bytes) {
  KeyReader head(bytes);
  const auto family = head.byte();
  const auto key = head.u32();
  const auto value = head.u32();
  if (!family || !key || !value) {
    return std::optional<Row>();
  }
  if (*family >= kFamilies || *key == 0 || *key > kLongestKey || *value > kLongestValue) {
    return no_copy("a row has no such family or length");
  }
  if (bytes.size() < kRowHead + *key + *value) {
    return std::optional<Row>();
  }
  return std::optional(Row{static_cast<Family>(*family), bytes.substr(kRowHead, *key),
                           bytes.substr(kRowHead + *key, *value)});
}

/// Adds rows until a step is full.
class Step {
 public:
  bool is_full() const {
    return batch_.Count() >= static_cast<int>(kRowsAStep) || batch_.GetDataSize() >= kBytesAStep;
  }
  rocksdb::WriteBatch& batch() { return batch_; }

 private:
  rocksdb::WriteBatch batch_;
};

} // namespace

Result<std::unique_ptr<PartitionCopy>> RocksCopies::copy(PartitionId partition) const {
  return RocksCopy::make(database_, partition);
}

Result<void> RocksCopies::recover() {
  std::vector<PartitionId> marked;
  {
    Key prefix(kNodeRows, Table::meta);
    prefix.bytes("arriving/");
    Scan scan(database_, Table::meta, prefix);
    for (scan.first(); scan.valid(); scan.next()) {
      marked.emplace_back(static_cast<std::uint8_t>(scan.suffix().front()));
    }
    if (auto ended = scan.status(); !ended) {
      return ended;
    }
  }
  for (const PartitionId partition : marked) {
    arrivals_[partition].phase = Phase::clearing;
    for (Result<bool> done = false; !done || !*done;) {
      done = advance(partition, [] {});
      if (!done) {
        return done.error();
      }
    }
  }
  return {};
}

Result<void> RocksCopies::take_in(PartitionId partition, std::string_view bytes, bool first) {
  Arrival* arrival = nullptr;
  {
    const std::lock_guard lock(mutex_);
    arrival = &arrivals_[partition];
  }
  if (first) {
    *arrival = {};
    for (Result<bool> erased = false; !erased || !*erased;) {
      erased = erase(beside(partition), *arrival);
      if (!erased) {
        return erased.error();
      }
    }
    *arrival = {};
  }
  if (arrival->phase != Phase::collecting) {
    return no_copy("it has come whole already");
  }
  arrival->rest += bytes;
  std::string_view rest = arrival->rest;
  rocksdb::WriteBatch batch;
  for (auto row = row_at(rest);; row = row_at(rest)) {
    if (!row) {
      return row.error();
    }
    if (!*row) {
      break;
    }
    const bool content = (*row)->family == Family::blobs;
    std::string key = prefix_of(beside(partition));
    if (content) {
      key += static_cast<char>(Table::arriving_content);
    }
    key += (*row)->key;
    batch.Put(database_.family(content ? family_of(Table::arriving_content) : (*row)->family), key,
              slice((*row)->value));
    rest.remove_prefix(kRowHead + (*row)->key.size() + (*row)->value.size());
  }
  arrival->rest.erase(0, arrival->rest.size() - rest.size());
  return database_.write(batch, false);
}

Result<bool> RocksCopies::advance(PartitionId partition, const std::function<void()>& placed) {
  Arrival* arrival = nullptr;
  {
    const std::lock_guard lock(mutex_);
    arrival = &arrivals_[partition];
  }
  const auto step = [&]() -> Result<bool> {
    switch (arrival->phase) {
      case Phase::collecting:
        return collect(partition, *arrival);
      case Phase::proving:
        return prove(partition, *arrival);
      case Phase::clearing:
        return clear(partition, *arrival);
      case Phase::placing:
        return place(partition, *arrival);
      case Phase::tidying:
        return erase(beside(partition), *arrival);
    }
    return true;
  };
  auto done = step();
  if (!done || !*done) {
    return done;
  }
  if (arrival->phase == Phase::placing) {
    placed();
  }
  const bool last = arrival->phase == Phase::tidying;
  const Phase next =
      last ? Phase::collecting : static_cast<Phase>(static_cast<std::uint8_t>(arrival->phase) + 1);
  *arrival = {};
  arrival->phase = next;
  return last;
}

Result<bool> RocksCopies::collect(PartitionId, Arrival& arrival) {
  return arrival.rest.empty() ? Result<bool>(true) : Result<bool>(no_copy("it ends within a row"));
}

// What this node has itself must be the beginning of it: nothing that counts is ever replaced by
// something else, or by less. But of two pasts the one that a later leader went on from counts.
Result<bool> RocksCopies::prove(PartitionId partition, Arrival& arrival) {
  auto own = read_tail(database_, partition);
  if (!own) {
    return own.error();
  }
  Scan scan(database_, Table::log, Key(beside(partition), Table::log));
  if (arrival.cursor.empty()) {
    scan.first();
  } else {
    scan.seek(arrival.cursor);
  }
  for (std::size_t entries = 0; scan.valid() && entries < kRowsAStep; scan.next()) {
    auto proved = prove(partition, scan.value(), *own, arrival);
    if (!proved) {
      return proved.error();
    }
    entries += *proved;
  }
  if (scan.valid()) {
    arrival.cursor = scan.key();
    return false;
  }
  if (auto ended = scan.status(); !ended) {
    return ended.error();
  }
  if (arrival.before.epoch > own->last_epoch) {
    arrival.differs = arrival.differs || last_of(arrival.before) < own->last;
    if (auto kept = arrival.differs ? keep_own(partition, own->last) : Result<void>(); !kept) {
      return kept.error();
    }
  } else if (arrival.differs) {
    return not_proved(partition, Code::log_diverged,
                      "entry " + std::to_string(own->last.get()) + " is not the one of this node");
  } else if (last_of(arrival.before) < own->last) {
    return not_proved(partition, Code::log_diverged,
                      "it ends at entry " + std::to_string(last_of(arrival.before).get()) +
                          ", this node has " + std::to_string(own->last.get()));
  }
  auto marked = mark(partition, true);
  return marked ? Result<bool>(true) : Result<bool>(marked.error());
}

Result<std::size_t> RocksCopies::prove(PartitionId partition, std::string_view value,
                                       const PartitionTail& own, Arrival& arrival) {
  schemas::BatchHeader& before = arrival.before;
  auto header = schemas::decode_batch(value);
  if (!header) {
    return not_proved(partition, header.error().code, header.error().detail);
  }
  if (header->partition != partition || header->first.get() != last_of(before).get() + 1 ||
      header->previous != before.hash) {
    return not_proved(
        partition, Code::log_diverged,
        "batch " + std::to_string(header->first.get()) + " does not follow the one before it");
  }
  arrival.differs = arrival.differs || (last_of(*header) == own.last && header->hash != own.hash) ||
                    (header->first <= own.last && last_of(*header) > own.last);
  for (std::size_t i = 0; i < header->entries.size(); ++i) {
    if (auto proved = prove_entry(partition, header->entries[i], LogIndex(header->first.get() + i));
        !proved) {
      return proved.error();
    }
  }
  before = std::move(*header);
  return before.entries.size();
}

Result<void> RocksCopies::prove_entry(PartitionId partition, const schemas::EntryRef& ref,
                                      LogIndex index) {
  auto bytes =
      database_.get(Table::journal,
                    Key(beside(partition), Table::journal).text(ref.run.get()).u64(ref.seq.get()));
  if (!bytes) {
    return bytes.error();
  }
  if (*bytes) {
    return content_hash(**bytes) == ref.hash
               ? Result<void>()
               : Result<void>(not_proved(partition, Code::hash_mismatch,
                                         "entry " + std::to_string(ref.seq.get()) + " of run " +
                                             ref.run.get() + " is not the one that it names"));
  }
  const auto retired =
      database_.get(Table::retired, Key(beside(partition), Table::retired).text(ref.run.get()));
  if (!retired) {
    return retired.error();
  }
  return *retired && KeyReader(**retired).u64().value_or(0) >= index.get()
             ? Result<void>()
             : Result<void>(not_proved(partition, Code::log_diverged,
                                       "entry " + std::to_string(ref.seq.get()) + " of run " +
                                           ref.run.get() + " is missing"));
}

// For whoever wants to know what it was: no machine reads it again.
Result<void> RocksCopies::keep_own(PartitionId partition, LogIndex last) {
  auto own = copy(partition);
  if (!own) {
    return own.error();
  }
  rocksdb::Env& env = *database_.db().GetEnv();
  const std::string folder = database_.db().GetName() + "/given_up";
  std::unique_ptr<rocksdb::WritableFile> file;
  rocksdb::Status status = env.CreateDirIfMissing(folder);
  if (status.ok()) {
    status = env.NewWritableFile(folder + "/partition-" + std::to_string(partition.get()) + "-" +
                                     std::to_string(last.get()) + ".copy",
                                 &file, rocksdb::EnvOptions());
  }
  for (bool end = false; status.ok() && !end;) {
    const auto bytes = (*own)->next(kBytesAStep);
    if (!bytes) {
      return bytes.error();
    }
    end = bytes->size() < kBytesAStep;
    status = file->Append(*bytes);
  }
  if (status.ok()) {
    status = file->Fsync();
  }
  return status.ok() ? Result<void>()
                     : Result<void>(database_.to_error(status, "keep what is given up"));
}

Result<void> RocksCopies::mark(PartitionId partition, bool on) {
  rocksdb::WriteBatch batch;
  if (on) {
    batch.Put(database_.family(Table::meta), slice(mark_key(partition)), {});
  } else {
    batch.Delete(database_.family(Table::meta), slice(mark_key(partition)));
  }
  return database_.write(batch);
}

Result<bool> RocksCopies::clear(PartitionId partition, Arrival& arrival) {
  return erase(partition.get(), arrival);
}

Result<bool> RocksCopies::erase(std::uint16_t rows, Arrival& arrival) {
  Step step;
  for (; arrival.family < std::size(kCopied); ++arrival.family) {
    Scan scan(database_, kCopied[arrival.family], prefix_of(rows));
    for (scan.first(); scan.valid() && !step.is_full(); scan.next()) {
      step.batch().Delete(database_.family(kCopied[arrival.family]), slice(scan.key()));
    }
    if (auto ended = scan.status(); !ended) {
      return ended.error();
    }
    if (step.is_full()) {
      break;
    }
  }
  auto written = step.batch().Count() == 0 ? Result<void>() : database_.write(step.batch(), false);
  return written ? Result<bool>(arrival.family == std::size(kCopied))
                 : Result<bool>(written.error());
}

Result<bool> RocksCopies::place(PartitionId partition, Arrival& arrival) {
  Step step;
  const std::string here = prefix_of(partition.get());
  while (arrival.family < std::size(kCopied) && !step.is_full()) {
    Scan scan(database_, kCopied[arrival.family], prefix_of(beside(partition)));
    if (arrival.cursor.empty()) {
      scan.first();
    } else {
      scan.seek(arrival.cursor);
    }
    for (; scan.valid() && !step.is_full(); scan.next()) {
      const std::string_view key = scan.suffix();
      if (key.front() == static_cast<char>(Table::arriving_content)) {
        step.batch().Put(database_.family(Family::blobs), slice(key.substr(1)),
                         slice(scan.value()));
      } else {
        step.batch().Put(database_.family(kCopied[arrival.family]), here + std::string(key),
                         slice(scan.value()));
      }
    }
    if (auto ended = scan.status(); !ended) {
      return ended.error();
    }
    arrival.cursor = scan.valid() ? std::string(scan.key()) : "";
    arrival.family += scan.valid() ? 0 : 1;
  }
  if (auto written = database_.write(step.batch(), false); !written) {
    return written.error();
  }
  if (arrival.family < std::size(kCopied)) {
    return false;
  }
  auto unmarked = mark(partition, false);
  return unmarked ? Result<bool>(true) : Result<bool>(unmarked.error());
}

} // namespace skein::storage
