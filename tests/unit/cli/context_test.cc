#include "cli/context.h"

#include <gtest/gtest.h>

#include "core/value/json.h"

namespace skein::cli {
namespace {

TEST(Context, fields_are_json_where_they_read_as_json_and_text_otherwise) {
  const auto fields = fields_of({"n=3", "s=abc", "l=[1,2]", "n=4"});
  ASSERT_TRUE(fields.ok());
  EXPECT_EQ(to_json(*fields), R"({"l":[1,2],"n":4,"s":"abc"})");
}

TEST(Context, a_field_without_a_name_is_wrong_usage) {
  EXPECT_EQ(fields_of({"=3"}).error().code, Code::usage_invalid);
  EXPECT_EQ(fields_of({"abc"}).error().code, Code::usage_invalid);
}

TEST(Context, a_file_that_cannot_be_read_is_SK6002) {
  EXPECT_EQ(read_file("/nonexistent/file.yaml").error().code, Code::file_unreadable);
  EXPECT_EQ(read_file("/").error().code, Code::file_unreadable);
}

TEST(Context, control_characters_do_not_reach_a_terminal) {
  EXPECT_EQ(harmless("a\x1b[31mb\nc"), "a?[31mb\nc");
}

TEST(Context, columns_line_up) {
  EXPECT_EQ(table({{"A", "B"}, {"long", "x"}}), "A     B\nlong  x\n");
}

} // namespace
} // namespace skein::cli
