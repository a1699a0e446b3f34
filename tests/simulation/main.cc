#include <charconv>
#include <chrono>
#include <cstring>
#include <iostream>
#include <string>

#include <spdlog/spdlog.h>

#include "trial.h"

// simulation [--seed N] [--seeds COUNT] [--verbose]: runs trials from a seed on; ends with the
// first that violates something, naming its seed.
int main(int argc, char** argv) {
  std::uint64_t seed = 1;
  std::uint64_t count = 1;
  bool verbose = false;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    const auto number = [&] { return i + 1 < argc ? std::strtoull(argv[++i], nullptr, 10) : 0; };
    if (flag == "--seed") {
      seed = number();
    } else if (flag == "--seeds") {
      count = number();
    } else if (flag == "--verbose") {
      verbose = true;
    } else {
      std::cerr << "simulation [--seed N] [--seeds COUNT] [--verbose]\n";
      return 2;
    }
  }
  spdlog::set_level(verbose ? spdlog::level::info : spdlog::level::off);
  for (std::uint64_t i = 0; i < count; ++i) {
    skein::simulation::Trial trial(seed + i, verbose);
    if (const auto violation = trial.run()) {
      std::cout << "seed " << seed + i << ": " << *violation << "\n";
      return 1;
    }
  }
  std::cout << count << " seeds from " << seed << ": nothing violated\n";
  return 0;
}
