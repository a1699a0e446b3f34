// kill -9 with 100,000 runs in flight, each with a durable result and the next step still to run:
// how long from the start until every one of them goes again: it is in memory, and its effect has a
// slot or waits for one. In the end none is lost and none was done twice. Usage: recovery
// [DIRECTORY] [RUNS]

#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <mutex>
#include <string>
#include <unordered_map>

#include "measure.h"
#include "support.h"

namespace {

using namespace skein;
namespace fs = std::filesystem;

constexpr const char* kFlow =
    "  steps:\n"
    "    - { id: first, tool: transform, with: 1 }\n"
    "    - { id: effect, tool: log, effect: idempotent, with: { message: ran } }\n"
    "    - { id: last, tool: transform, with: \"${ steps.first.output + 1 }\" }\n"
    "  output: ${ steps.last.output }\n";

// Nothing gets a slot to run in: all are in flight when it is killed.
[[noreturn]] void in_flight(const fs::path& data, std::size_t runs, int ready) {
  const auto node = bench::open(data, 0);
  const auto flow = bench::apply(*node, "flight", kFlow);
  bench::start_all(*node, flow, runs);
  // Created and first's result: with no slot, what it decided to do next waits.
  for (std::size_t i = 0; i < runs; ++i) {
    while (bench::must(node->store().last_seq(bench::run_of(*flow, i))).get() < 2) {
      usleep(1'000);
    }
  }
  if (write(ready, "x", 1) != 1) {
    std::_Exit(1);
  }
  for (;;) {
    pause();
  }
}

void kill_in_flight(const fs::path& data, std::size_t runs) {
  int pipe_ends[2];
  if (pipe(pipe_ends) != 0) {
    std::exit(1);
  }
  const pid_t child = fork();
  if (child == 0) {
    in_flight(data, runs, pipe_ends[1]);
  }
  close(pipe_ends[1]);
  char byte = 0;
  if (read(pipe_ends[0], &byte, 1) != 1) {
    std::exit(1);
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(pipe_ends[0]);
}

} // namespace

int main(int count, char** words) {
  const bench::Asked asked(count, words, 100'000);
  const fs::path& root = asked.root;
  const std::size_t runs = asked.runs;
  kill_in_flight(root / "data", runs);

  const auto start = bench::Ticks::now();
  auto node = bench::open(root / "data");
  std::mutex mutex;
  std::unordered_map<RunId, int> ran;
  auto watch = node->watch_logs([&](const RunId& run, const std::string&, const ToolLog&) {
    const std::lock_guard lock(mutex);
    ++ran[run];
  });
  const std::size_t resumed = bench::must(node->resume_all());
  const double going = bench::seconds_since(start);
  for (std::size_t i = 0; i < runs; ++i) {
    const RunRecord record =
        bench::must(node->wait(RunId("flight-" + std::to_string(i)), false, {}));
    if (record.state != RunState::succeeded || record.output != Value(2)) {
      std::fprintf(stderr, "%s: %s\n", record.id.get().c_str(), record.reason.c_str());
      return 1;
    }
  }
  std::fprintf(stderr, "all ended after %.1f s\n", bench::seconds_since(start));
  const std::lock_guard lock(mutex);
  for (const auto& [run, times] : ran) {
    if (times != 1) {
      std::fprintf(stderr, "%s ran %d times\n", run.get().c_str(), times);
      return 1;
    }
  }
  if (resumed != runs || ran.size() != runs) {
    std::fprintf(stderr, "%zu runs, %zu resumed, %zu ran\n", runs, resumed, ran.size());
    return 1;
  }
  constexpr double kEntriesARun = 2; // created, the first step's result
  const double bare = bench::bare_entries_per_second(root / "bare", 64, 250, 2);
  bench::report("recovery_100k", going, "s", static_cast<double>(runs) * kEntriesARun / bare,
                "RocksDB alone, writing the entries that are read, 64 a synced write");
  watch.reset();
  node.reset();
  fs::remove_all(root);
}
