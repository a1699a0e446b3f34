#include "cli/run/story.h"

#include <gtest/gtest.h>

#include "cli/run/scene.h"
#include "core/flow/loader.h"
#include "schemas/yaml.h"

namespace skein::cli {
namespace {

constexpr const char* kFlow = R"(
apiVersion: skein.dev/v1
kind: Flow
metadata: { name: small }
spec:
  steps:
    - { id: count, tool: shell, with: { command: [wc] } }
    - id: agree
      approval: {}
    - id: each
      for_each: { in: "[1, 2]", as: n, max_parallel: 1, steps: [ { id: show, tool: shell, with: { command: [echo] } } ] }
)";

class StoryTest : public testing::Test {
 protected:
  StoryTest() {
    auto documents = schemas::read_yaml(kFlow, "small.yaml");
    definition = flow::load(documents->front()).definition;
    story.emplace([this](const ContentHash&) { return Result<flow::DefinitionPtr>(definition); });
    created.definition = "small";
    created.at = Instant{1'000};
  }

  Told take(flow::Event event) {
    auto told = story->take(Entry{RunId("small-1"), Seq(++seq), std::move(event), {}, {}});
    EXPECT_TRUE(told.ok());
    return told ? *told : Told{};
  }
  flow::Place place(const char* text) { return *story->machine()->place_of(text); }

  flow::DefinitionPtr definition;
  std::optional<Story> story;
  flow::Created created;
  std::uint64_t seq = 0;
};

TEST_F(StoryTest, an_attempt_names_the_entry_that_asked_for_it_and_its_effect_key) {
  take(created);
  const Told begun = take(flow::Begun{Instant{2'000}, place("count"), 1, EffectClass::idempotent});
  EXPECT_EQ(begun.step, "count");
  EXPECT_EQ(begun.cause, "entry 1");
  EXPECT_EQ(begun.key, "small-1/count/0");
  const Told done = take(flow::Succeeded{Instant{3'000}, place("count"), 1, Value("7")});
  EXPECT_EQ(done.cause, "entry 2");
  EXPECT_EQ(done.what, "succeeded: \"7\"; asks for approval agree");
}

TEST_F(StoryTest, an_answer_names_the_entry_that_asked) {
  take(created);
  take(flow::Succeeded{Instant{3'000}, place("count"), 1, Value("7")});
  const Told answered = take(flow::Answered{Instant{4'000}, place("agree"), true, "ann", "fine"});
  EXPECT_EQ(answered.what, "approved by ann: fine");
  EXPECT_EQ(answered.cause, "entry 2");
}

TEST_F(StoryTest, a_journal_without_its_creation_is_an_error) {
  const auto told =
      story->take(Entry{RunId("small-1"), Seq(1), flow::Proceeded{Instant{1}}, {}, {}});
  ASSERT_FALSE(told.ok());
  EXPECT_EQ(told.error().code, Code::storage_corrupt);
}

TEST_F(StoryTest, a_scene_shows_every_step_and_the_items_that_are_under_way) {
  take(created);
  take(flow::Begun{Instant{2'000}, place("count"), 1, EffectClass::idempotent});
  take(flow::Succeeded{Instant{3'500}, place("count"), 1, Value("7")});
  take(flow::Answered{Instant{4'000}, place("agree"), true, "ann", ""});
  const Scene scene = scene_of(*story, Instant{6'000});
  Style style;
  style.unicode = false;
  const std::vector<std::string> expected{
      "| small-1  running  5s",
      "  + count     succeeded  1s",
      "  + agree     succeeded",
      "  | each      running  0 items done, 1 under way",
      "      [0]",
      "      | show  running  2s",
  };
  EXPECT_EQ(draw(scene, style), expected);
  EXPECT_EQ(draw_line(scene, style), "| small-1  2 of 4 steps  5s: each, show");
}

TEST_F(StoryTest, a_drawing_keeps_within_the_terminal) {
  take(created);
  Style style;
  style.columns = 20;
  style.rows = 3;
  style.unicode = false;
  const auto lines = draw(scene_of(*story, Instant{1'000}), style);
  EXPECT_EQ(lines.size(), 3U);
  for (const std::string& line : lines) {
    EXPECT_LE(line.size(), 20U) << line;
  }
}

} // namespace
} // namespace skein::cli
