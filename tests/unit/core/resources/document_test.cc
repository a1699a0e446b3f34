#include "core/resources/document.h"

#include <gtest/gtest.h>

namespace skein {
namespace {

Node text(std::string_view value) {
  Node node;
  node.scalar = value;
  return node;
}

Node sample() {
  Node list;
  list.shape = Node::Shape::list;
  list.items = {text("x"), text("y")};
  Node root;
  root.shape = Node::Shape::map;
  root.members = {{"z", Mark{1, 1}, list}, {"a", Mark{2, 1}, text("w")}};
  return root;
}

TEST(Document, a_member_is_found_by_its_key) {
  const Node root = sample();
  ASSERT_NE(root.find("z"), nullptr);
  EXPECT_EQ(root.find("z")->items.size(), 2u);
  EXPECT_EQ(root.find("b"), nullptr);
  EXPECT_EQ(root.find("a")->find("a"), nullptr);
}

TEST(Document, a_tree_becomes_the_value_that_it_stands_for) {
  EXPECT_EQ(sample().to_value(),
            object({{"a", "w"}, {"z", Value::of_list({Value("x"), Value("y")})}}));
}

} // namespace
} // namespace skein
