#include "node/remote/event_reader.h"

#include <gtest/gtest.h>

namespace skein::node {
namespace {

TEST(EventReaderTest, events_come_out_as_they_went_in_however_they_are_cut) {
  const gateway::ServerEvent first{"7", "entry", "a\n\nb: c"};
  const gateway::ServerEvent second{"", "", "x"};
  const std::string bytes = ":\n\n" + to_text(first) + ": beat\n\n" + to_text(second);
  for (std::size_t cut = 1; cut <= bytes.size(); ++cut) {
    std::vector<gateway::ServerEvent> heard;
    EventReader reader([&](const gateway::ServerEvent& event) { heard.push_back(event); });
    for (std::size_t at = 0; at < bytes.size(); at += cut) {
      ASSERT_TRUE(reader.take(std::string_view(bytes).substr(at, cut)));
    }
    ASSERT_EQ(heard.size(), 2u) << cut;
    EXPECT_EQ(heard[0].id, "7");
    EXPECT_EQ(heard[0].name, "entry");
    EXPECT_EQ(heard[0].text, first.text);
    EXPECT_EQ(heard[1].text, "x");
  }
}

TEST(EventReaderTest, a_line_without_end_is_given_up) {
  EventReader reader([](const gateway::ServerEvent&) {});
  const std::string part(1u << 20, 'x');
  bool taken = true;
  for (int i = 0; i < 5; ++i) {
    taken = reader.take(part);
  }
  EXPECT_FALSE(taken);
}

} // namespace
} // namespace skein::node
