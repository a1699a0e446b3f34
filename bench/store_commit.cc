// What one committer can make durable: entries per second through the store, beside a bare loop of
// the same database with as many bytes. Usage: store_commit [DIRECTORY] [SECONDS]

#include <rocksdb/db.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "storage/rocks_store.h"

namespace {

using namespace skein;
using Clock = std::chrono::steady_clock;

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
        batches_.push_back(Batch{partition, Epoch(1), Instant{1}, {}});
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

double store_rate(storage::RocksStore& store, std::size_t group, double seconds) {
  Workload work;
  for (double warm = 0; warm < 1; ++warm) {
    if (!store.commit(work.next(group))) {
      std::abort();
    }
  }
  const auto start = Clock::now();
  std::uint64_t entries = 0;
  for (; seconds_since(start) < seconds; entries += group) {
    if (auto done = store.commit(work.next(group)); !done) {
      std::fprintf(stderr, "%s\n", to_string(done.error()).c_str());
      std::exit(1);
    }
  }
  return static_cast<double>(entries) / seconds_since(start);
}

double bare_rate(const std::filesystem::path& directory, std::size_t group, double seconds) {
  rocksdb::Options options;
  options.create_if_missing = true;
  rocksdb::DB* database = nullptr;
  if (!rocksdb::DB::Open(options, directory.string(), &database).ok()) {
    std::exit(1);
  }
  rocksdb::WriteOptions synced;
  synced.sync = true;
  const std::string value(230, 'v');
  std::uint64_t entries = 0;
  const auto start = Clock::now();
  while (seconds_since(start) < seconds) {
    rocksdb::WriteBatch batch;
    for (std::size_t i = 0; i < group; ++i) {
      char key[24];
      std::snprintf(key, sizeof key, "%020llu", static_cast<unsigned long long>(entries++));
      batch.Put(key, value);
    }
    if (!database->Write(synced, &batch).ok()) {
      std::exit(1);
    }
  }
  const double rate = static_cast<double>(entries) / seconds_since(start);
  delete database;
  return rate;
}

} // namespace

int main(int count, char** words) {
  namespace fs = std::filesystem;
  const fs::path root = count > 1 ? fs::path(words[1]) : fs::temp_directory_path() / "skein-bench";
  const double seconds = count > 2 ? std::atof(words[2]) : 3;
  std::printf("%8s %16s %16s %8s\n", "group", "store entries/s", "bare entries/s", "ratio");
  for (const std::size_t group : {std::size_t{1}, std::size_t{64}, std::size_t{256}}) {
    fs::remove_all(root);
    fs::create_directories(root);
    auto store = storage::RocksStore::open(root / "store");
    if (!store) {
      std::fprintf(stderr, "%s\n", to_string(store.error()).c_str());
      return 1;
    }
    const double ours = store_rate(**store, group, seconds);
    const double bare = bare_rate(root / "bare", group, seconds);
    std::printf("%8zu %16.0f %16.0f %8.2f\n", group, ours, bare, ours / bare);
  }
  fs::remove_all(root);
}
