#include "node/refold.h"

#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include "node/fork.h"
#include "node/node.h"
#include "node/replay.h"
#include "schemas/yaml.h"
#include "storage/layout/rocks_key.h"
#include "support/folder.h"

namespace skein::node {
namespace {

using storage::Key;
using storage::Table;
using Handles = std::vector<rocksdb::ColumnFamilyHandle*>;

constexpr std::size_t kState = 0;
constexpr std::size_t kHistory = 1;
constexpr std::size_t kRuns = 2;

/// A directory with a run that ended, one that waits for a person, one that waits for time and a
/// fork of that, all from real flows.
class DoctorOfRuns : public ::testing::Test {
 protected:
  void SetUp() override {
    Settings settings;
    settings.data = data();
    settings.roots = {folder_.path()};
    auto opened = Node::open(settings);
    ASSERT_TRUE(opened.ok()) << to_string(opened.error());
    std::unique_ptr<Node> node = std::move(*opened);
    run(*node, "ended", "[ { id: one, tool: transform, with: 1 }, { id: two, set: { a: 2 } } ]");
    run(*node, "asks", R"([ { id: one, tool: transform, with: 1 }, { id: ask, approval: {} } ])");
    run(*node, "naps",
        "[ { id: one, tool: transform, with: 1 }, { id: nap, wait: { duration: 9h } } ]");
    const auto last = node->store().last_seq(RunId("naps"));
    ASSERT_TRUE(node->fork({RunId("naps"), *last, RunId("fork"), {}, {}}));
    ASSERT_TRUE(node->tell(RunId("naps"), flow::CancelAsked{Instant{4}, "ann", "enough"}));
  }

  static void run(Node& node, const std::string& name, const std::string& steps) {
    const std::string text = "apiVersion: skein.dev/v1\nkind: Flow\nmetadata: { name: " + name +
                             " }\nspec:\n  steps: " + steps + "\n";
    const auto documents = schemas::read_yaml(text, "test.yaml");
    ASSERT_TRUE(documents.ok()) << to_string(documents.error());
    const auto flow = apply_flow(node.store(), documents->front(), Instant{1}, &node.tools());
    ASSERT_TRUE(flow.ok()) << to_string(flow.error());
    ASSERT_TRUE(node.start({*flow, {}, {}, RunId(name), 7}).ok());
    ASSERT_TRUE(node.wait(RunId(name), true, {}).ok());
  }

  std::filesystem::path data() const { return folder_.path() / "data"; }

  template <class Change>
  void tamper(const Change& change) {
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const char* const name : {"default", "history", "runs", "blobs"}) {
      families.emplace_back(name, rocksdb::ColumnFamilyOptions());
    }
    Handles handles;
    rocksdb::DB* raw = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open({}, data().string(), families, &handles, &raw).ok());
    change(*raw, handles);
    for (rocksdb::ColumnFamilyHandle* const handle : handles) {
      raw->DestroyColumnFamilyHandle(handle);
    }
    delete raw;
  }

  /// Removes the rows of one table and answers how many there were.
  int remove_all(std::size_t family, Table table) {
    int removed = 0;
    tamper([&](rocksdb::DB& raw, const Handles& handles) {
      std::unique_ptr<rocksdb::Iterator> rows(raw.NewIterator({}, handles[family]));
      for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
        const rocksdb::Slice key = rows->key();
        if (key[2] == static_cast<char>(table) && static_cast<unsigned char>(key[0]) != 0xff) {
          ASSERT_TRUE(raw.Delete({}, handles[family], key).ok());
          ++removed;
        }
      }
    });
    return removed;
  }

  storage::DoctorReport look(bool repair = false) const {
    auto report = examine(data(), repair);
    EXPECT_TRUE(report.ok()) << to_string(report.error());
    return report.ok() ? std::move(*report) : storage::DoctorReport();
  }

  /// Found, repaired, and then there is nothing to find.
  void expect_repair(int at_least) const {
    const auto found = look();
    EXPECT_GE(found.found, static_cast<std::uint64_t>(at_least));
    EXPECT_EQ(found.repairable, found.found);
    EXPECT_EQ(found.repaired, 0u);
    EXPECT_EQ(look(true).left(), 0u);
    expect_healthy();
  }

  void expect_healthy() const {
    const auto report = look();
    EXPECT_TRUE(report.healthy()) << to_string(report.findings.front().error);
  }

  static std::string journal_key(const std::string& run, std::uint64_t seq) {
    return Key(partition_of(RunId(run)), Table::journal).text(run).u64(seq).take();
  }

  test::Folder folder_;
};

