#include "actors/committer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/appends.h"
#include "support/memory_store.h"

namespace skein::actors {
namespace {

class HandClock : public Clock {
 public:
  Instant now() const override { return Instant{now_}; }
  std::atomic<std::int64_t> now_ = 1;
};

/// Remembers how many batches came in one write, takes as long as the test says, and holds a write
/// up until it says go.
class GatedStore : public test::MemoryStore {
 public:
  explicit GatedStore(HandClock& clock) : clock_(clock) {}

  Result<void> commit(std::span<const Batch> batches) override {
    if (gated) {
      gated = false;
      reached.set_value();
      go.get_future().wait();
    }
    writes.push_back(batches.size());
    clock_.now_ += takes_ms;
    return MemoryStore::commit(batches);
  }

  std::vector<std::size_t> writes;
  std::int64_t takes_ms = 0;
  bool gated = false;
  std::promise<void> reached;
  std::promise<void> go;

 private:
  HandClock& clock_;
};

class CommitterTest : public ::testing::Test {
 protected:
  /// Which thread the answer to the run's next entry comes on.
  std::future<std::thread::id> submit(const std::string& run) {
    Batch batch;
    batch.partition = partition_of(RunId(run));
    batch.epoch = Epoch{1};
    batch.appends.push_back(test::entry_of(run, ++last_[run]));
    auto where = std::make_shared<std::promise<std::thread::id>>();
    committer_.submit(std::move(batch), [where](const Result<void>& done, Batch&&) {
      EXPECT_TRUE(done.ok());
      where->set_value(std::this_thread::get_id());
    });
    return where->get_future();
  }

  HandClock clock_;
  GatedStore store_{clock_};
  Committer committer_{store_, clock_};
  std::map<std::string, std::uint64_t> last_;
};

TEST_F(CommitterTest, a_run_that_has_the_store_to_itself_writes_where_it_submits) {
  EXPECT_NE(submit("alone").get(), std::this_thread::get_id());
  EXPECT_EQ(submit("alone").get(), std::this_thread::get_id());
  EXPECT_EQ(submit("alone").get(), std::this_thread::get_id());
}

TEST_F(CommitterTest, nobody_but_the_committer_waits_for_a_slow_disk) {
  submit("alone").wait();
  store_.takes_ms = 5;
  EXPECT_EQ(submit("alone").get(), std::this_thread::get_id()) << "nobody knows before";
  EXPECT_NE(submit("alone").get(), std::this_thread::get_id());
  store_.takes_ms = 0;
  EXPECT_NE(submit("alone").get(), std::this_thread::get_id());
  EXPECT_EQ(submit("alone").get(), std::this_thread::get_id());
}

TEST_F(CommitterTest, runs_that_take_turns_hold_nobody_up) {
  submit("one").wait();
  for (int turn = 0; turn < 3; ++turn) {
    EXPECT_NE(submit("other").get(), std::this_thread::get_id());
    EXPECT_NE(submit("one").get(), std::this_thread::get_id());
  }
}

TEST_F(CommitterTest, what_cannot_be_written_for_one_run_leaves_the_others_alone) {
  submit("alone").wait();
  store_.gated = true;
  std::thread alone([this] { submit("alone").wait(); });
  store_.reached.get_future().wait();
  const auto one = submit("one");
  Batch batch = test::batch_of({test::entry_of("other", 7)});
  std::promise<Result<void>> answer;
  committer_.submit(std::move(batch),
                    [&](const Result<void>& done, Batch&&) { answer.set_value(done); });
  store_.go.set_value();
  alone.join();
  one.wait();
  const auto refused = answer.get_future().get();
  ASSERT_FALSE(refused.ok()) << "its first entries are not there";
  EXPECT_EQ(refused.error().code, Code::run_state_conflict);
  EXPECT_EQ(store_.last_seq(RunId("one"))->get(), 1u);
}

TEST_F(CommitterTest, what_is_handed_in_together_is_written_together) {
  std::vector<Commits::Item> together;
  std::promise<void> written;
  for (const char* const run : {"one", "two", "three"}) {
    together.push_back(
        {test::batch_of({test::entry_of(run, 1)}),
         [&written, last = std::string(run) == "three"](const Result<void>& done, Batch&&) {
           EXPECT_TRUE(done.ok());
           if (last) {
             written.set_value();
           }
         }});
  }
  committer_.submit_all(std::move(together));
  written.get_future().wait();
  EXPECT_EQ(store_.writes, std::vector<std::size_t>{3});
}

TEST_F(CommitterTest, what_comes_during_a_write_is_written_together) {
  submit("alone").wait();
  store_.gated = true;
  std::thread alone([this] { submit("alone").wait(); });
  store_.reached.get_future().wait();
  const auto one = submit("one");
  const auto other = submit("other");
  store_.go.set_value();
  alone.join();
  one.wait();
  other.wait();
  EXPECT_EQ(store_.writes, (std::vector<std::size_t>{1, 1, 2}));
}

} // namespace
} // namespace skein::actors
