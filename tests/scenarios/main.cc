/// Runs scenario files under one way of the matrix:
///
///   scenarios MATRIX.conf FILE…        SKEIN_BLESS=1 writes what came out instead of comparing
///   (plain only)
///
/// Each way must lead to the same states and effects; it says what happens around every input:
///   plain                nothing
///   replay_every_step    the machine is folded anew from the journal before it
///   restore_every_step   the machine is restored from a checkpoint before it
///   crash_after_append   the machine is lost after it; what is outstanding must be what was
///   dispatched duplicate_delivery   it is delivered twice; the second time must change nothing
///   rocksdb              journal and checkpoints live in a real database and come back from there
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "core/flow/state.h"
#include "scenarios/scenario.h"
#include "storage/rocks_store.h"

namespace skein::scenarios {
namespace {

const RunId kRun("run-1");

struct Way {
  std::string name;
};

/// The journal of the run under test, in memory or in a database.
class Journal {
 public:
  explicit Journal(bool on_disk) {
    if (on_disk) {
      directory_ =
          std::filesystem::temp_directory_path() / ("skein-scenario-" + std::to_string(::getpid()));
      std::filesystem::remove_all(directory_);
      auto opened = storage::RocksStore::open(directory_);
      if (!opened) {
        std::fprintf(stderr, "%s\n", to_string(opened.error()).c_str());
        std::exit(1);
      }
      store_ = std::move(*opened);
    }
  }
  ~Journal() {
    store_.reset();
    if (!directory_.empty()) {
      std::filesystem::remove_all(directory_);
    }
  }
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  bool append(Entry entry, const flow::Machine& machine) {
    if (!store_) {
      entries_.push_back(std::move(entry));
      return true;
    }
    Batch batch;
    batch.partition = partition_of(kRun);
    batch.epoch = Epoch(1);
    batch.at = flow::at_of(entry.event);
    Append append{std::move(entry), {}, {}, {}, {}, {}, {}, {}};
    append.record = RunRecord{};
    append.record->id = kRun;
    append.record->state = machine.state();
    const Seq seq = append.entry.seq;
    if (seq.get() % 2 == 0) {
      append.checkpoint = machine.checkpoint(seq);
    }
    batch.appends.push_back(std::move(append));
    return store_->commit({&batch, 1}).ok();
  }

  /// The machine as the journal tells it, and whether every recorded digest came out again.
  Result<flow::Machine> load(const flow::DefinitionPtr& definition) const {
    if (store_) {
      return load_from_store(definition);
    }
    flow::Machine machine(kRun, definition);
    for (const Entry& entry : entries_) {
      if (auto folded = fold(machine, entry); !folded) {
        return folded.error();
      }
    }
    return machine;
  }

 private:
  static Result<void> fold(flow::Machine& machine, const Entry& entry) {
    const auto effects = machine.step(entry.event);
    if (!effects) {
      return effects.error();
    }
    if (flow::digest_of(*effects) != entry.effects || machine.state_digest() != entry.state) {
      return Error{Code::replay_mismatch,
                   "entry " + std::to_string(entry.seq.get()) + " folds to another state"};
    }
    return {};
  }

  Result<flow::Machine> load_from_store(const flow::DefinitionPtr& definition) const {
    auto loaded = store_->load_run(kRun);
    if (!loaded) {
      return loaded.error();
    }
    auto machine = loaded->checkpoint
                       ? flow::Machine::restore(kRun, definition, *loaded->checkpoint)
                       : Result<flow::Machine>(flow::Machine(kRun, definition));
    for (const Entry& entry : loaded->tail) {
      if (!machine) {
        break;
      }
      if (auto folded = fold(*machine, entry); !folded) {
        return folded.error();
      }
    }
    return machine;
  }

  std::filesystem::path directory_;
  std::unique_ptr<storage::RocksStore> store_;
  std::vector<Entry> entries_;
};

/// What was dispatched and has no result: what a restart must find again.
std::vector<std::string> outstanding_of(const flow::Machine& machine) {
  std::vector<std::string> lines;
  for (const flow::Outstanding& o : machine.outstanding()) {
    lines.push_back(machine.text_of(o.place) + " attempt=" + std::to_string(o.attempt));
  }
  return lines;
}

class Runner {
 public:
  Runner(const Scenario& scenario, Way way)
      : scenario_(scenario),
        way_(std::move(way)),
        journal_(way_.name == "rocksdb"),
        machine_(kRun, scenario.definition) {}

  /// The lines that each input leads to; "" in `failure` where all is well.
  std::vector<std::vector<std::string>> run(std::string& failure) {
    std::vector<std::vector<std::string>> outcomes;
    for (const Input& input : scenario_.inputs) {
      outcomes.push_back(apply(input.line, failure));
      if (!failure.empty()) {
        failure = input.line + ": " + failure;
        break;
      }
    }
    return outcomes;
  }

