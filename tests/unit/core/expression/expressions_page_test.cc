#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "core/expression/function.h"

namespace skein::expression {
namespace {

/// What stands in `quotes` in the first column of the page's tables.
std::set<std::string> names_on_the_page() {
  std::ifstream page(SKEIN_EXPRESSIONS_PAGE);
  std::set<std::string> names;
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| `")) {
      continue;
    }
    std::istringstream cell(line.substr(0, line.find(" | ")));
    std::string skipped;
    for (std::string name; std::getline(cell, skipped, '`') && std::getline(cell, name, '`');) {
      names.insert(name.substr(0, name.find('(')));
    }
  }
  return names;
}

TEST(ExpressionsPage, has_every_function_that_there_is_and_no_other) {
  std::set<std::string> known;
  for (const std::string_view name : function_names()) {
    known.emplace(name);
  }
  EXPECT_EQ(names_on_the_page(), known);
}

} // namespace
} // namespace skein::expression
