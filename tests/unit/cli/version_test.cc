#include "cli/version.h"

#include <gtest/gtest.h>

namespace skein::cli {
namespace {

TEST(version, names_the_program_and_a_release_first) {
  const std::string line = version_line();
  EXPECT_EQ(line.rfind("skein ", 0), 0U) << line;
  EXPECT_EQ(line.back(), ')');
}

TEST(version, for_programs_is_one_line_with_the_same_release) {
  const std::string json = version_json();
  const std::string line = version_line();
  const std::string release = line.substr(6, line.find(' ', 6) - 6);
  EXPECT_NE(json.find("\"version\":\"" + release + "\""), std::string::npos) << json;
  EXPECT_EQ(json.find('\n'), std::string::npos);
}

} // namespace
} // namespace skein::cli
