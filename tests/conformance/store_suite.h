#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "core/ports/store.h"
#include "support/appends.h"

/// What every Store must do. A test program includes this once and instantiates StoreSuite with its
/// implementations.
namespace skein::test {

/// One store under test and what it stands on.
class StoreHouse {
 public:
  virtual ~StoreHouse() = default;
  virtual Store& store() = 0;
  /// Closes and opens it again; does nothing where there is nothing to open.
  virtual void reopen() {}
};

struct StoreCase {
  std::string name;
  std::function<std::unique_ptr<StoreHouse>()> build;
};
inline void PrintTo(const StoreCase& which, std::ostream* out) { *out << which.name; }

class StoreSuite : public testing::TestWithParam<StoreCase> {
 protected:
  Store& store() { return house_->store(); }
  void reopen() { house_->reopen(); }

  std::vector<std::string> listed(const RunFilter& filter) {
    std::vector<std::string> ids;
    auto runs = store().list_runs(filter);
    EXPECT_TRUE(runs) << to_string(runs.error());
    for (const RunRecord& record : *runs) {
      ids.push_back(record.id.get());
    }
    return ids;
  }

  std::unique_ptr<StoreHouse> house_ = GetParam().build();
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StoreSuite);

using Names = std::vector<std::string>;

TEST_P(StoreSuite, committed_entries_are_read_back_in_order_after_a_reopen) {
  ASSERT_TRUE(commit(store(), {entry_of("a", 1), entry_of("a", 2), entry_of("a", 3)}));
  ASSERT_TRUE(commit(store(), entry_of("b", 1)));
  reopen();
  std::vector<std::uint64_t> seqs;
  ASSERT_TRUE(store().read_journal(RunId("a"), Seq(2), [&](const Entry& entry) {
    EXPECT_EQ(flow::kind_of(entry.event), flow::kind_of(flow::Signalled{}));
    EXPECT_EQ(entry.state, (Digest{entry.seq.get(), 7}));
    seqs.push_back(entry.seq.get());
    return true;
  }));
  EXPECT_EQ(seqs, (std::vector<std::uint64_t>{2, 3}));
  EXPECT_EQ(store().last_seq(RunId("a"))->get(), 3u);
  EXPECT_EQ(store().last_seq(RunId("nobody"))->get(), 0u);
}

TEST_P(StoreSuite, an_entry_that_is_not_the_next_of_its_run_is_refused_and_nothing_is_written) {
  ASSERT_TRUE(commit(store(), entry_of("a", 1)));
  for (const std::uint64_t seq : {1u, 3u}) {
    const Batch batches[] = {batch_of({entry_of("other", 1)}), batch_of({entry_of("a", seq)})};
    auto refused = store().commit(batches);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::run_state_conflict);
  }
  reopen();
  EXPECT_EQ(store().last_seq(RunId("other"))->get(), 0u);
  EXPECT_FALSE(commit(store(), entry_of("a", 1)));
  EXPECT_TRUE(commit(store(), entry_of("a", 2)));
}

TEST_P(StoreSuite, a_batch_of_an_older_epoch_is_refused) {
  const Batch newer = batch_of({entry_of("a", 1)}, 5);
  ASSERT_TRUE(store().commit({&newer, 1}));
  reopen();
  const Batch older = batch_of({entry_of("a", 2)}, 4);
  auto refused = store().commit({&older, 1});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::run_state_conflict);
  auto tail = store().tail_of(newer.partition);
  ASSERT_TRUE(tail);
  EXPECT_EQ(tail->last.get(), 1u);
  EXPECT_EQ(tail->epoch.get(), 5u);
}

TEST_P(StoreSuite, a_run_is_loaded_from_its_newest_checkpoint_and_what_follows) {
  std::vector<Append> appends{with_record(entry_of("a", 1), record_of("a", RunState::running))};
  for (std::uint64_t seq = 2; seq <= 30; ++seq) {
    appends.push_back(entry_of("a", seq));
  }
  appends[28].checkpoint = Checkpoint{RunId("a"), Seq(29), Digest{2, 7}, object({{"n", 2}})};
  ASSERT_TRUE(commit(store(), appends));
  reopen();
  auto loaded = store().load_run(RunId("a"));
  ASSERT_TRUE(loaded) << to_string(loaded.error());
  ASSERT_TRUE(loaded->checkpoint);
  EXPECT_EQ(loaded->checkpoint->seq.get(), 29u);
  EXPECT_EQ(loaded->checkpoint->cells, object({{"n", 2}}));
  ASSERT_EQ(loaded->tail.size(), 1u);
  EXPECT_EQ(loaded->tail[0].seq.get(), 30u);
  const auto marks = store().checkpoint_marks(RunId("a"));
  ASSERT_TRUE(marks && marks->size() == 1);
  EXPECT_EQ(marks->front().seq, Seq(29));
  EXPECT_EQ(store().load_run(RunId("b")).error().code, Code::run_unknown);
  EXPECT_EQ(
      store().read_journal(RunId("b"), Seq(1), [](const Entry&) { return true; }).error().code,
      Code::run_unknown);
}

