#include <charconv>
#include <chrono>
#include <cstring>
#include <iostream>
#include <string>

#include <spdlog/spdlog.h>

#include "trial.h"

// simulation [--seed N] [--seeds COUNT] [--bug NAME] [--verbose]: runs trials from a seed on; ends
// with the first that violates something, naming its seed.
int main(int argc, char** argv) {
  std::uint64_t seed = 1;
  std::uint64_t count = 1;
  bool verbose = false;
  auto bug = skein::simulation::Bug::none;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    const auto number = [&] { return i + 1 < argc ? std::strtoull(argv[++i], nullptr, 10) : 0; };
    if (flag == "--seed") {
      seed = number();
    } else if (flag == "--seeds") {
      count = number();
    } else if (flag == "--bug" && i + 1 < argc && skein::simulation::parse_bug(argv[i + 1])) {
      bug = *skein::simulation::parse_bug(argv[++i]);
    } else if (flag == "--verbose") {
      verbose = true;
    } else {
      std::cerr << "simulation [--seed N] [--seeds COUNT] [--bug NAME] [--verbose]\n";
      return 2;
    }
  }
  spdlog::set_level(verbose ? spdlog::level::info : spdlog::level::off);
  for (std::uint64_t i = 0; i < count; ++i) {
    skein::simulation::Trial trial(seed + i, bug, verbose);
    if (const auto violation = trial.run()) {
      std::cout << "seed " << seed + i << ": " << *violation << "\n";
      return bug == skein::simulation::Bug::none ? 1 : 0;
    }
  }
  std::cout << count << " seeds from " << seed << ": nothing violated\n";
  return bug == skein::simulation::Bug::none ? 0 : 1; // one that is planted must be found
}
