#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/commands.h"
#include "cli/help/pages.h"
#include "cli/help/usage_error.h"

namespace skein::cli {
namespace {

class Help : public testing::Test {
 protected:
  Help() {
    app.add_option("-o,--output", format, "How results are printed")
        ->type_name("FORMAT")
        ->check(CLI::IsMember({"text", "json"}));
    add_commands(app, chosen);
  }
  Error refused(const std::vector<std::string>& words) {
    return usage_error(app, words, "the parser's own words");
  }

  CLI::App app{"run durable flows", "skein"};
  std::string format;
  Chosen chosen;
};

TEST_F(Help, every_command_flag_and_argument_says_what_it_is) {
  const CommandRow root = row_of(app);
  for (const CommandRow* row : flattened(root)) {
    EXPECT_FALSE(row->summary.empty()) << row->path;
    for (const Flag& flag : row->flags) {
      EXPECT_FALSE(flag.summary.empty()) << row->path << " " << flag.name;
      EXPECT_FALSE(flag.name.empty()) << row->path;
    }
    EXPECT_NE(help_page(*row).find(row->path), std::string::npos);
  }
}

TEST_F(Help, every_command_is_in_the_page_the_manual_and_each_completion) {
  const CommandRow root = row_of(app);
  const std::string page = markdown_page(root);
  for (const CommandRow* row : flattened(root)) {
    if (row->commands.empty()) {
      EXPECT_NE(page.find("## " + row->path + "\n"), std::string::npos) << row->path;
    }
    for (const char* shell : {"bash", "zsh", "fish"}) {
      EXPECT_NE(completion_script(root, shell)->find(row->path), std::string::npos) << row->path;
    }
  }
  EXPECT_NE(man_page(root).find(".SS skein run flow FLOW"), std::string::npos);
  EXPECT_FALSE(completion_script(root, "csh").has_value());
}

TEST_F(Help, choices_of_a_flag_are_what_the_parser_allows) {
  const CommandRow root = row_of(app);
  const auto format_flag = std::find_if(root.flags.begin(), root.flags.end(),
                                        [](const Flag& flag) { return flag.name == "output"; });
  ASSERT_NE(format_flag, root.flags.end());
  EXPECT_EQ(format_flag->choices, (std::vector<std::string>{"text", "json"}));
  EXPECT_EQ(format_flag->value, "FORMAT");
}

TEST_F(Help, a_mistyped_command_is_answered_with_the_nearest_of_its_level) {
  EXPECT_EQ(refused({"evall", "1"}).hint, "did you mean `skein eval`?");
  EXPECT_EQ(refused({"run", "-o", "json", "histroy", "x"}).hint,
            "did you mean `skein run history`?");
  EXPECT_EQ(refused({"flow", "zzzz"}).hint, "see `skein flow --help`");
}

TEST_F(Help, a_mistyped_flag_is_answered_with_the_nearest_of_the_command_and_those_above) {
  EXPECT_EQ(refused({"run", "flow", "f.yaml", "--detatch"}).hint, "did you mean --detach?");
  EXPECT_EQ(refused({"run", "flow", "f.yaml", "--outptu=json"}).hint, "did you mean --output?");
  EXPECT_EQ(refused({"run", "flow", "f.yaml", "-z"}).hint, "see `skein run flow --help`");
}

TEST_F(Help, a_command_that_is_missing_is_asked_for) {
  EXPECT_EQ(refused({"run"}).code, Code::usage_invalid);
  EXPECT_NE(refused({"run"}).detail.find("needs a command: flow, status"), std::string::npos);
}

TEST_F(Help, what_is_known_leaves_the_word_to_the_parser) {
  EXPECT_EQ(refused({"run", "status"}).detail, "the parser's own words");
}

} // namespace
} // namespace skein::cli
