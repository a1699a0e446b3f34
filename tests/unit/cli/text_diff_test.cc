#include "cli/text_diff.h"

#include <gtest/gtest.h>

namespace skein::cli {
namespace {

TEST(TextDiff, equal_texts_have_no_difference) { EXPECT_EQ(text_diff("a\nb\n", "a\nb\n"), ""); }

TEST(TextDiff, a_changed_line_stands_between_three_lines_on_either_side) {
  EXPECT_EQ(text_diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n"),
            " 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
}

TEST(TextDiff, what_lies_far_apart_is_parted_by_dots) {
  EXPECT_EQ(text_diff("a\n1\n2\n3\n4\n5\n6\n7\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n"),
            "-a\n+A\n 1\n 2\n 3\n...\n 5\n 6\n 7\n-b\n+B\n");
}

TEST(TextDiff, everything_is_new_where_there_was_nothing) {
  EXPECT_EQ(text_diff("", "a\n"), "+a\n");
  EXPECT_EQ(text_diff("a\n", ""), "-a\n");
}

} // namespace
} // namespace skein::cli
