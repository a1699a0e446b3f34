#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "support/folder.h"
#include "unit/storage/workload.h"

namespace skein::test {
namespace {

namespace fs = std::filesystem;

/// A directory with rows in every kind of file, and what was accepted.
class Victim {
 public:
  /// REQUIRES: `steps` high enough that something was flushed, where there shall be tables.
  Victim(std::uint64_t steps, std::uint64_t more) {
    FaultyDisk faulty(original(), 1);
    for (const std::uint64_t count : {steps, more}) {
      auto store = faulty.open();
      EXPECT_TRUE(store);
      EXPECT_TRUE(work_.run(**store, count));
    }
  }

  /// Flips one bit of a file of the kind in a copy, and opens and reads all of it.
  /// Answers whether the damage was reported, or else what was silently lost.
  std::string verdict_after_flip(const std::string& kind, std::uint64_t seed) {
    const Folder scratch;
    const fs::path copy = scratch.path() / "db";
    fs::copy(original(), copy);
    flip(copy, kind, seed);
    FaultyDisk faulty(copy, 1);
    auto store = faulty.open();
    if (!store) {
      ++reported_;
      const Code code = store.error().code;
      return code == Code::storage_corrupt || code == Code::storage_io || code == Code::wire_version
                 ? ""
                 : to_string(store.error());
    }
    auto report = (*store)->examine(nullptr, false);
    if (!report || !report->healthy()) {
      ++reported_;
      return "";
    }
    return work_.lost(**store);
  }

  int reported() const { return reported_; }

 private:
  fs::path original() const { return folder_.path() / "db"; }

  static void flip(const fs::path& directory, const std::string& kind, std::uint64_t seed) {
    std::mt19937_64 chance(seed);
    std::vector<fs::path> files;
    for (const auto& file : fs::directory_iterator(directory)) {
      const std::string name = file.path().filename();
      if (name.find(kind) != std::string::npos && file.file_size() > 0) {
        files.push_back(file.path());
      }
    }
    std::sort(files.begin(), files.end());
    ASSERT_FALSE(files.empty()) << "no file of kind " << kind;
    const fs::path& file = files[chance() % files.size()];
    const auto offset = static_cast<std::streamoff>(chance() % fs::file_size(file));
    std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekg(offset);
    const char byte = static_cast<char>(bytes.get());
    bytes.seekp(offset);
    bytes.put(static_cast<char>(byte ^ (1 << chance() % 8)));
  }

  Folder folder_;
  Workload work_;
  int reported_ = 0;
};

class Damage : public testing::TestWithParam<const char*> {};

TEST_P(Damage, of_one_bit_anywhere_is_reported_or_loses_nothing) {
  Victim victim(1'500, 40);
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    ASSERT_EQ(victim.verdict_after_flip(GetParam(), seed), "") << "seed " << seed;
  }
  EXPECT_GT(victim.reported(), 10) << "flips that nobody notices prove nothing";
}
INSTANTIATE_TEST_SUITE_P(Of, Damage, testing::Values(".log", ".sst", "MANIFEST"),
                         [](const auto& of) {
                           const std::string kind = of.param;
                           return kind == ".log" ? "log" : kind == ".sst" ? "table" : "manifest";
                         });

} // namespace
} // namespace skein::test
