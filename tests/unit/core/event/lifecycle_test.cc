#include "core/event/lifecycle.h"

#include <gtest/gtest.h>

#include "core/value/json.h"

namespace skein::event {
namespace {

RunRecord ended() {
  RunRecord run;
  run.id = RunId("triage-1");
  run.definition = "triage";
  run.state = RunState::failed;
  run.updated_at = Instant{1'000};
  run.output = Value("text");
  run.failure = flow::Failure{"SK5003", "it failed", "", "count", false};
  return run;
}

TEST(event_lifecycle, what_ends_or_needs_somebody_is_told_once) {
  EXPECT_TRUE(is_told(RunState::running, RunState::cancelled));
  EXPECT_TRUE(is_told(RunState::running, RunState::paused));
  EXPECT_FALSE(is_told(RunState::paused, RunState::paused));
  EXPECT_FALSE(is_told(RunState::paused, RunState::running));
  EXPECT_FALSE(is_told(RunState::running, RunState::waiting));
}

TEST(event_lifecycle, the_end_of_a_run_is_a_sound_event_with_what_it_came_to) {
  const CloudEvent event = change_of(ended(), Seq(7));
  EXPECT_TRUE(check(event));
  EXPECT_EQ(event.type, "skein.run.failed");
  EXPECT_EQ(event.source, "/skein/flows/triage");
  EXPECT_EQ(event.id, "triage-1/failed/7");
  EXPECT_EQ(event.data->find("output")->as_string(), "text");
  EXPECT_EQ(to_json(*event.data->find("error")),
            R"({"code":"SK5003","message":"it failed","step":"count"})");
}

TEST(event_lifecycle, an_output_that_is_large_is_left_out) {
  RunRecord run = ended();
  run.output = Value(std::string(1u << 20, 'x'));
  const CloudEvent event = change_of(run, Seq(7));
  EXPECT_EQ(event.data->find("output"), nullptr);
}

} // namespace
} // namespace skein::event