TEST_P(StoreSuite, a_run_of_a_few_entries_is_loaded_with_its_checkpoint_or_whole) {
  Append first = with_record(entry_of("a", 1), record_of("a", RunState::running));
  first.checkpoint = Checkpoint{RunId("a"), Seq(1), Digest{2, 7}, object({{"n", 2}})};
  ASSERT_TRUE(commit(store(), {first, entry_of("a", 2)}));
  const auto loaded = store().load_run(RunId("a"));
  EXPECT_EQ(loaded->tail.size(), loaded->checkpoint ? 1u : 2u);
}

TEST_P(StoreSuite, large_payloads_come_back_whole) {
  const std::string large(200'000, 'x');
  ASSERT_TRUE(commit(store(), {entry_of("a", 1, Value(large)), entry_of("a", 2, Value(large))}));
  reopen();
  std::size_t seen = 0;
  ASSERT_TRUE(store().read_journal(RunId("a"), Seq(2), [&](const Entry& entry) {
    seen = std::get<flow::Signalled>(entry.event).payload.as_string().size();
    return true;
  }));
  EXPECT_EQ(seen, large.size());
}

TEST_P(StoreSuite, runs_are_listed_newest_first_and_by_state_definition_and_label) {
  const Value team = object({{"team", "ops"}, {"tier", "1"}});
  ASSERT_TRUE(
      commit(store(), with_record(entry_of("a", 1), record_of("a", RunState::running, 10))));
  ASSERT_TRUE(commit(store(), with_record(entry_of("b", 1),
                                          record_of("b", RunState::waiting, 30, "other", team))));
  ASSERT_TRUE(commit(store(), with_record(entry_of("c", 1),
                                          record_of("c", RunState::running, 20, "triage", team))));
  reopen();
  EXPECT_EQ(listed({}), (Names{"b", "c", "a"}));
  RunFilter filter;
  filter.state = RunState::running;
  EXPECT_EQ(listed(filter), (Names{"c", "a"}));
  filter.labels = {{"team", "ops"}};
  EXPECT_EQ(listed(filter), (Names{"c"}));
  filter = {};
  filter.definition = "other";
  EXPECT_EQ(listed(filter), (Names{"b"}));
  filter.labels = {{"team", "dev"}};
  EXPECT_EQ(listed(filter), Names{});
}

TEST_P(StoreSuite, pages_of_a_list_neither_repeat_nor_skip) {
  Names all;
  for (int i = 0; i < 40; ++i) {
    const std::string id = "run-" + std::to_string(i);
    ASSERT_TRUE(
        commit(store(), with_record(entry_of(id, 1), record_of(id, RunState::running, i / 4))));
  }
  RunFilter filter;
  filter.limit = 7;
  for (Names page = listed(filter); !page.empty(); page = listed(filter)) {
    all.insert(all.end(), page.begin(), page.end());
    filter.after = RunId(page.back());
  }
  EXPECT_EQ(all.size(), 40u);
  filter = {};
  EXPECT_EQ(all, listed(filter));
}

TEST_P(StoreSuite, a_changed_record_leaves_its_old_places_in_the_lists) {
  const Value red = object({{"colour", "red"}});
  const Value blue = object({{"colour", "blue"}});
  ASSERT_TRUE(commit(
      store(), {with_record(entry_of("a", 1), record_of("a", RunState::pending, 0, "f", red)),
                with_record(entry_of("a", 2), record_of("a", RunState::running, 0, "g", red))}));
  reopen();
  ASSERT_TRUE(commit(
      store(), {with_record(entry_of("a", 3), record_of("a", RunState::succeeded, 0, "g", blue))}));
  RunFilter filter;
  for (const RunState state : {RunState::pending, RunState::running}) {
    filter.state = state;
    EXPECT_EQ(listed(filter), Names{});
  }
  filter = {};
  filter.labels = {{"colour", "red"}};
  EXPECT_EQ(listed(filter), Names{});
  filter.labels = {{"colour", "blue"}};
  filter.definition = "g";
  EXPECT_EQ(listed(filter), Names{"a"});
}

TEST_P(StoreSuite, live_runs_are_those_that_are_pending_or_running) {
  std::vector<std::string> live;
  for (const auto& [id, state] :
       std::vector<std::pair<std::string, RunState>>{{"a", RunState::pending},
                                                     {"b", RunState::running},
                                                     {"c", RunState::waiting},
                                                     {"d", RunState::succeeded}}) {
    ASSERT_TRUE(commit(store(), with_record(entry_of(id, 1), record_of(id, state))));
  }
  reopen();
  for (std::uint16_t p = 0; p < kPartitions; ++p) {
    ASSERT_TRUE(store().live_runs(PartitionId(p), [&](const RunId& run) {
      live.push_back(run.get());
      return true;
    }));
  }
  std::sort(live.begin(), live.end());
  EXPECT_EQ(live, (Names{"a", "b"}));
}

TEST_P(StoreSuite, timers_come_due_in_order_over_all_runs_until_they_are_disarmed) {
  Append arm_a = entry_of("a", 1);
  arm_a.arm = {TimerRow{RunId("a"), 1, at(30)}, TimerRow{RunId("a"), 2, at(10)}};
  Append arm_b = entry_of("b", 1);
  arm_b.arm = {TimerRow{RunId("b"), 1, at(20)}};
  ASSERT_TRUE(commit(store(), arm_a));
  ASSERT_TRUE(commit(store(), arm_b));
  reopen();
  EXPECT_EQ(*store().next_timer(), at(10));
  auto due = store().due_timers(at(20), 10);
  ASSERT_TRUE(due);
  EXPECT_EQ(*due, (std::vector{arm_a.arm[1], arm_b.arm[0]}));
  EXPECT_EQ(store().due_timers(at(99), 1)->size(), 1u);
  Append disarm = entry_of("a", 2);
  disarm.disarm = {arm_a.arm[1]};
  ASSERT_TRUE(commit(store(), disarm));
  EXPECT_EQ(*store().next_timer(), at(20));
}

TEST_P(StoreSuite, waits_are_those_that_were_opened_and_not_closed) {
  const WaitRow signal{RunId("a"), WaitRow::What::signal, "go"};
  const WaitRow approval{RunId("a"), WaitRow::What::approval, "ask"};
  Append open = entry_of("a", 1);
  open.open = {signal, approval};
  ASSERT_TRUE(commit(store(), open));
  EXPECT_EQ(*store().waits_of(RunId("a")), (std::vector{signal, approval}));
  Append again = entry_of("a", 2);
  again.close = {signal, approval};
  again.open = {signal};
  ASSERT_TRUE(commit(store(), again));
  reopen();
  EXPECT_EQ(*store().waits_of(RunId("a")), std::vector{signal});
  EXPECT_TRUE(store().waits_of(RunId("ab"))->empty());
}

TEST_P(StoreSuite, a_message_stays_in_the_outbox_until_it_is_delivered) {
  Append append = entry_of("a", 1);
  append.outbox = {OutboxRow{"m1", "t", object({{"n", 1}})}, OutboxRow{"m2", "t", Value(2)}};
  ASSERT_TRUE(commit(store(), append));
  reopen();
  auto items = store().outbox(10);
  ASSERT_TRUE(items);
  ASSERT_EQ(items->size(), 2u);
  EXPECT_EQ((*items)[0].row.id, "m1");
  EXPECT_EQ((*items)[0].row.message, object({{"n", 1}}));
  ASSERT_TRUE(store().outbox_delivered({items->data(), 1}));
  items = store().outbox(10);
  ASSERT_EQ(items->size(), 1u);
  EXPECT_EQ((*items)[0].row.id, "m2");
}

TEST_P(StoreSuite, every_revision_of_a_resource_is_kept_and_the_same_content_is_no_new_one) {
  EXPECT_EQ(store().apply_resource("Flow", "f", "one", at(0))->revision, 1u);
  EXPECT_EQ(store().apply_resource("Flow", "f", "one", at(1))->revision, 1u);
  EXPECT_EQ(store().apply_resource("Flow", "f", "two", at(2))->revision, 2u);
  EXPECT_EQ(store().apply_resource("Flow", "f.g", "x", at(2))->revision, 1u);
  reopen();
  EXPECT_EQ(store().resource("Flow", "f")->content, "two");
  EXPECT_EQ(store().resource("Flow", "f", 1)->content, "one");
  EXPECT_EQ(store().resource_by_hash(content_hash("one"))->revision, 1u);
  EXPECT_EQ(store().resource_history("Flow", "f")->size(), 2u);
  EXPECT_EQ(store().list_resources("Flow")->size(), 2u);
  EXPECT_EQ(store().resource("Flow", "f", 9).error().code, Code::resource_unknown);
  EXPECT_EQ(store().resource_by_hash(content_hash("?")).error().code, Code::resource_unknown);
}

TEST_P(StoreSuite, a_deleted_resource_is_gone_by_name_but_not_by_content) {
  ASSERT_TRUE(store().apply_resource("Flow", "f", "one", at(0)));
  ASSERT_TRUE(store().delete_resource("Flow", "f", at(1)));
  reopen();
  EXPECT_EQ(store().resource("Flow", "f").error().code, Code::resource_unknown);
  EXPECT_EQ(store().delete_resource("Flow", "f", at(2)).error().code, Code::resource_unknown);
  EXPECT_TRUE(store().list_resources("Flow")->empty());
  EXPECT_EQ(store().resource_by_hash(content_hash("one"))->name, "f");
  EXPECT_EQ(store().apply_resource("Flow", "f", "one", at(3))->revision, 3u);
}

} // namespace skein::test
