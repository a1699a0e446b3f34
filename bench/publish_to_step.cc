// Milliseconds from the publication of an event to the first step of the run that it starts, in the
// journal, beside what the same broker takes to give a message back. A node as `skein serve` starts
// it. Usage: publish_to_step [DIRECTORY] [EVENTS]

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "bench/measure.h"
#include "bench/support.h"
#include "broker/nats_broker.h"
#include "broker/nats_server.h"
#include "core/trigger/match.h"
#include "node/serve.h"

using namespace skein;
using namespace skein::bench;

namespace {

constexpr char kSpec[] =
    "  on: [ { event: { type: bench.came } } ]\n"
    "  steps: [ { id: a, tool: transform, with: \"${ input.n }\" } ]\n";
constexpr char kStream[] = "SKEIN_BENCH_1";
constexpr char kSubject[] = "skein.bench.echo";
constexpr std::size_t kWarm = 50; ///< not counted

/// When what is awaited came.
class Moment {
 public:
  void come() {
    const std::lock_guard lock(mutex_);
    if (!came_) {
      came_ = Ticks::now();
      there_.notify_one();
    }
  }
  double ms_since(Ticks::time_point start) {
    std::unique_lock lock(mutex_);
    if (!there_.wait_for(lock, std::chrono::seconds(10), [this] { return came_.has_value(); })) {
      std::fprintf(stderr, "nothing came\n");
      std::exit(1);
    }
    return std::chrono::duration<double, std::milli>(*came_ - start).count();
  }

 private:
  std::mutex mutex_;
  std::condition_variable there_;
  std::optional<Ticks::time_point> came_;
};

struct Bench {
  Broker& broker; ///< a connection of its own, as any client has
  node::Node& node;
  trigger::Definition trigger;

  double publish_to_step(std::size_t number) const {
    const std::string id = std::to_string(number);
    auto moment = std::make_shared<Moment>();
    const auto watch = node.watch(trigger::run_of(trigger, "/bench", id), [moment](const Entry& e) {
      if (flow::kind_of(e.event).starts_with("step.")) {
        moment->come();
      }
    });
    const auto start = Ticks::now();
    must(broker.publish({"skein.default.event.bench.came",
                         "",
                         {},
                         R"({"specversion":"1.0","source":"/bench","type":"bench.came","id":")" +
                             id + R"(","data":{"n":)" + id + "}}"}));
    return moment->ms_since(start);
  }

  double append_to_read_back(std::atomic<std::shared_ptr<Moment>>& awaited) const {
    auto moment = std::make_shared<Moment>();
    awaited = moment;
    const auto start = Ticks::now();
    broker.append({kSubject, "", {}, std::string(200, 'x')}, "", [](const Result<Appended>&) {});
    return moment->ms_since(start);
  }
};

double percentile(std::vector<double> all, double part) {
  std::sort(all.begin(), all.end());
  return all[static_cast<std::size_t>(part * static_cast<double>(all.size() - 1))];
}

node::ServeOptions options_of(const std::filesystem::path& root,
                              const broker::NatsOptions& access) {
  node::ServeOptions options;
  options.node.data = root / "data";
  options.node.sandbox = false;
  options.listen = "127.0.0.1:0";
  options.version = "bench";
  options.broker = node::BrokerChoice{};
  std::string url = access.urls.front();
  url.insert(url.find("://") + 3, access.user + ":" + access.password + "@");
  options.broker->urls = url;
  return options;
}

} // namespace

int main(int count, char** words) {
  const Asked asked(count, words, 1'000);
  broker::NatsServerOptions files;
  files.folder = asked.root / "nats";
  const auto server = must(broker::NatsServer::start(files));
  const auto served = must(node::Server::open(options_of(asked.root, server->access())));
  while (!served->ready()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  const auto flow = apply(served->node(), "bench", kSpec);
  const auto broker = must(broker::connect(server->access()));
  StreamSpec spec;
  spec.name = kStream;
  spec.subjects = {kSubject};
  must(broker->make_stream(spec));
  std::atomic<std::shared_ptr<Moment>> awaited;
  const auto tail = must(broker->tail({kStream, "", 1}, [&awaited](Stored&&) {
    if (const auto moment = awaited.load()) {
      moment->come();
    }
  }));
  Bench bench{*broker, served->node(), {}};
  bench.trigger.name = "bench.0";
  bench.trigger.flow = "bench";
  std::vector<double> limits;
  std::vector<double> steps;
  for (std::size_t i = 0; i < asked.runs + kWarm; ++i) { // by turns, so that other load meets both
    const double limit = bench.append_to_read_back(awaited);
    const double step = bench.publish_to_step(i);
    if (i >= kWarm) {
      limits.push_back(limit);
      steps.push_back(step);
    }
  }
  report("publish_to_step_p50", percentile(steps, 0.5), "ms", percentile(limits, 0.5),
         "append to ordered read-back of the same broker");
  std::fprintf(stderr, "99th percentiles: %.2f ms, of the limit %.2f ms\n", percentile(steps, 0.99),
               percentile(limits, 0.99));
  return 0;
}
