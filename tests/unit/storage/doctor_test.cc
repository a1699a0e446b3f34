#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include "storage/layout/rocks_key.h"
#include "storage/rocks_store.h"
#include "support/appends.h"
#include "support/folder.h"

namespace skein::test {
namespace {

using storage::Key;
using storage::RocksStore;
using storage::Table;

/// Takes a run's rows from its entries: a timer and a wait for each signal.
class CountingFold : public storage::Refold {
 public:
  Result<storage::Refolded> refold(const RunId& run, std::span<const Entry> entries) override {
    storage::Refolded folded;
    folded.record = record_of(run.get(), RunState::waiting);
    folded.record.steps = entries.size();
    folded.timers.push_back(TimerRow{run, entries.size(), at(5)});
    folded.waits.push_back(WaitRow{run, WaitRow::What::signal, "go"});
    return folded;
  }
};

class Doctor : public testing::Test {
 protected:
  void SetUp() override {
    reopen();
    for (const char* const run : {"a", "b", "c"}) {
      Append append = entry_of(run, 2);
      append.record = record_of(run, RunState::waiting);
      append.record->steps = 2;
      append.arm = {TimerRow{RunId(run), 2, at(5)}};
      append.open = {WaitRow{RunId(run), WaitRow::What::signal, "go"}};
      ASSERT_TRUE(commit(*store_, {entry_of(run, 1), append}));
    }
  }

  void reopen() {
    store_.reset();
    store_ = std::move(*RocksStore::open(folder_.path() / "db"));
  }

  /// Changes rows behind the store's back.
  template <class Change>
  void tamper(const Change& change) {
    store_.reset();
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const char* const name : {"default", "history", "runs", "blobs"}) {
      families.emplace_back(name, rocksdb::ColumnFamilyOptions());
    }
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* raw = nullptr;
    ASSERT_TRUE(
        rocksdb::DB::Open({}, (folder_.path() / "db").string(), families, &handles, &raw).ok());
    change(*raw, handles);
    for (rocksdb::ColumnFamilyHandle* const handle : handles) {
      raw->DestroyColumnFamilyHandle(handle);
    }
    delete raw;
    reopen();
  }

  static std::string journal_key(const std::string& run, std::uint64_t seq) {
    return Key(partition_of(RunId(run)), Table::journal).text(run).u64(seq).take();
  }

  storage::DoctorReport examine(bool repair = false) {
    auto report = store_->examine(&fold_, repair);
    EXPECT_TRUE(report);
    return std::move(*report);
  }

