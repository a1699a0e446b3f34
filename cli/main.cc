#include <cstdio>
#include <string_view>

#include "cli/version.h"

namespace {

constexpr int kDone = 0;
constexpr int kWrongUsage = 2;

int wrong_usage() {
  std::fputs("usage: skein version [-o text|json]\n", stderr);
  return kWrongUsage;
}

} // namespace

int main(int argc, char** argv) {
  const std::string_view verb = argc > 1 ? argv[1] : "";
  if (verb != "version" && verb != "--version") {
    return wrong_usage();
  }
  const bool json =
      argc == 4 && std::string_view(argv[2]) == "-o" && std::string_view(argv[3]) == "json";
  if (argc > 2 && !json) {
    return wrong_usage();
  }
  std::puts((json ? skein::cli::version_json() : skein::cli::version_line()).c_str());
  return kDone;
}
