/// Work per event must not grow with the run: a for_each over many items, all of them under way at
/// once, costs per item about what one over few does. A scan over items, timers, waits or doubts in
/// any event would multiply it by their number.
///
///   flow_work [MANY]     answers 1 where an item of MANY costs over eight times one of 500
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "core/flow/loader.h"
#include "core/flow/machine.h"
#include "schemas/yaml.h"

namespace skein::property {
namespace {

constexpr std::size_t kFew = 500;
constexpr double kMostTimes = 8; // a scan would make it the number of items over kFew

constexpr const char* kFlow = R"(
apiVersion: skein.dev/v1
kind: Flow
metadata: { name: work }
spec:
  steps:
    - id: each
      for_each:
        in: "${ input.items }"
        max_parallel: 100000
        steps:
          - { id: nap, wait: { duration: "${ item }" } }
          - { id: ask, wait: { signal: go, timeout: 1h } }
          - { id: work, tool: shell, with: { n: "${ index }" } }
)";

/// Feeds what the machine asked for, in order, and takes note of what it asks for next.
class Run {
 public:
  explicit Run(const flow::DefinitionPtr& definition) : machine_(RunId("run-1"), definition) {}

  std::uint64_t to_end(const flow::Definition& definition, std::size_t items) {
    std::vector<Value> naps;
    for (std::size_t i = 0; i < items; ++i) {
      naps.emplace_back(std::to_string(1 + (i * 7'919) % items) + "s");
    }
    feed(flow::Created{Instant{1},
                       "work",
                       definition.revision,
                       1,
                       7,
                       object({{"items", Value::of_list(std::move(naps))}}),
                       Value(),
                       {}});
    while (machine_.wants_to_proceed()) {
      feed(flow::Proceeded{Instant{1}});
    }
    const std::deque<flow::ArmTimer> naps_due = std::exchange(timers_, {});
    for (const flow::ArmTimer& timer : naps_due) {
      feed(flow::Expired{timer.due, timer.timer});
    }
    for (std::size_t i = 0; i < items; ++i) {
      feed(flow::Signalled{Instant{2}, {}, "go", Value(1)});
    }
    doubt_and_settle();
    while (!dispatched_.empty()) {
      const flow::Dispatch next = dispatched_.front();
      dispatched_.pop_front();
      feed(flow::Succeeded{Instant{4}, next.place, next.attempt, Value(1)});
    }
    return is_final(machine_.state()) ? events_ : 0;
  }

 private:
  // All attempts are in doubt at once, as after a crash, and an operator settles each.
  void doubt_and_settle() {
    const std::deque<flow::Dispatch> first = std::exchange(dispatched_, {});
    for (const flow::Dispatch& one : first) {
      feed(flow::Begun{Instant{3}, one.place, one.attempt, EffectClass::unsafe});
      feed(flow::FoundInDoubt{Instant{3}, one.place, one.attempt});
    }
    for (const flow::Dispatch& one : first) {
      feed(flow::Settled{Instant{3}, one.place, flow::Settled::How::retry, Value(), "ann"});
    }
    while (machine_.wants_to_proceed()) {
      feed(flow::Proceeded{Instant{3}});
    }
  }

  void feed(const flow::Event& event) {
    ++events_;
    const auto effects = machine_.step(event);
    if (!effects) {
      std::fprintf(stderr, "%s\n", to_string(effects.error()).c_str());
      std::exit(1);
    }
    for (const flow::Effect& effect : *effects) {
      if (const auto* dispatch = std::get_if<flow::Dispatch>(&effect)) {
        dispatched_.push_back(*dispatch);
      } else if (const auto* timer = std::get_if<flow::ArmTimer>(&effect)) {
        timers_.push_back(*timer);
      }
    }
  }

  flow::Machine machine_;
  std::deque<flow::Dispatch> dispatched_;
  std::deque<flow::ArmTimer> timers_;
  std::uint64_t events_ = 0;
};

/// Processor time of one event, the least of three runs, in seconds.
double work(const flow::DefinitionPtr& definition, std::size_t items) {
  double least = std::numeric_limits<double>::max();
  for (int round = 0; round < 3; ++round) {
    const std::clock_t start = std::clock();
    std::uint64_t events = 0;
    for (std::size_t done = 0; done < 10 * kFew; done += items) {
      const std::uint64_t more = Run(definition).to_end(*definition, items);
      if (more == 0) {
        std::fprintf(stderr, "the run has not ended\n");
        std::exit(1);
      }
      events += more;
    }
    const double spent = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    least = std::min(least, spent / static_cast<double>(events));
  }
  return least;
}

int run(std::size_t many) {
  const auto documents = schemas::read_yaml(kFlow, "work");
  const flow::Loaded loaded = flow::load(documents->front());
  if (!loaded.definition) {
    std::fprintf(stderr, "%s\n", to_string(loaded.findings.front().error).c_str());
    return 1;
  }
  const double few_cost = work(loaded.definition, kFew);
  const double many_cost = work(loaded.definition, many);
  std::printf("an event of %zu items takes %.2f times one of %zu\n", many, many_cost / few_cost,
              kFew);
  return many_cost < kMostTimes * few_cost ? 0 : 1;
}

} // namespace
} // namespace skein::property

int main(int argc, char** argv) {
  return skein::property::run(argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 15'000);
}
