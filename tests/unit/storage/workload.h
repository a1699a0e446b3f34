#pragma once

#include <rocksdb/env.h>
#include <rocksdb/system_clock.h>

#include <map>
#include <string>

#include "storage/rocks_store.h"
#include "support/appends.h"
#include "unit/storage/fault_file_system.h"

namespace skein::test {

/// Commits one batch after another until one is refused, and remembers what was accepted.
class Workload {
 public:
  /// Commit `n`: a few entries of some of ten runs, with everything that can come with an entry.
  Result<void> step(Store& store) {
    const std::uint64_t n = steps_;
    std::map<std::string, std::uint64_t> next = accepted_;
    std::vector<Batch> batches;
    for (std::uint64_t i = 0; i <= n % 3; ++i) {
      const std::string run = "run-" + std::to_string((n * 7 + i) % 10);
      batches.push_back(batch_of({append_of(run, ++next[run], n)}));
    }
    auto done = store.commit(batches);
    if (done) {
      accepted_ = std::move(next);
      ++steps_;
    }
    return done;
  }

  /// Steps until one is refused, or `most`.
  Result<void> run(Store& store, std::uint64_t most) {
    for (std::uint64_t i = 0; i < most; ++i) {
      if (auto done = step(store); !done) {
        return done;
      }
    }
    return {};
  }

  /// What of the accepted entries the store has lost or cannot read; "" where all is well.
  std::string lost(const Store& store) const {
    for (const auto& [run, last] : accepted_) {
      std::uint64_t seen = 0;
      auto read = store.read_journal(RunId(run), Seq(1), [&](const Entry& entry) {
        seen = entry.seq.get();
        return true;
      });
      if (!read) {
        return to_string(read.error());
      }
      if (seen < last) {
        return run + " has " + std::to_string(seen) + " entries of " + std::to_string(last);
      }
    }
    return "";
  }

  /// Goes on from what the store has, as a process that starts again does.
  void adopt(const Store& store) {
    for (int i = 0; i < 10; ++i) {
      const std::string run = "run-" + std::to_string(i);
      if (auto last = store.last_seq(RunId(run)); last && last->get() > 0) {
        accepted_[run] = last->get();
      }
    }
  }

  std::uint64_t steps() const { return steps_; }

 private:
  static Append append_of(const std::string& run, std::uint64_t seq, std::uint64_t n) {
    const std::string payload(n % 11 == 0 ? 40'000 : 300 + n % 97, static_cast<char>('a' + n % 26));
    Append append = entry_of(run, seq, Value(payload));
    append.record = record_of(run, seq % 2 == 0 ? RunState::waiting : RunState::running);
    if (seq % 4 == 0) {
      append.checkpoint = Checkpoint{RunId(run), Seq(seq), Digest{seq, 7}, object({{"n", 1}})};
    }
    append.arm = {TimerRow{RunId(run), seq, at(static_cast<std::int64_t>(n))}};
    return append;
  }

  std::map<std::string, std::uint64_t> accepted_;
  std::uint64_t steps_ = 0;
};

/// RocksDB waits a second after each failure of a disk; here it does not.
class ImpatientClock : public rocksdb::SystemClockWrapper {
 public:
  ImpatientClock() : SystemClockWrapper(rocksdb::SystemClock::Default()) {}
  const char* Name() const override { return "ImpatientClock"; }
  void SleepForMicroseconds(int) override {}
};

class ImpatientEnv : public rocksdb::EnvWrapper {
 public:
  explicit ImpatientEnv(std::unique_ptr<rocksdb::Env> env) : EnvWrapper(std::move(env)) {
    system_clock_ = std::make_shared<ImpatientClock>();
  }
};

/// A store on a disk that can fail.
class FaultyDisk {
 public:
  FaultyDisk(std::filesystem::path directory, std::uint64_t seed)
      : directory_(std::move(directory)),
        disk(std::make_shared<FaultFileSystem>(seed)),
        env_(std::make_unique<ImpatientEnv>(rocksdb::NewCompositeEnv(disk))) {
    std::filesystem::create_directories(directory_);
  }

  Result<std::unique_ptr<storage::RocksStore>> open() {
    storage::Options options;
    options.env = env_.get();
    options.write_memory = 640u << 10;
    return storage::RocksStore::open(directory_, options);
  }

 private:
  std::filesystem::path directory_;

 public:
  std::shared_ptr<FaultFileSystem> disk;

 private:
  std::unique_ptr<rocksdb::Env> env_;
};

} // namespace skein::test
