#include "node/events/sent_marks.h"

#include <gtest/gtest.h>

#include "core/value/json.h"

namespace skein::node {
namespace {

TEST(sent_marks, others_learn_how_far_a_node_delivered) {
  SentMarks mine(7);
  mine.delivered(PartitionId(3), LogIndex(12));
  mine.delivered(PartitionId(3), LogIndex(10)); // an older answer
  mine.delivered(PartitionId(63), LogIndex(1));
  const auto news = mine.news();
  ASSERT_TRUE(news);
  EXPECT_FALSE(mine.news()) << "once";
  SentMarks others(7);
  others.learn(*news);
  EXPECT_EQ(others.before(PartitionId(3)), LogIndex(12));
  EXPECT_EQ(others.before(PartitionId(63)), LogIndex(1));
  EXPECT_EQ(others.before(PartitionId(4)), LogIndex());
  EXPECT_FALSE(others.news()) << "what was learned is known already";
}

TEST(sent_marks, what_is_said_of_another_log_or_is_no_mark_changes_nothing) {
  SentMarks marks(7);
  for (const char* kept :
       {R"({"log":"8","sent":{"1":5}})", R"({"sent":{"1":5}})", R"({"log":"7","sent":[5]})",
        R"({"log":"7","sent":{"64":5,"x":5,"1":"5"}})", "null"}) {
    marks.learn(*parse_json(kept));
  }
  EXPECT_EQ(marks.before(PartitionId(1)), LogIndex());
}

} // namespace
} // namespace skein::node
