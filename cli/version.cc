#include "cli/version.h"

#include "version_text.h"

namespace skein::cli {

std::string version_line() {
  std::string line = std::string("skein ") + kRelease + " (";
  if (*kCommit != '\0') {
    line += std::string(kCommit) + ", ";
  }
  return line + kBuildType + ")";
}

std::string version_json() {
  return std::string(R"({"version":")") + kRelease + R"(","commit":")" + kCommit +
         R"(","build_type":")" + kBuildType + R"("})";
}

} // namespace skein::cli
