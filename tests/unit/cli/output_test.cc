#include "cli/output.h"

#include <gtest/gtest.h>

namespace skein::cli {
namespace {

TEST(Output, control_characters_do_not_reach_a_terminal) {
  EXPECT_EQ(harmless("a\x1b[31mb\nc"), "a?[31mb\nc");
}

TEST(Output, columns_line_up) {
  EXPECT_EQ(table({{"A", "B"}, {"long", "x"}}), "A     B\nlong  x\n");
}

TEST(Output, a_line_is_cut_by_characters_and_not_by_bytes) {
  EXPECT_EQ(shortened("äöü äöü", 6), "äöü...");
  EXPECT_EQ(shortened("a\nb", 3), "a b");
}

} // namespace
} // namespace skein::cli
