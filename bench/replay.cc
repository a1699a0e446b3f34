// Entries a second that a replay folds: read from the database on disk, verified, decoded, fed to
// the machine, every recorded digest compared. Beside it the same entries only read and verified.
// Usage: replay [DIRECTORY] [ENTRIES]

#include "node/replay.h"

#include <rocksdb/db.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/flow/loader.h"
#include "measure.h"
#include "node/node.h"
#include "schemas/codec.h"
#include "schemas/yaml.h"
#include "storage/rocks_store.h"

namespace {

using namespace skein;
using Clock = std::chrono::steady_clock;

constexpr const char* kFlow = R"(
apiVersion: skein.dev/v1
kind: Flow
metadata: { name: services }
spec:
  steps:
    - id: each
      for_each:
        in: "${ input.services }"
        max_parallel: 8
        steps:
          - { id: count, tool: shell, with: { command: [grep, -c, ERROR, "${ item }"] } }
)";

[[noreturn]] void give_up(const Error& error) {
  std::fprintf(stderr, "%s\n", to_string(error).c_str());
  std::exit(1);
}

/// Commits what a run of the flow journals, as a node would: batches of 64 entries, checkpoints
/// where a node takes them.
class Recorder {
 public:
  Recorder(Store& store, flow::DefinitionPtr definition, const RunId& run)
      : store_(store), machine_(run, std::move(definition)), run_(run) {}

  void record(std::size_t entries) {
    const std::size_t items = (entries - 1) / 2;
    std::vector<Value> services;
    for (std::size_t i = 0; i < items; ++i) {
      services.emplace_back("service-" + std::to_string(i) + ".log");
    }
    take(flow::Created{now(),
                       "services",
                       machine_.definition().revision,
                       1,
                       7,
                       object({{"services", Value::of_list(std::move(services))}}),
                       Value(),
                       {}});
    while (!is_final(machine_.state())) {
      const flow::Dispatch next = dispatched_.front();
      dispatched_.erase(dispatched_.begin());
      take(flow::Begun{now(), next.place, next.attempt, EffectClass::unsafe});
      take(flow::Succeeded{now(), next.place, next.attempt, output(next.place.items[0])});
    }
    flush();
  }

 private:
  Instant now() { return Instant{1'700'000'000'000 + ++clock_}; }

  static Value output(std::uint32_t item) {
    return object({{"exit_code", 0},
                   {"stdout", std::to_string(item % 97) + "\n"},
                   {"stderr", ""},
                   {"truncated", false},
                   {"duration_ms", static_cast<std::int64_t>(3 + item % 40)}});
  }

  void take(const flow::Event& event) {
    auto effects = machine_.step(event);
    if (!effects) {
      give_up(effects.error());
    }
    Append append;
    append.entry =
        Entry{run_, Seq(++seq_), event, flow::digest_of(*effects), machine_.state_digest()};
    for (const flow::Effect& effect : *effects) {
      if (const auto* dispatch = std::get_if<flow::Dispatch>(&effect)) {
        dispatched_.push_back(*dispatch);
      } else if (std::holds_alternative<flow::Show>(effect)) {
        append.record = RunRecord{};
        append.record->id = run_;
        append.record->definition = "services";
        append.record->revision = machine_.definition().revision;
        append.record->state = machine_.state();
      }
    }
    batch_.appends.push_back(std::move(append));
    if (batch_.appends.size() == 64) {
      flush();
    }
  }

  void flush() {
    if (batch_.appends.empty()) {
      return;
    }
    batch_.partition = partition_of(run_);
    batch_.epoch = Epoch(1);
    batch_.at = Instant{1'700'000'000'000 + clock_};
    if (auto done = store_.commit({&batch_, 1}); !done) {
      give_up(done.error());
    }
    batch_.appends.clear();
  }

  Store& store_;
  flow::Machine machine_;
  RunId run_;
  Batch batch_;
  std::vector<flow::Dispatch> dispatched_;
  std::uint64_t seq_ = 0;
  std::int64_t clock_ = 0;
};

double rate(std::uint64_t entries, Clock::time_point start) {
  return static_cast<double>(entries) / std::chrono::duration<double>(Clock::now() - start).count();
}

/// The best of three.
template <class Work>
double best(Work work) {
  double most = 0;
  for (int round = 0; round < 3; ++round) {
    const auto start = Clock::now();
    const std::uint64_t entries = work();
    most = std::max(most, rate(entries, start));
  }
  return most;
}

/// Reads the whole database and verifies what are entries in it; answers how many.
std::uint64_t scan(const std::filesystem::path& directory) {
  std::vector<std::string> names;
  rocksdb::DB::ListColumnFamilies({}, directory.string(), &names);
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const std::string& name : names) {
    families.emplace_back(name, rocksdb::ColumnFamilyOptions());
  }
  rocksdb::DB* opened = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  if (!rocksdb::DB::OpenForReadOnly({}, directory.string(), families, &handles, &opened).ok()) {
    give_up(Error{Code::storage_io, "the database does not open"});
  }
  const std::unique_ptr<rocksdb::DB> database(opened);
  std::uint64_t entries = 0;
  for (auto* handle : handles) {
    const std::unique_ptr<rocksdb::Iterator> row(database->NewIterator({}, handle));
    for (row->SeekToFirst(); row->Valid(); row->Next()) {
      const std::string_view value = row->value().ToStringView();
      entries +=
          value.size() > 8 && value.substr(4, 4) == "SKEV" && schemas::verify_entry(value) ? 1 : 0;
    }
  }
  for (auto* handle : handles) {
    database->DestroyColumnFamilyHandle(handle);
  }
  return entries;
}

void measure(const std::filesystem::path& directory, std::size_t entries) {
  const RunId run("services-replay");
  {
    auto store = storage::RocksStore::open(directory);
    if (!store) {
      give_up(store.error());
    }
    const auto documents = schemas::read_yaml(kFlow, "services");
    auto definition = node::apply_flow(**store, documents->front(), Instant{1}, nullptr, false);
    if (!definition) {
      give_up(definition.error());
    }
    Recorder(**store, *definition, run).record(entries);
  }
  auto store = storage::RocksStore::open(directory); // nothing is in memory any more
  if (!store) {
    give_up(store.error());
  }
  const double replayed = best([&] {
    const auto report = node::replay(**store, run);
    if (!report) {
      give_up(report.error());
    }
    if (report->difference || report->state != RunState::succeeded) {
      std::fprintf(stderr, "the replay differs\n");
      std::exit(1);
    }
    return report->entries;
  });
  store->reset();
  const double limit = best([&] { return scan(directory); });
  bench::report("replay", replayed, "entries/s", limit,
                "RocksDB iterator and FlatBuffers verifier");
}

} // namespace

int main(int argc, char** argv) {
  const auto directory = argc > 1 ? std::filesystem::path(argv[1])
                                  : std::filesystem::temp_directory_path() /
                                        ("skein-replay-" + std::to_string(::getpid()));
  std::filesystem::remove_all(directory);
  measure(directory, argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 100'000);
  std::filesystem::remove_all(directory);
}
