// What one committer can make durable: entries per second through the store, beside a bare loop of
// the same database with as many bytes, and what an entry costs the thread that commits it.
// Usage: store_commit [DIRECTORY] [SECONDS] [GROUP]

#include <rocksdb/db.h>
#include <time.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "storage/rocks_store.h"

namespace {

using namespace skein;
using Clock = std::chrono::steady_clock;

constexpr int kTurns = 6;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Entries of 256 runs in turn, `group` at a time, each batch of one partition.
class Workload {
 public:
  Workload() {
    for (int i = 0; i < 256; ++i) {
      runs_.push_back({RunId("incident-triage-" + std::to_string(100'000 + i)), 0});
    }
  }

  const std::vector<Batch>& next(std::size_t group) {
    batches_.clear();
    std::vector<int> slot(kPartitions, -1);
    for (std::size_t i = 0; i < group; ++i) {
      auto& [run, last] = runs_[turn_++ % runs_.size()];
      const PartitionId partition = partition_of(run);
      if (slot[partition.get()] < 0) {
        slot[partition.get()] = static_cast<int>(batches_.size());
        batches_.emplace_back();
        batches_.back().partition = partition;
        batches_.back().epoch = Epoch(1);
        batches_.back().at = Instant{1};
      }
      batches_[static_cast<std::size_t>(slot[partition.get()])].appends.push_back(
          append_of(run, ++last));
    }
    return batches_;
  }

 private:
  Append append_of(const RunId& run, std::uint64_t seq) const {
    Append append;
    append.entry.run = run;
    append.entry.seq = Seq(seq);
    if (seq % 2 == 1) {
      append.entry.event = flow::Begun{Instant{1}, flow::Place{}, 1, EffectClass::idempotent};
    } else {
      append.entry.event = flow::Succeeded{Instant{1}, flow::Place{}, 1, output_};
    }
    return append;
  }

  std::vector<std::pair<RunId, std::uint64_t>> runs_;
  std::vector<Batch> batches_;
  std::size_t turn_ = 0;
  Value output_ = object({{"exit_code", 0}, {"stdout", "42 lines matched in service-7.log"}});
};

/// What one thread did in a while: entries, and its own time on a processor.
struct Measure {
  double entries = 0;
  double seconds = 0;
  double processor = 0;
  double rate() const { return entries / seconds; }
  double micros() const { return processor * 1e6 / entries; }
};

double processor_seconds() {
  timespec spent{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) / 1e9;
}

/// Calls `commit`, which makes `group` entries durable, for as long as it is told to.
template <class Commit>
Measure measure(std::size_t group, double seconds, const Commit& commit) {
  Measure done;
  const auto start = Clock::now();
  while (done.seconds < seconds) {
    done.processor += commit();
    done.entries += static_cast<double>(group);
    done.seconds = seconds_since(start);
  }
  return done;
}

/// The store's side: what makes the entries is not counted as its processor time.
class StoreSide {
 public:
  StoreSide(storage::RocksStore& store, std::size_t group) : store_(store), group_(group) {}
  double operator()() {
    const auto& batches = work_.next(group_);
    const double before = processor_seconds();
    if (auto done = store_.commit(batches); !done) {
      std::fprintf(stderr, "%s\n", to_string(done.error()).c_str());
      std::exit(1);
    }
    return processor_seconds() - before;
  }

 private:
  storage::RocksStore& store_;
  std::size_t group_;
  Workload work_;
};

/// The limit: as many bytes in as many rows, and nothing else.
class BareSide {
 public:
  BareSide(const std::filesystem::path& directory, std::size_t group) : group_(group) {
    rocksdb::Options options;
    options.create_if_missing = true;
    rocksdb::DB* database = nullptr;
    if (!rocksdb::DB::Open(options, directory.string(), &database).ok()) {
      std::exit(1);
    }
    database_.reset(database);
    synced_.sync = true;
  }
  double operator()() {
    const double before = processor_seconds();
    batch_.Clear();
    for (std::size_t i = 0; i < group_; ++i) {
      char key[24];
      std::snprintf(key, sizeof key, "%020llu", static_cast<unsigned long long>(entries_++));
      batch_.Put(key, value_);
    }
    if (!database_->Write(synced_, &batch_).ok()) {
      std::exit(1);
    }
    return processor_seconds() - before;
  }

 private:
  std::unique_ptr<rocksdb::DB> database_;
  rocksdb::WriteOptions synced_;
  rocksdb::WriteBatch batch_;
  std::size_t group_;
  std::uint64_t entries_ = 0;
  const std::string value_ = std::string(230, 'v');
};

/// The better of two: whatever else the machine does makes both sides slower, never faster.
void keep_better(Measure& best, const Measure& now) {
  if (best.seconds == 0 || now.rate() > best.rate()) {
    best = now;
  }
}

void compare(const std::filesystem::path& root, std::size_t group, double seconds) {
  std::filesystem::remove_all(root);
  std::filesystem::create_directories(root);
  auto store = storage::RocksStore::open(root / "store");
  if (!store) {
    std::fprintf(stderr, "%s\n", to_string(store.error()).c_str());
    std::exit(1);
  }
  StoreSide ours(**store, group);
  BareSide bare(root / "bare", group);
  Measure best;
  Measure limit;
  for (int turn = 0; turn < kTurns; ++turn) {
    keep_better(best, measure(group, seconds / kTurns, [&] { return ours(); }));
    keep_better(limit, measure(group, seconds / kTurns, [&] { return bare(); }));
  }
  std::printf("%6zu %15.0f %14.0f %7.2f %13.2f %12.2f\n", group, best.rate(), limit.rate(),
              best.rate() / limit.rate(), best.micros(), limit.micros());
}

} // namespace

int main(int count, char** words) {
  namespace fs = std::filesystem;
  const fs::path root = count > 1 ? fs::path(words[1]) : fs::temp_directory_path() / "skein-bench";
  const double seconds = count > 2 ? std::atof(words[2]) : 3;
  const std::size_t only = count > 3 ? static_cast<std::size_t>(std::atoi(words[3])) : 0;
  std::printf("%6s %15s %14s %7s %13s %12s\n", "group", "store entries/s", "bare entries/s",
              "ratio", "store us/entry", "bare us/entry");
  for (const std::size_t group : {std::size_t{1}, std::size_t{64}, std::size_t{256}}) {
    if (only == 0 || only == group) {
      compare(root, group, seconds);
    }
  }
  fs::remove_all(root);
}
