#include "storage/rocks_store.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "storage/layout/rocks_index.h"
#include "storage/layout/rocks_merge.h"
#include "storage/rocks_parts.h"

namespace skein::storage {
namespace {

Error no_run(const RunId& run) {
  return {Code::run_unknown, "there is no run " + run.get(), "list them: skein runs list"};
}

TimerRow timer_of(std::string_view suffix) {
  KeyReader reader(suffix);
  TimerRow row;
  row.due = reader.due().value_or(Instant{});
  row.run = RunId(std::string(reader.text().value_or("")));
  row.timer = reader.u64().value_or(0);
  return row;
}

/// The newest checkpoint that can be read, each that cannot with an error in the log.
/// A journal that short folds faster than a checkpoint is looked for.
constexpr std::size_t kShort = 16;

Result<std::optional<Checkpoint>> newest_checkpoint(const RocksDatabase& database, const RunId& run,
                                                    const rocksdb::Snapshot* at) {
  std::optional<Checkpoint> newest;
  auto read = read_checkpoints(database, run, at, [&](Seq seq, Result<Checkpoint> checkpoint) {
    if (!checkpoint) {
      const Error error = unreadable_row("a checkpoint", run, seq, checkpoint.error());
      spdlog::error("{}; going on from an older one", to_string(error));
      return true;
    }
    newest = std::move(*checkpoint);
    return false;
  });
  if (!read && read.error().code != Code::storage_corrupt) {
    return read.error();
  }
  if (!read) {
    spdlog::error("{}; going on from the journal of run {}", to_string(read.error()), run.get());
  }
  return newest;
}

} // namespace

RocksStore::RocksStore(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
RocksStore::~RocksStore() = default;

Result<std::unique_ptr<RocksStore>> RocksStore::open(const std::filesystem::path& directory,
                                                     const Options& options) {
  auto database = RocksDatabase::open(directory, options);
  if (!database) {
    return database.error();
  }
  auto identity = identify(**database);
  if (!identity) {
    return identity.error();
  }
  auto parts = std::make_unique<Parts>();
  parts->directory = directory;
  parts->space = options.space;
  if (!parts->space && options.env == nullptr) {
    parts->space = recent_space_of(directory);
  }
  parts->database = std::move(*database);
  parts->identity = *identity;
  parts->writer =
      std::make_unique<RocksWriter>(*parts->database, identity->node, identity->incarnation);
  parts->resources = std::make_unique<RocksResources>(*parts->database);
  parts->copies = std::make_unique<RocksCopies>(*parts->database);
  if (auto ended = parts->copies->recover(); !ended) {
    return ended.error();
  }
  return std::unique_ptr<RocksStore>(new RocksStore(std::move(parts)));
}

NodeId RocksStore::node() const { return parts_->identity.node; }
std::uint64_t RocksStore::incarnation() const { return parts_->identity.incarnation; }

Result<void> RocksStore::admits() const { return parts_->check_room(Room::all); }

Result<void> RocksStore::commit(std::span<const Batch> batches) noexcept {
  if (auto room = parts_->check_room(Room::begun_only); !room) {
    return room;
  }
  const std::lock_guard lock(parts_->committing);
  return parts_->writer->commit(batches);
}

Result<std::optional<RunRecord>> RocksStore::find_run(const RunId& run) const {
  return fits_key(run) ? read_record(*parts_->database, run) : std::optional<RunRecord>();
}

Result<LoadedRun> RocksStore::load_run(const RunId& run) const {
  if (!fits_key(run)) {
    return no_run(run);
  }
  const View view(*parts_->database);
  auto record = read_record(*parts_->database, run, view.get());
  if (!record) {
    return record.error();
  }
  if (!*record) {
    return no_run(run);
  }
  LoadedRun loaded{std::move(**record), {}, {}};
  const auto take = [&](Entry&& entry) {
    loaded.tail.push_back(std::move(entry));
    return loaded.tail.size() <= kShort;
  };
  auto read = read_entries(*parts_->database, run, Seq(1), view.get(), take);
  if (!read || loaded.tail.size() > kShort) {
    auto checkpoint = newest_checkpoint(*parts_->database, run, view.get());
    if (!checkpoint) {
      return checkpoint.error();
    }
    loaded.tail.clear();
    loaded.checkpoint = std::move(*checkpoint);
    const std::uint64_t from = loaded.checkpoint ? loaded.checkpoint->seq.get() + 1 : 1;
    read = read_entries(*parts_->database, run, Seq(from), view.get(), [&](Entry&& entry) {
      loaded.tail.push_back(std::move(entry));
      return true;
    });
  }
  if (!read) {
    return read.error();
  }
  parts_->writer->loaded(loaded);
  return loaded;
}

Result<void> RocksStore::read_journal(const RunId& run, Seq from, const EntryVisitor& visit) const {
  auto last = last_seq(run);
  if (!last) {
    return last.error();
  }
  if (last->get() == 0) {
    return no_run(run);
  }
  return read_entries(*parts_->database, run, from, nullptr, visit);
}

Result<std::vector<Checkpoint>> RocksStore::checkpoints(const RunId& run) const {
  std::vector<Checkpoint> found;
  std::optional<Error> broken;
  auto read = read_checkpoints(
      *parts_->database, run, nullptr, [&](Seq seq, Result<Checkpoint> checkpoint) {
        if (!checkpoint) {
          broken = unreadable_row("a checkpoint", run, seq, checkpoint.error());
          return false;
        }
        found.push_back(std::move(*checkpoint));
        return true;
      });
  if (!read || broken) {
    return broken ? *broken : read.error();
  }
  std::reverse(found.begin(), found.end());
  return found;
}

Result<std::vector<CheckpointMark>> RocksStore::checkpoint_marks(const RunId& run) const {
  std::vector<CheckpointMark> marks;
  if (!fits_key(run)) {
    return marks;
  }
  Scan scan(*parts_->database, Table::checkpoint,
            Key(partition_of(run), Table::checkpoint).text(run.get()));
  for (scan.first(); scan.valid(); scan.next()) {
    const auto mark = schemas::decode_checkpoint_mark(scan.value());
    if (!mark) {
      KeyReader reader(scan.suffix());
      return unreadable_row("a checkpoint", run, Seq(reader.u64().value_or(0)), mark.error());
    }
    marks.push_back(*mark);
  }
  auto ended = scan.status();
  return ended ? Result<std::vector<CheckpointMark>>(std::move(marks))
               : Result<std::vector<CheckpointMark>>(ended.error());
}

Result<Seq> RocksStore::last_seq(const RunId& run) const {
  return fits_key(run) ? read_last_seq(*parts_->database, run) : Seq();
}

Result<std::vector<RunRecord>> RocksStore::list_runs(const RunFilter& filter) const {
  return storage::list_runs(*parts_->database, filter);
}

Result<void> RocksStore::live_runs(PartitionId partition,
                                   const std::function<bool(const RunId&)>& visit) const {
  for (const RunState state : {RunState::pending, RunState::running}) {
    auto more = runs_in_state(*parts_->database, partition, state, visit);
    if (!more) {
      return more.error();
    }
    if (!*more) {
      return {};
    }
  }
  return {};
}

Result<PartitionTail> RocksStore::tail_of(PartitionId partition) const {
  return read_tail(*parts_->database, partition);
}

Result<StreamPosition> RocksStore::stream_position() const {
  return read_stream_position(*parts_->database);
}

Result<std::vector<TimerRow>> RocksStore::due_timers(Instant until, std::size_t limit,
                                                     const PartitionSet& of) const {
  std::vector<TimerRow> due;
  const auto visit = [&](PartitionId, std::string_view suffix) -> Result<bool> {
    TimerRow row = timer_of(suffix);
    if (due.size() >= limit || row.due > until) {
      return false;
    }
    due.push_back(std::move(row));
    return true;
  };
  auto merged = merge_partitions(*parts_->database, Table::timer, "", "", visit, of);
  return merged ? Result<std::vector<TimerRow>>(std::move(due))
                : Result<std::vector<TimerRow>>(merged.error());
}

Result<std::optional<Instant>> RocksStore::next_timer(const PartitionSet& of) const {
  std::optional<Instant> next;
  const auto visit = [&](PartitionId, std::string_view suffix) -> Result<bool> {
    next = timer_of(suffix).due;
    return false;
  };
  auto merged = merge_partitions(*parts_->database, Table::timer, "", "", visit, of);
  return merged ? Result<std::optional<Instant>>(next)
                : Result<std::optional<Instant>>(merged.error());
}

Result<std::optional<Seq>> RocksStore::find_event(const RunId& run, std::string_view id) const {
  if (!fits_key(run)) {
    return std::optional<Seq>();
  }
  auto row = parts_->database->get(Table::dedupe, dedupe_key(run, id));
  if (!row) {
    return row.error();
  }
  return *row ? std::optional(Seq(KeyReader(**row).u64().value_or(0))) : std::nullopt;
}

Result<std::vector<WaitRow>> RocksStore::waits_of(const RunId& run) const {
  std::vector<WaitRow> waits;
  if (!fits_key(run)) {
    return waits;
  }
  Scan scan(*parts_->database, Table::wait, Key(partition_of(run), Table::wait).text(run.get()));
  for (scan.first(); scan.valid(); scan.next()) {
    KeyReader reader(scan.suffix());
    const auto what = static_cast<WaitRow::What>(reader.byte().value_or(0));
    waits.push_back(WaitRow{run, what, std::string(reader.rest())});
  }
  auto ended = scan.status();
  return ended ? Result<std::vector<WaitRow>>(std::move(waits))
               : Result<std::vector<WaitRow>>(ended.error());
}

void RocksStore::Parts::set_aside(const OutboxPlace& place, const Error& cause) {
  const std::lock_guard lock(looking);
  if (aside.insert(place).second) {
    const auto& [partition, index, position] = place;
    spdlog::error("{}; the others go on", to_string(unreadable_message(partition, index, cause)));
  }
}

Result<std::vector<OutboxItem>> RocksStore::outbox(std::size_t limit,
                                                   const PartitionSet& of) const {
  std::vector<OutboxItem> items;
  for (std::uint16_t p = 0; p < kPartitions; ++p) {
    if (!of.test(p)) {
      continue;
    }
    Scan scan(*parts_->database, Table::outbox, Key(p, Table::outbox));
    for (scan.first(); scan.valid() && items.size() < limit; scan.next()) {
      KeyReader reader(scan.suffix());
      const LogIndex index(reader.u64().value_or(0));
      const std::uint32_t position = reader.u32().value_or(0);
      if (auto row = schemas::decode_outbox(scan.value())) {
        items.push_back(OutboxItem{PartitionId(p), index, position, std::move(*row)});
      } else {
        parts_->set_aside({PartitionId(p), index, position}, row.error());
      }
    }
    if (auto ended = scan.status(); !ended) {
      return ended.error();
    }
  }
  return items;
}

Result<void> RocksStore::outbox_delivered(std::span<const OutboxItem> items) {
  rocksdb::WriteBatch batch;
  for (const OutboxItem& item : items) {
    const Key key = Key(item.partition, Table::outbox).u64(item.index.get()).u32(item.position);
    batch.Delete(parts_->database->family(Table::outbox), slice(key));
  }
  // Not synced: what comes back after a crash is sent again and dropped by its id.
  return parts_->database->write(batch, false);
}

Result<ResourceRow> RocksStore::apply_resource(std::string_view kind, std::string_view name,
                                               std::string_view content, Instant at) {
  if (auto room = parts_->check_room(Room::begun_only); !room) {
    return room.error();
  }
  if (const auto order = parts_->resource_order()) {
    return order(kind, name, content, at);
  }
  return parts_->resources->apply(kind, name, content, at);
}

Result<ResourceRow> RocksStore::delete_resource(std::string_view kind, std::string_view name,
                                                Instant at) {
  if (const auto order = parts_->resource_order()) {
    return order(kind, name, std::nullopt, at);
  }
  return parts_->resources->remove(kind, name, at);
}

std::uint64_t RocksStore::resource_writes() const { return parts_->resources->writes(); }

Result<ResourceRow> RocksStore::resource(std::string_view kind, std::string_view name,
                                         std::optional<std::uint64_t> revision) const {
  return parts_->resources->get(kind, name, revision);
}

Result<ResourceRow> RocksStore::resource_by_hash(const ContentHash& hash) const {
  return parts_->resources->by_hash(hash);
}

Result<std::vector<ResourceRow>> RocksStore::list_resources(std::string_view kind) const {
  return parts_->resources->list(kind);
}

Result<std::vector<ResourceRow>> RocksStore::resource_history(std::string_view kind,
                                                              std::string_view name) const {
  return parts_->resources->history(kind, name);
}

} // namespace skein::storage
