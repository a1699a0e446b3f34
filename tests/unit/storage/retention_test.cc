#include <gtest/gtest.h>

#include "storage/rocks_store.h"
#include "support/appends.h"
#include "support/folder.h"

namespace skein::test {
namespace {

using storage::Finding;
using storage::RetentionPolicy;
using storage::RocksStore;

class Retention : public testing::Test {
 protected:
  /// A run of two entries with a large payload that is its own and one that all share.
  void make(const std::string& run, RunState state, std::int64_t updated) {
    RunRecord record = record_of(run, state, updated);
    ASSERT_TRUE(commit(*store_, {entry_of(run, 1, Value(std::string(50'000, 's'))),
                                 with_record(entry_of(run, 2, Value(run + large_)), record)}));
  }

  std::vector<Finding> findings() {
    auto report = store_->examine(nullptr, false);
    EXPECT_TRUE(report);
    return report->findings;
  }

  Folder folder_;
  std::string large_ = std::string(50'000, 'x');
  std::unique_ptr<RocksStore> store_ = std::move(*RocksStore::open(folder_.path() / "db"));
  RetentionPolicy policy_{Millis{100}, 2};
};

TEST_F(Retention, an_event_is_found_by_its_senders_id_until_its_run_is_removed) {
  make("old", RunState::succeeded, 0);
  make("waiting", RunState::waiting, 0);
  EXPECT_EQ(*store_->find_event(RunId("old"), "s2"), Seq(2));
  EXPECT_FALSE(*store_->find_event(RunId("old"), "s3"));
  EXPECT_FALSE(*store_->find_event(RunId("another"), "s2"));
  store_.reset();
  store_ = std::move(*RocksStore::open(folder_.path() / "db"));
  ASSERT_TRUE(store_->collect(policy_, at(1'000)));
  EXPECT_FALSE(*store_->find_event(RunId("old"), "s2"));
  EXPECT_EQ(*store_->find_event(RunId("waiting"), "s2"), Seq(2));
}

TEST_F(Retention, removes_final_runs_that_are_old_and_nothing_else) {
  for (int i = 0; i < 9; ++i) {
    make("old-" + std::to_string(i), RunState::succeeded, i);
  }
  make("young", RunState::failed, 950);
  make("waiting", RunState::waiting, 0);
  auto report = store_->collect(policy_, at(1'000));
  ASSERT_TRUE(report) << to_string(report.error());
  EXPECT_EQ(report->runs, 9u);
  EXPECT_EQ(report->entries, 18u);
  EXPECT_EQ(report->blobs, 9u) << "what others refer to stays";
  EXPECT_EQ(store_->last_seq(RunId("old-3"))->get(), 0u);
  EXPECT_EQ(store_->load_run(RunId("old-3")).error().code, Code::run_unknown);
  EXPECT_EQ(store_->list_runs({})->size(), 2u);
  for (const char* const kept : {"young", "waiting"}) {
    EXPECT_EQ(store_->load_run(RunId(kept))->tail.size(), 2u);
  }
  EXPECT_EQ(store_->collect(policy_, at(1'000))->runs, 0u);
}

TEST_F(Retention, leaves_a_chain_that_verifies_and_an_id_that_may_be_used_again) {
  make("again", RunState::succeeded, 0);
  ASSERT_TRUE(store_->collect(policy_, at(1'000)));
  auto report = store_->examine(nullptr, false);
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->healthy());
  EXPECT_EQ(report->retired, 2u);
  make("again", RunState::running, 2'000);
  report = store_->examine(nullptr, false);
  EXPECT_TRUE(report->healthy()) << to_string(report->findings.front().error);
  EXPECT_EQ(report->entries, 2u);
}

TEST_F(Retention, keeps_a_content_that_a_new_run_refers_to_again) {
  make("first", RunState::succeeded, 0);
  ASSERT_TRUE(store_->collect(policy_, at(1'000)));
  make("second", RunState::running, 0);
  EXPECT_EQ(store_->collect(policy_, at(1'000))->blobs, 0u);
  EXPECT_TRUE(findings().empty());
}

TEST_F(Retention, the_newest_two_checkpoints_of_a_run_stay_also_after_a_restart) {
  const auto mark = [&](std::uint64_t seq) {
    Append append = entry_of("a", seq);
    append.checkpoint = Checkpoint{RunId("a"), Seq(seq), Digest{seq, 7}, object({{"n", 1}})};
    ASSERT_TRUE(commit(*store_, append));
  };
  const auto kept = [&] {
    std::vector<std::uint64_t> seqs;
    const auto marks = store_->checkpoint_marks(RunId("a"));
    for (const CheckpointMark& found : *marks) {
      seqs.push_back(found.seq.get());
    }
    return seqs;
  };
  for (const std::uint64_t seq : {1u, 2u, 3u}) {
    mark(seq);
  }
  EXPECT_EQ(kept(), (std::vector<std::uint64_t>{2, 3}));
  store_.reset();
  store_ = std::move(*RocksStore::open(folder_.path() / "db"));
  mark(4);
  EXPECT_EQ(kept(), (std::vector<std::uint64_t>{3, 4}));
  EXPECT_TRUE(findings().empty());
}

} // namespace
} // namespace skein::test
