// Steps of real flows made durable, each synced before the next begins: 256 runs at once, and one
// alone. Usage: durable_steps [DIRECTORY] [STEPS A RUN]

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <vector>

#include "core/value/json.h"
#include "measure.h"
#include "support.h"

namespace {

using namespace skein;
using bench::Ticks;

constexpr std::size_t kRuns = 256;
constexpr std::size_t kEntryBytes = 250;

flow::DefinitionPtr chain(node::Node& node, std::size_t steps) {
  std::string text = "  steps:\n    - { id: s0, tool: transform, with: 1 }\n";
  for (std::size_t i = 1; i < steps; ++i) {
    text += "    - { id: s" + std::to_string(i) + ", tool: transform, with: \"${ steps.s" +
            std::to_string(i - 1) + ".output + 1 }\" }\n";
  }
  return bench::apply(node, "chain", text);
}

void many(const std::filesystem::path& directory, std::size_t steps) {
  const auto node = bench::open(directory / "many");
  const auto flow = chain(*node, steps);
  std::vector<RunId> runs;
  const auto start = Ticks::now();
  const double used = bench::processor_seconds();
  for (std::size_t i = 0; i < kRuns; ++i) {
    runs.push_back(bench::run_of(*flow, i));
    bench::must(node->start({flow, Value(), {}, runs.back(), 7}));
  }
  for (const RunId& run : runs) {
    const RunRecord record = bench::must(node->wait(run, false, {}));
    if (record.state != RunState::succeeded) {
      std::fprintf(stderr, "%s: %s\n", run.get().c_str(), record.reason.c_str());
      std::exit(1);
    }
  }
  const double rate = static_cast<double>(kRuns * steps) / bench::seconds_since(start);
  std::fprintf(stderr, "processor time a step: %.1f us\n",
               (bench::processor_seconds() - used) / static_cast<double>(kRuns * steps) * 1e6);
  const double bare = bench::bare_entries_per_second(directory / "bare", 64, kEntryBytes, 3);
  bench::report("durable_steps", rate, "steps/s", bare,
                "RocksDB alone, 64 entries of 250 bytes a synced write");
}

double middle(std::vector<double> numbers) {
  const auto at = numbers.begin() + static_cast<std::ptrdiff_t>(numbers.size() / 2);
  std::nth_element(numbers.begin(), at, numbers.end());
  return *at;
}

/// Median microseconds from one step's end to the next.
double step_p50(node::Node& node, const flow::DefinitionPtr& flow, const RunId& run) {
  std::mutex mutex;
  std::vector<Ticks::time_point> seen;
  const auto watch = node.watch(run, [&](const Entry& entry) {
    if (std::holds_alternative<flow::Succeeded>(entry.event)) {
      const std::lock_guard lock(mutex);
      seen.push_back(Ticks::now());
    }
  });
  bench::must(node.start({flow, Value(), {}, run, 7}));
  bench::must(node.wait(run, false, {}));
  std::vector<double> took;
  const std::lock_guard lock(mutex);
  for (std::size_t i = 1; i < seen.size(); ++i) {
    took.push_back(std::chrono::duration<double, std::micro>(seen[i] - seen[i - 1]).count());
  }
  return middle(std::move(took));
}

/// In turns with its limit, because a disk is not the same from one second to the next.
void alone(const std::filesystem::path& directory) {
  constexpr std::size_t kTurns = 15;
  constexpr std::size_t kSteps = 100;
  const auto node = bench::open(directory / "alone");
  const auto flow = chain(*node, kSteps);
  std::vector<double> ours;
  std::vector<double> bare;
  for (std::size_t turn = 0; turn < kTurns; ++turn) {
    ours.push_back(step_p50(*node, flow, bench::run_of(*flow, turn)));
    bare.push_back(
        bench::bare_write_p50(directory / ("bare" + std::to_string(turn)), kEntryBytes, kSteps));
  }
  bench::report("step_latency_p50", middle(ours), "us", middle(bare),
                "RocksDB alone, one synced write, p50");
}

} // namespace

int main(int count, char** words) {
  namespace fs = std::filesystem;
  const fs::path root = count > 1 ? fs::path(words[1]) : fs::temp_directory_path() / "skein-bench";
  const std::size_t steps = count > 2 ? std::strtoul(words[2], nullptr, 10) : 1'000;
  many(root, steps);
  alone(root);
  fs::remove_all(root);
}
