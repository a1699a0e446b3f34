#include "storage/rocks_doctor.h"

#include <utility>

#include "storage/layout/rocks_index.h"
#include "storage/rocks_parts.h"

namespace skein::storage {
namespace {

constexpr std::size_t kFindingsKept = 1'000;

Error corrupt(std::string detail) { return {Code::storage_corrupt, std::move(detail), ""}; }

std::string number(std::uint64_t value) { return std::to_string(value); }

Key journal_key(const RunId& run, Seq seq) {
  return Key(partition_of(run), Table::journal).text(run.get()).u64(seq.get());
}

/// The run that a row of records, checkpoints, timers or waits is about.
std::optional<RunId> run_of(Table table, std::string_view suffix) {
  if (table == Table::index) {
    return indexed_run(suffix);
  }
  KeyReader reader(suffix);
  if (table == Table::timer) {
    reader.due();
  }
  const auto text = reader.text();
  return text ? std::optional(RunId(std::string(*text))) : std::nullopt;
}

} // namespace

Result<DoctorReport> Examination::run() {
  // Every block of every file, also of those that no row below would touch.
  if (const auto status = database_.db().VerifyChecksum(); !status.ok()) {
    find(database_.to_error(status, "verifying"));
  }
  for (std::uint16_t p = 0; p < kPartitions; ++p) {
    if (auto examined = examine(PartitionId(p)); !examined) {
      return examined.error();
    }
    ++report_.examined;
    if (progress_) {
      progress_(report_);
    }
  }
  return std::move(report_);
}

Result<void> Examination::examine(PartitionId partition) {
  partition_ = partition;
  named_.clear();
  unfolded_.clear();
  for (Rows* const rows : {&records_, &timers_, &waits_, &dedupes_, &indexes_, &uses_}) {
    rows->clear();
  }
  check_log();
  check_journal();
  check_checkpoints();
  if (refold_ != nullptr) {
    compare(Table::record, records_, "record");
    compare(Table::timer, timers_, "timer");
    compare(Table::wait, waits_, "wait");
  } else {
    check_records();
  }
  compare(Table::dedupe, dedupes_, "dedupe row");
  compare(Table::index, indexes_, "row of the index");
  check_uses();
  check_outbox();
  auto written = fixes_.Count() == 0 ? Result<void>() : database_.write(fixes_);
  fixes_.Clear();
  return written;
}

void Examination::check_log() {
  schemas::BatchHeader before;
  Scan scan(database_, Table::log, Key(partition_, Table::log));
  scan.first();
  report_.partitions += scan.valid() ? 1 : 0;
  for (; scan.valid(); scan.next()) {
    check_batch(LogIndex(KeyReader(scan.suffix()).u64().value_or(0)), scan.value(), before);
  }
  ended(scan.status());
}

void Examination::check_batch(LogIndex index, std::string_view bytes,
                              schemas::BatchHeader& before) {
  ++report_.batches;
  auto header = schemas::decode_batch(bytes);
  if (!header) {
    find(header.error(), index);
    return;
  }
  const std::uint64_t expected = before.first.get() + before.entries.size();
  const bool first = before.entries.empty();
  if (header->first != index || header->partition != partition_) {
    find(corrupt("the batch says that it is another"), index);
  } else if (header->first.get() != (first ? 1 : expected)) {
    find(corrupt("entries " + number(first ? 1 : expected) + " to " + number(index.get() - 1) +
                 " of the log are missing"),
         index);
  } else if (header->previous != before.hash) {
    find({Code::hash_mismatch, "the batch does not follow the one before it", ""}, index);
  }
  for (std::size_t i = 0; i < header->entries.size(); ++i) {
    check_ref(LogIndex(header->first.get() + i), header->entries[i]);
  }
  before = std::move(*header);
}

void Examination::check_ref(LogIndex index, const schemas::EntryRef& ref) {
  auto bytes = database_.get(Table::journal, journal_key(ref.run, ref.seq));
  if (!bytes) {
    find(bytes.error(), index, ref.run, ref.seq);
    return;
  }
  if (is_retired(ref.run, index)) {
    ++report_.retired;
    return;
  }
  ++report_.entries;
  const std::uint64_t last = std::exchange(named_[ref.run], ref.seq.get());
  if (ref.seq.get() != last + 1) {
    find(corrupt("the log names this entry after entry " + number(last)), index, ref.run, ref.seq);
  }
  // From a journal that is not what it was, no row is rebuilt, and none is taken away.
  if (!*bytes) {
    unfolded_.insert(ref.run);
    find(corrupt("the entry is missing"), index, ref.run, ref.seq);
  } else if (content_hash(**bytes) != ref.hash) {
    unfolded_.insert(ref.run);
    find({Code::hash_mismatch, "the entry is not what its batch says", ""}, index, ref.run,
         ref.seq);
  }
}

/// Retention marks a run with the log's end at that time, so that the same id may live again.
bool Examination::is_retired(const RunId& run, LogIndex index) {
  auto mark = database_.get(Table::retired, Key(partition_, Table::retired).text(run.get()));
  return mark && *mark && KeyReader(**mark).u64().value_or(0) >= index.get();
}

/// Whether the log names no entry of the run, though retention took none away.
bool Examination::lost(const RunId& run) {
  return !named_.contains(run) && !is_retired(run, LogIndex(0));
}

void Examination::check_journal() {
  std::vector<Entry> entries;
  std::optional<RunId> current;
  Scan scan(database_, Table::journal, Key(partition_, Table::journal));
  for (scan.first(); scan.valid(); scan.next()) {
    KeyReader reader(scan.suffix());
    const RunId run(std::string(reader.text().value_or("")));
    const Seq seq(reader.u64().value_or(0));
    if (current && *current != run) {
      check_run(*current, entries);
      entries.clear();
    }
    current = run;
    auto entry = schemas::decode_entry(scan.value(), noting(run));
    if (!entry) {
      find(entry.error(), {}, run, seq);
      unfolded_.insert(run);
    } else if (entry->run != run || entry->seq != seq) {
      find(corrupt("the entry says that it is another"), {}, run, seq);
      unfolded_.insert(run);
    } else {
      entries.push_back(std::move(*entry));
    }
  }
  ended(scan.status());
  if (current) {
    check_run(*current, entries);
  }
}

void Examination::check_run(const RunId& run, const std::vector<Entry>& entries) {
  ++report_.runs;
  for (const Entry& entry : entries) {
    if (const std::string_view id = flow::sender_id(entry.event); !id.empty()) {
      dedupes_[dedupe_key(run, id).take()] = dedupe_value(entry.seq);
    }
  }
  for (std::size_t i = 0; i < entries.size() && !unfolded_.contains(run); ++i) {
    if (entries[i].seq.get() != i + 1) {
      find(corrupt("entry " + number(i + 1) + " is missing"), {}, run, Seq(i + 1));
      unfolded_.insert(run);
    }
  }
  const auto named = named_.find(run);
  const std::uint64_t last = entries.empty() ? 0 : entries.back().seq.get();
  if (named == named_.end() || named->second < last) {
    find(corrupt("no batch of the log names this entry"), {}, run, Seq(last));
  }
  if (refold_ == nullptr || unfolded_.contains(run)) {
    return;
  }
  auto folded = refold_->refold(run, entries);
  if (!folded) {
    find(folded.error(), {}, run);
    unfolded_.insert(run);
    return;
  }
  const schemas::BlobSink keep = [&](const ContentHash& hash, std::string_view content) {
    note_use(run, hash);
    const std::string_view key(reinterpret_cast<const char*>(hash.bytes.data()), hash.bytes.size());
    if (repair_ && !blobs_(hash)) {
      fixes_.Put(database_.family(Family::blobs), slice(key), slice(content));
    }
  };
  records_[Key(partition_, Table::record).text(run.get()).take()] =
      schemas::encode_record(folded->record, keep);
  for (const std::string& key : index_keys(folded->record)) {
    indexes_[key] = "";
  }
  for (const TimerRow& row : folded->timers) {
    timers_[Key(partition_, Table::timer).due(row.due).text(run.get()).u64(row.timer).take()] = "";
  }
  for (const WaitRow& row : folded->waits) {
    waits_[Key(partition_, Table::wait)
               .text(run.get())
               .byte(static_cast<std::uint8_t>(row.what))
               .bytes(row.name)
               .take()] = "";
  }
}

void Examination::check_checkpoints() {
  Scan scan(database_, Table::checkpoint, Key(partition_, Table::checkpoint));
  for (scan.first(); scan.valid(); scan.next()) {
    ++report_.checkpoints;
    KeyReader reader(scan.suffix());
    const RunId run(std::string(reader.text().value_or("")));
    const Seq seq(reader.u64().value_or(0));
    const auto named = named_.find(run);
    if (named == named_.end() || named->second < seq.get()) {
      find(corrupt("the checkpoint is of an entry that is not there"), {}, run, seq);
    } else if (auto good = check_checkpoint(run, seq, scan.value()); !good) {
      // Recovery takes an older one or the journal, so nothing is lost with it.
      find(good.error(), {}, run, seq, true);
      if (repair_) {
        fixes_.Delete(database_.family(Table::checkpoint), slice(scan.key()));
        ++report_.rebuilt;
      }
    }
  }
  ended(scan.status());
}

/// Whether it can be read and is of the state that its entry recorded.
Result<void> Examination::check_checkpoint(const RunId& run, Seq seq, std::string_view bytes) {
  const auto checkpoint = schemas::decode_checkpoint(bytes, noting(run));
  if (!checkpoint) {
    return Error{checkpoint.error().code,
                 "the checkpoint cannot be read: " + checkpoint.error().detail, ""};
  }
  const auto stored = database_.get(Table::journal, journal_key(run, seq));
  if (!stored || !*stored) {
    return {}; // a finding of its own
  }
  const auto entry = schemas::decode_entry(**stored, blobs_);
  return entry && entry->state != checkpoint->state
             ? corrupt("the checkpoint is of another state than its entry recorded")
             : Result<void>();
}

/// The contents by their hash, and a note that the run uses those that are asked for.
schemas::BlobSource Examination::noting(const RunId& run) {
  return [this, run](const ContentHash& hash) {
    note_use(run, hash);
    return blobs_(hash);
  };
}

void Examination::note_use(const RunId& run, const ContentHash& hash) {
  const std::string_view bytes(reinterpret_cast<const char*>(hash.bytes.data()), hash.bytes.size());
  uses_[Key(partition_, Table::blob_use).text(run.get()).bytes(bytes).take()] = "";
}

/// A sweep removes what nothing uses, so a use that is missing loses contents later. One too many
/// goes with its run.
void Examination::check_uses() {
  for (const auto& [key, nothing] : uses_) {
    auto there = database_.get(Table::blob_use, key);
    if (there && !*there) {
      find(corrupt("the use of a large content is missing"), {},
           run_of(Table::blob_use, std::string_view(key).substr(kKeyHead)), {}, true);
      if (repair_) {
        fixes_.Put(database_.family(Table::blob_use), slice(key), {});
        ++report_.rebuilt;
      }
    }
  }
}

/// What cannot be read waits for a program or a copy that can: it was promised to somebody.
void Examination::check_outbox() {
  Scan scan(database_, Table::outbox, Key(partition_, Table::outbox));
  for (scan.first(); scan.valid(); scan.next()) {
    const LogIndex index(KeyReader(scan.suffix()).u64().value_or(0));
    if (const auto row = schemas::decode_outbox(scan.value()); !row) {
      find(unreadable_message(partition_, index, row.error()), index);
    }
  }
  ended(scan.status());
}

/// Without a machine the records are taken as they are.
void Examination::check_records() {
  Scan scan(database_, Table::record, Key(partition_, Table::record));
  for (scan.first(); scan.valid(); scan.next()) {
    const RunId run = run_of(Table::record, scan.suffix()).value_or(RunId());
    auto record = schemas::decode_record(scan.value(), blobs_);
    if (!record) {
      find(record.error(), {}, run);
      unfolded_.insert(run);
      continue;
    }
    if (lost(run)) {
      find(corrupt("there is a record, but all of its journal is lost"), {}, run);
    }
    for (const std::string& key : index_keys(*record)) {
      indexes_[key] = "";
    }
  }
  ended(scan.status());
}

void Examination::compare(Table table, const Rows& expected, std::string_view what) {
  rocksdb::ColumnFamilyHandle* const family = database_.family(table);
  Scan scan(database_, table, Key(partition_, table));
  auto next = expected.begin();
  const auto keeps = [&](const RunId& run) {
    if (table == Table::record && lost(run)) {
      unfolded_.insert(run);
      find(corrupt("there is a record, but all of its journal is lost"), {}, run);
    }
    return unfolded_.contains(run);
  };
  const std::uint32_t before = fixes_.Count();
  const auto missing = [&] {
    find(corrupt("a " + std::string(what) + " is missing"), {},
         run_of(table, std::string_view(next->first).substr(kKeyHead)), {}, true);
    fixes_.Put(family, next->first, next->second);
    ++next;
  };
  for (scan.first(); scan.valid(); scan.next()) {
    while (next != expected.end() && next->first < scan.key()) {
      missing();
    }
    const auto run = run_of(table, scan.suffix());
    const bool known = next != expected.end() && next->first == scan.key();
    if (known && next->second != scan.value()) {
      find(corrupt("the " + std::string(what) + " is not what the journal says"), {}, run, {},
           true);
      fixes_.Put(family, next->first, next->second);
    } else if (!known && !(run && keeps(*run))) {
      find(corrupt("a " + std::string(what) + " has no reason in the journal"), {}, run, {}, true);
      fixes_.Delete(family, slice(scan.key()));
    }
    next = known ? std::next(next) : next;
  }
  while (next != expected.end()) {
    missing();
  }
  ended(scan.status());
  if (repair_) {
    report_.rebuilt += fixes_.Count() - before;
  } else {
    fixes_.Clear();
  }
}

void Examination::find(Error error, std::optional<LogIndex> index, std::optional<RunId> run,
                       std::optional<Seq> seq, bool repairable) {
  const bool repaired = repairable && repair_;
  ++report_.found;
  report_.repairable += repairable ? 1 : 0;
  report_.repaired += repaired ? 1 : 0;
  if (report_.findings.size() < kFindingsKept) {
    report_.findings.push_back(
        Finding{std::move(error), partition_, index, std::move(run), seq, repairable, repaired});
  }
}

void Examination::ended(const Result<void>& scan) {
  if (!scan) {
    find(scan.error());
  }
}

Result<DoctorReport> RocksStore::examine(Refold* refold, bool repair,
                                         const DoctorProgress& progress) {
  const std::lock_guard lock(parts_->committing);
  parts_->writer->forget_all();
  return Examination(*parts_->database, refold, repair, progress).run();
}

} // namespace skein::storage