  Folder folder_;
  CountingFold fold_;
  std::unique_ptr<RocksStore> store_;
};

using Handles = std::vector<rocksdb::ColumnFamilyHandle*>;

TEST_F(Doctor, finds_nothing_in_a_healthy_directory_and_counts_what_it_saw) {
  const auto report = examine();
  EXPECT_TRUE(report.healthy()) << to_string(report.findings.front().error);
  EXPECT_EQ(report.entries, 6u);
  EXPECT_EQ(report.runs, 3u);
  EXPECT_EQ(report.batches, 3u);
}

TEST_F(Doctor, names_the_entry_whose_bytes_are_not_what_its_batch_says) {
  tamper([](rocksdb::DB& raw, const Handles& handles) {
    std::string bytes;
    ASSERT_TRUE(raw.Get({}, handles[1], journal_key("b", 1), &bytes).ok());
    ASSERT_TRUE(raw.Put({}, handles[1], journal_key("a", 2), bytes).ok());
  });
  const auto report = examine();
  ASSERT_FALSE(report.healthy());
  const storage::Finding& first = report.findings.front();
  EXPECT_EQ(first.error.code, Code::hash_mismatch);
  EXPECT_EQ(first.run, RunId("a"));
  EXPECT_EQ(first.seq, Seq(2));
}

TEST_F(Doctor, finds_a_missing_entry_and_never_repairs_the_journal) {
  tamper([](rocksdb::DB& raw, const Handles& handles) {
    ASSERT_TRUE(raw.Delete({}, handles[1], journal_key("a", 1)).ok());
  });
  EXPECT_FALSE(examine(true).healthy());
  EXPECT_FALSE(examine().healthy());
}

TEST_F(Doctor, names_a_message_that_cannot_be_read_which_the_outbox_leaves_out) {
  Append append = entry_of("a", 3);
  append.outbox = {OutboxRow{"m1", "t", Value(1)}, OutboxRow{"m2", "t", Value(2)}};
  ASSERT_TRUE(commit(*store_, append));
  ASSERT_EQ(examine(true).left(), 0u); // the entry has no rows but its messages
  const PartitionId partition = partition_of(RunId("a"));
  const LogIndex index = store_->tail_of(partition)->last;
  tamper([&](rocksdb::DB& raw, const Handles& handles) {
    const std::string first = Key(partition, Table::outbox).u64(index.get()).u32(0).take();
    ASSERT_TRUE(raw.Put({}, handles[0], first, "no message").ok());
  });
  const auto items = store_->outbox(1);
  ASSERT_TRUE(items);
  ASSERT_EQ(items->size(), 1u);
  EXPECT_EQ(items->front().row.id, "m2");
  ASSERT_TRUE(store_->outbox_delivered(*items));
  EXPECT_TRUE(store_->outbox(1)->empty());
  for (const bool repair : {true, false}) { // it stays
    const auto report = examine(repair);
    ASSERT_EQ(report.found, 1u);
    EXPECT_EQ(report.findings.front().error.code, Code::storage_corrupt);
    EXPECT_EQ(report.findings.front().partition, partition);
    EXPECT_EQ(report.findings.front().index, index);
    EXPECT_EQ(report.left(), 1u);
  }
}

TEST_F(Doctor, finds_a_batch_that_is_missing_from_the_chain) {
  const PartitionId partition = partition_of(RunId("a"));
  ASSERT_TRUE(commit(*store_, entry_of("a", 3)));
  tamper([&](rocksdb::DB& raw, const Handles& handles) {
    ASSERT_TRUE(raw.Delete({}, handles[1], Key(partition, Table::log).u64(1).take()).ok());
  });
  bool located = false;
  for (const storage::Finding& finding : examine().findings) {
    located = located || (finding.index && finding.partition == partition);
  }
  EXPECT_TRUE(located);
}

TEST_F(Doctor, finds_an_entry_that_no_batch_names) {
  tamper([](rocksdb::DB& raw, const Handles& handles) {
    std::string bytes;
    ASSERT_TRUE(raw.Get({}, handles[1], journal_key("b", 1), &bytes).ok());
    ASSERT_TRUE(raw.Put({}, handles[1], journal_key("b", 3), bytes).ok());
  });
  EXPECT_FALSE(examine().healthy());
}

TEST_F(Doctor, rebuilds_records_indexes_timers_and_waits_from_the_journal) {
  tamper([](rocksdb::DB& raw, const Handles& handles) {
    for (const std::size_t family : {0u, 2u}) {
      std::unique_ptr<rocksdb::Iterator> rows(raw.NewIterator({}, handles[family]));
      for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
        if (rows->key()[0] != '\xff') {
          ASSERT_TRUE(raw.Delete({}, handles[family], rows->key()).ok());
        }
      }
    }
    const std::string stale =
        Key(partition_of(RunId("a")), Table::timer).due(at(1)).text("a").u64(9).take();
    ASSERT_TRUE(raw.Put({}, handles[0], stale, "").ok());
  });
  EXPECT_TRUE(store_->list_runs({})->empty());
  EXPECT_FALSE(examine().healthy());
  const auto repaired = examine(true);
  EXPECT_GT(repaired.rebuilt, 0u);
  EXPECT_TRUE(repaired.findings.front().repaired);
  EXPECT_TRUE(examine().healthy());
  EXPECT_EQ(store_->list_runs({})->size(), 3u);
  EXPECT_EQ(store_->due_timers(at(5), 9)->size(), 3u);
  EXPECT_EQ(store_->waits_of(RunId("b"))->size(), 1u);
  EXPECT_EQ(*store_->find_event(RunId("b"), "s2"), Seq(2));
  EXPECT_TRUE(commit(*store_, entry_of("a", 3)));
}