 private:
  std::vector<std::string> apply(const std::string& line, std::string& failure) {
    if (seq_ > 0) {
      before(failure);
    }
    const auto event = event_of(line, machine_);
    if (!event) {
      failure = to_string(event.error());
      return {};
    }
    const bool ignored = machine_.ignores(*event);
    const Digest digest_before = machine_.state_digest();
    const auto effects = machine_.step(*event);
    if (!effects) {
      if (machine_.state_digest() != digest_before) {
        failure = "a refused event changed the state";
      }
      return {"error " + to_string(effects.error().code) + " " + effects.error().detail};
    }
    std::vector<std::string> lines = describe(machine_);
    for (const flow::Effect& effect : *effects) {
      lines.push_back(describe(effect, machine_));
    }
    if (ignored) {
      lines.emplace_back("ignored");
      return lines;
    }
    const Entry entry{kRun, Seq(++seq_), *event, flow::digest_of(*effects),
                      machine_.state_digest()};
    if (!journal_.append(entry, machine_)) {
      failure = "the journal refused the entry";
    }
    after(*event, failure);
    return lines;
  }

  void before(std::string& failure) {
    if (way_.name == "replay_every_step" || way_.name == "rocksdb") {
      reload(failure);
    } else if (way_.name == "restore_every_step") {
      auto restored =
          flow::Machine::restore(kRun, scenario_.definition, machine_.checkpoint(Seq(seq_)));
      restored ? void(machine_ = std::move(*restored))
               : void(failure = to_string(restored.error()));
    }
  }

  void after(const flow::Event& event, std::string& failure) {
    if (way_.name == "crash_after_append") {
      const auto expected = outstanding_of(machine_);
      reload(failure);
      if (outstanding_of(machine_) != expected) {
        failure = "a restart would not find what was dispatched";
      }
    } else if (way_.name == "duplicate_delivery") {
      const Digest digest = machine_.state_digest();
      const bool repeats = machine_.ignores(event);
      if (!repeats && must_be_ignored(event)) {
        failure = "a repeated delivery is not ignored";
      }
      if (const auto again =
              repeats ? machine_.step(event) : Result<flow::Effects>(flow::Effects{});
          !again || !again->empty() || machine_.state_digest() != digest) {
        failure = "a repeated delivery changed something";
      }
    }
  }

  // A person may pause twice and a signal without an id may come twice; results and expiries may
  // not.
  static bool must_be_ignored(const flow::Event& event) {
    return std::holds_alternative<flow::Succeeded>(event) ||
           std::holds_alternative<flow::Failed>(event) ||
           std::holds_alternative<flow::Begun>(event) ||
           std::holds_alternative<flow::Expired>(event) ||
           std::holds_alternative<flow::ChildEnded>(event) ||
           std::holds_alternative<flow::FoundInDoubt>(event);
  }

  void reload(std::string& failure) {
    auto loaded = journal_.load(scenario_.definition);
    if (!loaded) {
      failure = to_string(loaded.error());
    } else if (loaded->state_digest() != machine_.state_digest()) {
      failure = "the journal folds to another state";
    } else {
      machine_ = std::move(*loaded);
    }
  }

  const Scenario& scenario_;
  Way way_;
  Journal journal_;
  flow::Machine machine_;
  std::uint64_t seq_ = 0;
};

void report(const Scenario& scenario, const Input& input, const std::vector<std::string>& got) {
  std::printf("%s: %s\n", scenario.file.c_str(), input.line.c_str());
  for (const std::string& line : input.expected) {
    std::printf("  want %s\n", line.c_str());
  }
  for (const std::string& line : got) {
    std::printf("  got  %s\n", line.c_str());
  }
}

bool check(Scenario& scenario, const Way& way, bool bless) {
  std::string failure;
  const auto outcomes = Runner(scenario, way).run(failure);
  if (!failure.empty()) {
    std::printf("%s (%s): %s\n", scenario.file.c_str(), way.name.c_str(), failure.c_str());
    return false;
  }
  bool same = true;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i] != scenario.inputs[i].expected) {
      if (bless) {
        scenario.inputs[i].expected = outcomes[i];
      } else {
        report(scenario, scenario.inputs[i], outcomes[i]);
        same = false;
      }
    }
  }
  if (bless) {
    write_scenario(scenario);
  }
  return same;
}

Way read_way(const char* file) {
  std::ifstream in(file);
  std::string line;
  while (std::getline(in, line)) {
    if (line.starts_with("way ")) {
      return Way{line.substr(4)};
    }
  }
  std::fprintf(stderr, "%s names no way\n", file);
  std::exit(2);
}

int run(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: scenarios MATRIX.conf FILE...\n");
    return 2;
  }
  const Way way = read_way(argv[1]);
  const bool bless = std::getenv("SKEIN_BLESS") != nullptr && way.name == "plain";
  int passed = 0;
  int failed = 0;
  for (int i = 2; i < argc; ++i) {
    auto scenario = read_scenario(argv[i]);
    if (!scenario) {
      std::printf("%s: %s\n", argv[i], to_string(scenario.error()).c_str());
    }
    scenario&& check(*scenario, way, bless) ? ++passed : ++failed;
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}

} // namespace
} // namespace skein::scenarios

int main(int argc, char** argv) { return skein::scenarios::run(argc, argv); }
