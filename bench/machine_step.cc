// Nanoseconds that the machine of flows takes for one step of a linear flow of tool steps, digests
// of state and effects included; and how the work per item grows from a short for_each to a long
// one. Usage: machine_step [SECONDS]

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "core/flow/loader.h"
#include "core/flow/machine.h"
#include "schemas/yaml.h"

namespace {

using namespace skein;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

flow::DefinitionPtr load(const std::string& steps) {
  const auto documents = schemas::read_yaml(
      "apiVersion: skein.dev/v1\nkind: Flow\nmetadata: { name: bench }\nspec:\n  steps:\n" + steps,
      "bench");
  const flow::Loaded loaded = flow::load(documents->front());
  if (!loaded.definition) {
    std::fprintf(stderr, "%s\n", to_string(loaded.findings.front().error).c_str());
    std::exit(1);
  }
  return loaded.definition;
}

flow::DefinitionPtr linear(int steps) {
  std::string text;
  for (int i = 0; i < steps; ++i) {
    text += "    - { id: s" + std::to_string(i) +
            ", tool: json, effect: pure, with: { op: parse, text: \"${ input.text }\" } }\n";
  }
  return load(text);
}

const Value& output() {
  static const Value value =
      object({{"exit_code", 0}, {"stdout", "42 lines matched in service-7.log"}});
  return value;
}

/// Feeds results until the run has ended; answers the number of events.
std::uint64_t run_to_end(const flow::DefinitionPtr& definition, const Value& input) {
  flow::Machine machine(RunId("bench-run"), definition);
  std::uint64_t events = 1;
  std::uint64_t sum = 0;
  auto effects = machine.step(
      flow::Created{Instant{1'000}, "bench", definition->revision, 1, 7, input, Value(), {}});
  while (effects && !is_final(machine.state())) {
    const flow::Dispatch* next = nullptr;
    for (const flow::Effect& effect : *effects) {
      next =
          std::holds_alternative<flow::Dispatch>(effect) ? &std::get<flow::Dispatch>(effect) : next;
    }
    effects = machine.step(flow::Succeeded{Instant{2'000}, next->place, next->attempt, output()});
    sum += flow::digest_of(*effects).low + machine.state_digest().low;
    ++events;
  }
  return events + (sum == 1 ? 1 : 0);
}

double nanoseconds_per_step(double seconds) {
  const auto definition = linear(64);
  const Value input = object({{"text", "{}"}});
  const auto start = Clock::now();
  std::uint64_t events = 0;
  while (seconds_since(start) < seconds) {
    events += run_to_end(definition, input);
  }
  return seconds_since(start) * 1e9 / static_cast<double>(events);
}

double nanoseconds_per_item(std::size_t items) {
  const auto definition = load(
      "    - id: each\n"
      "      for_each:\n"
      "        in: \"${ input.items }\"\n"
      "        steps: [ { id: work, tool: json, effect: pure, with: { op: parse, text: \"${ item "
      "}\" } } ]\n");
  std::vector<Value> list;
  for (std::size_t i = 0; i < items; ++i) {
    list.emplace_back("item " + std::to_string(i));
  }
  const Value input = object({{"items", Value::of_list(std::move(list))}});
  const auto start = Clock::now();
  std::uint64_t events = 0;
  for (std::size_t done = 0; done < 100'000; done += items) {
    events += run_to_end(definition, input);
  }
  return seconds_since(start) * 1e9 / static_cast<double>(events);
}

} // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 1.0;
  std::printf("linear flow: %.0f ns a step\n", nanoseconds_per_step(seconds));
  std::printf("for_each of 1,000: %.0f ns an item\n", nanoseconds_per_item(1'000));
  std::printf("for_each of 100,000: %.0f ns an item\n", nanoseconds_per_item(100'000));
}
