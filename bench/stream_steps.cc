// Steps of real flows made durable through a broker, beside the same on one disk alone: one node,
// and three nodes that share the runs. Usage: stream_steps [DIRECTORY] [STEPS A RUN]

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "broker/nats_server.h"
#include "measure.h"
#include "node/cluster/broker_choice.h"
#include "support.h"

namespace {

using namespace skein;
using bench::Ticks;
namespace fs = std::filesystem;

constexpr std::size_t kRuns = 256;
constexpr std::size_t kStarters = 16;
constexpr std::size_t kRounds = 5;

std::string chain(std::size_t steps) {
  std::string text = "  steps:\n    - { id: s0, tool: transform, with: 1 }\n";
  for (std::size_t i = 1; i < steps; ++i) {
    text += "    - { id: s" + std::to_string(i) + ", tool: transform, with: \"${ steps.s" +
            std::to_string(i - 1) + ".output + 1 }\" }\n";
  }
  return text;
}

/// Steps a second of so many runs, each started at one node after another.
double rate_of(const std::vector<node::Node*>& nodes, std::size_t steps) {
  const auto flow = bench::apply(*nodes.front(), "chain", chain(steps));
  const auto start = Ticks::now();
  {
    std::vector<std::jthread> starters; // one after the other they would take as long as the steps
    for (std::size_t first = 0; first < kStarters; ++first) {
      starters.emplace_back([&, first] {
        for (std::size_t i = first; i < kRuns; i += kStarters) {
          bench::must(
              nodes[i % nodes.size()]->start({flow, Value(), {}, bench::run_of(*flow, i), 7}));
        }
      });
    }
  }
  for (std::size_t i = 0; i < kRuns; ++i) {
    const RunRecord record =
        bench::must(nodes[i % nodes.size()]->wait(bench::run_of(*flow, i), false, {}));
    if (record.state != RunState::succeeded) {
      std::fprintf(stderr, "%s: %s\n", record.id.get().c_str(), record.reason.c_str());
      std::exit(1);
    }
  }
  return static_cast<double>(kRuns * steps) / bench::seconds_since(start);
}

std::unique_ptr<node::Node> open(const fs::path& data, const broker::NatsOptions& access,
                                 const std::string& name) {
  node::Settings settings;
  settings.data = data;
  settings.recover = false;
  node::ClusterSettings cluster;
  cluster.name = name;
  const fs::path folder = data.parent_path();
  cluster.cluster = folder.parent_path().filename().string() + folder.filename().string();
  cluster.connect = [access]() -> Result<std::shared_ptr<Broker>> {
    auto link = broker::connect(access);
    return link ? Result<std::shared_ptr<Broker>>(std::move(*link)) : link.error();
  };
  settings.cluster = std::move(cluster);
  return bench::must(node::Node::open(std::move(settings)));
}

/// Opens so many nodes, and waits until each leads its share.
double cluster_rate(const fs::path& root, const broker::NatsOptions& access, std::size_t count,
                    std::size_t steps) {
  fs::create_directories(root);
  std::vector<std::unique_ptr<node::Node>> nodes;
  std::vector<node::Node*> all;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = "n" + std::to_string(i);
    nodes.push_back(open(root / name, access, name));
    all.push_back(nodes.back().get());
  }
  const auto has_share = [&](const node::Node& node) {
    std::size_t led = 0;
    for (std::uint16_t p = 0; p < kPartitions; ++p) {
      led += node.leads(PartitionId(p)) ? 1 : 0;
    }
    return led >= kPartitions / count / 2 && node.is_settled();
  };
  for (node::Node* const node : all) {
    while (!has_share(*node)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  return rate_of(all, steps);
}

} // namespace

int main(int count, char** words) {
  const fs::path root = count > 1 ? fs::path(words[1]) : fs::temp_directory_path() / "skein-bench";
  const std::size_t steps = count > 2 ? std::strtoul(words[2], nullptr, 10) : 500;
  fs::create_directories(root);
  broker::NatsServerOptions options;
  options.folder = root / "nats";
  const auto server = bench::must(broker::NatsServer::start(options));
  std::array<std::vector<double>, 3> rates;
  for (std::size_t round = 0; round < kRounds; ++round) { // by turns: other load meets all alike
    const fs::path here = root / ("round" + std::to_string(round));
    rates[0].push_back(rate_of({bench::open(here / "local").get()}, steps));
    rates[1].push_back(cluster_rate(here / "one", server->access(), 1, steps));
    rates[2].push_back(cluster_rate(here / "three", server->access(), 3, steps));
    fs::remove_all(here);
  }
  for (std::vector<double>& of : rates) {
    std::sort(of.begin(), of.end());
  }
  const auto median = [&](std::size_t of) { return rates.at(of)[kRounds / 2]; };
  bench::report("stream_steps", median(1), "steps/s", median(0),
                "the same node with its disk alone");
  bench::report("three_nodes_steps", median(2), "steps/s", median(1),
                "one node on the same broker");
  fs::remove_all(root);
}