TEST_F(DoctorOfRuns, every_row_of_real_runs_follows_from_their_journals) {
  const auto report = look();
  ASSERT_TRUE(report.healthy()) << to_string(report.findings.front().error);
  EXPECT_EQ(report.runs, 4u);
  EXPECT_EQ(report.examined, kPartitions);
  EXPECT_GT(report.entries, 8u);
}

TEST_F(DoctorOfRuns, lost_index_rows_timers_waits_and_records_are_rebuilt) {
  EXPECT_GT(remove_all(kState, Table::index), 0);
  EXPECT_GT(remove_all(kState, Table::timer), 0);
  EXPECT_GT(remove_all(kState, Table::wait), 0);
  EXPECT_EQ(remove_all(kRuns, Table::record), 4);
  expect_repair(4 * 4 + 2);
}

TEST_F(DoctorOfRuns, rows_without_a_reason_are_removed) {
  tamper([](rocksdb::DB& raw, const Handles& handles) {
    const PartitionId partition = partition_of(RunId("ended"));
    const std::string timer =
        Key(partition, Table::timer).due(Instant{9}).text("ended").u64(77).take();
    const std::string wait = Key(partition, Table::wait).text("ended").byte(0).bytes("go").take();
    ASSERT_TRUE(raw.Put({}, handles[kState], timer, "").ok());
    ASSERT_TRUE(raw.Put({}, handles[kState], wait, "").ok());
  });
  expect_repair(2);
}

TEST_F(DoctorOfRuns, a_record_that_says_something_else_is_written_anew) {
  tamper([](rocksdb::DB& raw, const Handles& handles) {
    const auto key = [](const std::string& run) {
      return Key(partition_of(RunId(run)), Table::record).text(run).take();
    };
    std::string other;
    ASSERT_TRUE(raw.Get({}, handles[kRuns], key("asks"), &other).ok());
    ASSERT_TRUE(raw.Put({}, handles[kRuns], key("ended"), other).ok());
    ASSERT_TRUE(raw.Put({}, handles[kRuns], key("fork"), "nonsense").ok());
  });
  expect_repair(2);
}

TEST_F(DoctorOfRuns, a_flipped_byte_of_an_entry_is_found_and_never_repaired) {
  tamper([](rocksdb::DB& raw, const Handles& handles) {
    std::string bytes;
    ASSERT_TRUE(raw.Get({}, handles[kHistory], journal_key("ended", 2), &bytes).ok());
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    ASSERT_TRUE(raw.Put({}, handles[kHistory], journal_key("ended", 2), bytes).ok());
  });
  EXPECT_GT(look(true).left(), 0u);
  const auto after = look();
  EXPECT_GT(after.found, 0u);
  EXPECT_EQ(after.findings.front().run, RunId("ended"));
  EXPECT_EQ(after.findings.front().seq, Seq(2));
}

TEST_F(DoctorOfRuns, a_missing_batch_breaks_the_chain_and_stays_broken) {
  tamper([](rocksdb::DB& raw, const Handles& handles) {
    const std::string key = Key(partition_of(RunId("asks")), Table::log).u64(1).take();
    ASSERT_TRUE(raw.Delete({}, handles[kHistory], key).ok());
  });
  EXPECT_GT(look(true).left(), 0u);
  EXPECT_GT(look().left(), 0u);
}

TEST_F(DoctorOfRuns, checkpoints_that_cannot_be_used_are_removed_by_repair) {
  int damaged = 0;
  tamper([&](rocksdb::DB& raw, const Handles& handles) {
    const std::string key =
        Key(partition_of(RunId("asks")), Table::checkpoint).text("asks").u64(1).take();
    ASSERT_TRUE(raw.Put({}, handles[kRuns], key, "nonsense").ok());
    ++damaged;
  });
  expect_repair(damaged);
}

TEST_F(DoctorOfRuns, a_directory_that_is_not_there_is_not_made) {
  const auto report = examine(folder_.path() / "elsewhere", false);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, Code::storage_unreadable);
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "elsewhere"));
}

} // namespace
} // namespace skein::node