TEST_F(Doctor, follows_the_links_of_a_large_batch_behind_which_the_log_goes_on) {
  std::vector<Append> appends;
  for (std::uint64_t seq = 1; seq <= 40'000; ++seq) {
    appends.push_back(entry_of("large", seq));
  }
  ASSERT_TRUE(store_->commit(std::vector<Batch>{batch_of(std::move(appends))}));
  reopen();
  ASSERT_TRUE(commit(*store_, entry_of("large", 40'001)));
  const auto report = store_->examine(nullptr, false);
  EXPECT_EQ(report->entries, 40'007u);
  EXPECT_EQ(report->batches, 3u + 3u + 1u);
}

TEST_F(Doctor, notes_again_which_run_uses_a_large_content_so_that_no_sweep_removes_it) {
  ASSERT_TRUE(commit(*store_, entry_of("a", 3, Value(std::string(100'000, 'x')))));
  const std::string uses = Key(partition_of(RunId("a")), Table::blob_use).text("a").take();
  const auto count = [&](rocksdb::DB& raw, const Handles& handles, bool remove) {
    int found = 0;
    std::unique_ptr<rocksdb::Iterator> rows(raw.NewIterator({}, handles[0]));
    for (rows->Seek(uses); rows->Valid() && rows->key().starts_with(uses); rows->Next()) {
      ++found;
      EXPECT_TRUE(!remove || raw.Delete({}, handles[0], rows->key()).ok());
    }
    return found;
  };
  tamper(
      [&](rocksdb::DB& raw, const Handles& handles) { EXPECT_EQ(count(raw, handles, true), 1); });
  EXPECT_EQ(store_->examine(nullptr, false)->repairable, 1u);
  EXPECT_EQ(store_->examine(nullptr, true)->repaired, 1u);
  EXPECT_TRUE(store_->examine(nullptr, false)->healthy());
  tamper(
      [&](rocksdb::DB& raw, const Handles& handles) { EXPECT_EQ(count(raw, handles, false), 1); });
}

TEST_F(Doctor, takes_nothing_away_from_runs_whose_journal_is_lost) {
  tamper([](rocksdb::DB& raw, const Handles& handles) {
    std::unique_ptr<rocksdb::Iterator> rows(raw.NewIterator({}, handles[1]));
    for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
      ASSERT_TRUE(raw.Delete({}, handles[1], rows->key()).ok());
    }
  });
  const auto repaired = examine(true);
  EXPECT_EQ(repaired.found, 3u);
  EXPECT_EQ(repaired.rebuilt, 0u);
  EXPECT_EQ(store_->list_runs({})->size(), 3u);
  EXPECT_EQ(store_->due_timers(at(5), 9)->size(), 3u);
  EXPECT_EQ(store_->waits_of(RunId("b"))->size(), 1u);
  EXPECT_TRUE(store_->find_event(RunId("b"), "s2")->has_value());
}

TEST_F(Doctor, an_unreadable_checkpoint_is_a_finding_and_loading_falls_back_to_an_older_one) {
  for (std::uint64_t seq = 3; seq <= 20; ++seq) {
    Append append = entry_of("a", seq);
    append.checkpoint = Checkpoint{RunId("a"), Seq(seq), Digest{seq, 7}, object({{"n", 1}})};
    ASSERT_TRUE(commit(*store_, append));
  }
  ASSERT_TRUE(commit(*store_, entry_of("a", 21)));
  tamper([](rocksdb::DB& raw, const Handles& handles) {
    const std::string newest =
        Key(partition_of(RunId("a")), Table::checkpoint).text("a").u64(20).take();
    ASSERT_TRUE(raw.Put({}, handles[2], newest, "not a checkpoint").ok());
  });
  auto loaded = store_->load_run(RunId("a"));
  ASSERT_TRUE(loaded) << to_string(loaded.error());
  ASSERT_TRUE(loaded->checkpoint);
  EXPECT_EQ(loaded->checkpoint->seq, Seq(19));
  EXPECT_EQ(loaded->tail.size(), 2u);
  EXPECT_EQ(store_->checkpoints(RunId("a")).error().code, Code::storage_corrupt);
  EXPECT_FALSE(store_->examine(nullptr, false)->healthy());
}

} // namespace
} // namespace skein::test
