#include "cli/input.h"

#include <gtest/gtest.h>

#include "core/value/json.h"

namespace skein::cli {
namespace {

TEST(Input, fields_are_json_where_they_read_as_json_and_text_otherwise) {
  const auto fields = fields_of({"n=3", "s=abc", "l=[1,2]"});
  ASSERT_TRUE(fields.ok());
  EXPECT_EQ(to_json(*fields), R"({"l":[1,2],"n":3,"s":"abc"})");
}

TEST(Input, a_field_without_a_name_is_wrong_usage) {
  EXPECT_EQ(fields_of({"=3"}).error().code, Code::usage_invalid);
  EXPECT_EQ(fields_of({"abc"}).error().code, Code::usage_invalid);
}

TEST(Input, a_field_that_is_given_twice_is_wrong_usage) {
  EXPECT_EQ(fields_of({"n=3", "m=1", "n=4"}).error().code, Code::usage_invalid);
}

TEST(Input, a_file_that_cannot_be_read_is_SK6002) {
  EXPECT_EQ(read_file("/nonexistent/file.yaml").error().code, Code::file_unreadable);
  EXPECT_EQ(read_file("/").error().code, Code::file_unreadable);
}

} // namespace
} // namespace skein::cli
