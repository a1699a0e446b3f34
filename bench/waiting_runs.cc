// A million runs that wait for a signal: what they take in memory, and how soon a process that
// opens them is ready. Usage: waiting_runs [DIRECTORY] [RUNS]

#include <rocksdb/db.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "core/base/instant.h"
#include "measure.h"
#include "support.h"

namespace {

using namespace skein;
namespace fs = std::filesystem;

constexpr const char* kFlow = "  steps: [ { id: hold, wait: { signal: go } } ]\n";

// In a process of its own: what it leaves is what a crash of a node with all of them leaves.
void make(const fs::path& data, std::size_t runs) {
  const pid_t child = fork();
  if (child == 0) {
    const auto node = bench::open(data);
    const auto flow = bench::apply(*node, "hold", kFlow);
    bench::start_all(*node, flow, runs);
    std::fprintf(stderr, "resident after starting all: %.0f MB\n", bench::resident_mb());
    std::_Exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (status != 0) {
    std::exit(1);
  }
}

struct Bare {
  double seconds = 0;
  double resident = 0;
};

// The same files, opened by RocksDB with its own defaults and nothing else.
Bare open_bare(const fs::path& files) {
  const auto start = bench::Ticks::now();
  rocksdb::Options options;
  std::vector<std::string> names;
  if (!rocksdb::DB::ListColumnFamilies(options, files.string(), &names).ok()) {
    std::exit(1);
  }
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const std::string& name : names) {
    families.emplace_back(name, rocksdb::ColumnFamilyOptions());
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* database = nullptr;
  if (!rocksdb::DB::OpenForReadOnly(options, files.string(), families, &handles, &database).ok()) {
    std::exit(1);
  }
  const Bare bare{bench::seconds_since(start), bench::resident_mb()};
  for (auto* handle : handles) {
    database->DestroyColumnFamilyHandle(handle);
  }
  delete database;
  return bare;
}

fs::path files_of(const fs::path& data) {
  for (const auto& entry : fs::recursive_directory_iterator(data)) {
    if (entry.path().filename() == "CURRENT") {
      return entry.path().parent_path();
    }
  }
  std::exit(1);
}

} // namespace

int main(int count, char** words) {
  const bench::Asked asked(count, words, 1'000'000);
  const fs::path& root = asked.root;
  const std::size_t runs = asked.runs;
  make(root / "data", runs);
  // A copy, so that the database below recovers the same log that RocksDB alone reads here.
  const Bare bare = open_bare(files_of(root / "data"));

  const auto start = bench::Ticks::now();
  const auto node = bench::open(root / "data", 256, true);
  const RunId last("hold-" + std::to_string(runs - 1));
  const auto told = node->tell(last, flow::Signalled{Instant{1}, "", "go", Value()});
  const double ready = bench::seconds_since(start);
  if (!told || bench::must(node->wait(last, false, {})).state != RunState::succeeded) {
    return 1;
  }
  for (std::size_t i = 0; i < std::min<std::size_t>(runs - 1, 10'000); ++i) {
    const RunId run("hold-" + std::to_string(i));
    if (!node->tell(run, flow::Signalled{Instant{1}, "", "go", Value()})) {
      return 1;
    }
    bench::must(node->wait(run, false, {}));
  }
  bench::report("waiting_runs_rss", bench::resident_mb(), "MB", bare.resident,
                "RocksDB alone with the same files open");
  bench::report("waiting_runs_ready", ready, "s", bare.seconds,
                "RocksDB alone, opening the same files");
  fs::remove_all(root);
}
