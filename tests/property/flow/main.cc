/// Random graphs with random outcomes:
///
///   flow_property COUNT SEED     that many graphs, the first from SEED, the next from SEED + 1 …
///
/// What breaks is printed with its seed, its flow and everything that happened; the same seed does
/// the same again.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "core/flow/loader.h"
#include "property/flow/oracle.h"
#include "property/flow/random_flow.h"
#include "property/flow/watched_run.h"
#include "property/flow/world.h"
#include "schemas/yaml.h"

namespace skein::property {
namespace {

struct Tally {
  std::uint64_t graphs = 0;
  std::uint64_t refused = 0; ///< by the loader: unreachable steps and the like
  std::uint64_t entries = 0;
  std::uint64_t forks = 0;
  std::uint64_t states[3] = {};
};

void print_story(std::uint64_t seed, const std::string& why, const RandomFlow& flow,
                 const WatchedRun& run) {
  std::printf("seed %llu: %s\n%s", static_cast<unsigned long long>(seed), why.c_str(),
              flow.yaml.c_str());
  for (std::size_t i = 0; i < flow.flags.size(); ++i) {
    std::printf("%s%s", i == 0 ? "# input.f: " : " ", flow.flags[i] ? "true" : "false");
  }
  std::printf("\n");
  for (const std::string& line : run.lines()) {
    std::printf("%s\n", line.c_str());
  }
  std::printf("broken with seed %llu: %s\n", static_cast<unsigned long long>(seed), why.c_str());
}

bool try_fork(std::uint64_t seed, Chance& chance, const RandomFlow& flow, const WatchedRun& run,
              Instant now, Tally& tally) {
  if (run.events().size() < 2) {
    return true;
  }
  ++tally.forks;
  WatchedRun copy = run.fork(1 + chance.below(run.events().size() - 1), now);
  World world(chance, copy);
  world.go_on();
  copy.verify_journal();
  if (!copy.broken.empty()) {
    print_story(seed, "in a fork: " + copy.broken, flow, copy);
  }
  return copy.broken.empty();
}

bool try_world(std::uint64_t seed, Chance& chance, const RandomFlow& flow,
               const flow::DefinitionPtr& definition, Tally& tally) {
  WatchedRun run("run-1", definition);
  World world(chance, run);
  world.create(flow.flags, *definition);
  world.go_on();
  if (run.broken.empty()) {
    run.verify_journal();
  }
  std::string why = run.broken;
  if (why.empty()) {
    why = judge(flow, run);
  }
  if (!why.empty()) {
    print_story(seed, why, flow, run);
    return false;
  }
  tally.entries += run.events().size();
  ++tally.states[static_cast<std::size_t>(run.machine().state()) -
                 static_cast<std::size_t>(RunState::succeeded)];
  return !chance.percent(20) || try_fork(seed, chance, flow, run, world.now(), tally);
}

bool try_graph(std::uint64_t seed, Tally& tally) {
  Chance chance(seed);
  const RandomFlow flow = random_flow(chance);
  const auto documents = schemas::read_yaml(flow.yaml, "random");
  if (!documents) {
    std::printf("seed %llu: %s\n%s", static_cast<unsigned long long>(seed),
                to_string(documents.error()).c_str(), flow.yaml.c_str());
    return false;
  }
  const flow::Loaded loaded = flow::load(documents->front());
  if (!loaded.definition) {
    ++tally.refused;
    const Code code = loaded.findings.front().error.code;
    if (code != Code::flow_graph_invalid) {
      std::printf("seed %llu: %s\n%s", static_cast<unsigned long long>(seed),
                  to_string(loaded.findings.front().error).c_str(), flow.yaml.c_str());
    }
    return code == Code::flow_graph_invalid;
  }
  ++tally.graphs;
  return try_world(seed, chance, flow, loaded.definition, tally);
}

int run(std::uint64_t count, std::uint64_t seed) {
  Tally tally;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (!try_graph(seed + i, tally)) {
      return 1;
    }
  }
  const auto number = [](std::uint64_t n) { return static_cast<unsigned long long>(n); };
  std::printf(
      "seeds %llu to %llu: %llu graphs (%llu refused by the loader), %llu entries, %llu forks; "
      "%llu succeeded, %llu failed, %llu cancelled\n",
      number(seed), number(seed + count - 1), number(tally.graphs), number(tally.refused),
      number(tally.entries), number(tally.forks), number(tally.states[0]), number(tally.states[1]),
      number(tally.states[2]));
  return tally.refused * 4 < count ? 0 : 1;
}

} // namespace
} // namespace skein::property

int main(int argc, char** argv) {
  const auto argument = [&](int i, std::uint64_t otherwise) {
    return argc > i ? std::strtoull(argv[i], nullptr, 10) : otherwise;
  };
  return skein::property::run(argument(1, 2'000), argument(2, 1));
}
