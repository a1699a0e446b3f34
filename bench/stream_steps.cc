// Steps of real flows made durable through a broker, beside the same on one disk alone: one node,
// and three nodes that share the runs. Usage: stream_steps [DIRECTORY] [STEPS A RUN]

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
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
  for (std::size_t i = 0; i < kRuns; ++i) {
    bench::must(nodes[i % nodes.size()]->start({flow, Value(), {}, bench::run_of(*flow, i), 7}));
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
  cluster.cluster = data.parent_path().filename().string();
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
  std::vector<std::unique_ptr<node::Node>> nodes;
  std::vector<node::Node*> all;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = "n" + std::to_string(i);
    fs::create_directories(root / ("c" + std::to_string(count)));
    nodes.push_back(open(root / ("c" + std::to_string(count)) / name, access, name));
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
  const auto local_node = bench::open(root / "local");
  const double local = rate_of({local_node.get()}, steps);
  broker::NatsServerOptions options;
  options.folder = root / "nats";
  const auto server = bench::must(broker::NatsServer::start(options));
  const double one = cluster_rate(root, server->access(), 1, steps);
  bench::report("stream_steps", one, "steps/s", local, "the same node with its disk alone");
  const double three = cluster_rate(root, server->access(), 3, steps);
  bench::report("three_nodes_steps", three, "steps/s", one, "one node on the same broker");
  fs::remove_all(root);
}
