#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "cli/run/story.h"

namespace skein::cli {

struct SceneStep {
  std::size_t depth = 0;
  std::string name;
  std::string status; ///< of Machine::StepView; "" for the name of a branch
  std::uint32_t attempt = 0;
  std::optional<Millis> took; ///< of the last attempt, so far
  std::string note;           ///< "12 items done, 4 under way", or the error
};

/// A run as `run watch` draws it.
struct Scene {
  std::string run;
  std::string flow;
  RunState state = RunState::pending;
  std::string note; ///< what it waits for or why it ended so
  Millis elapsed;
  std::vector<SceneStep> steps;
};

/// The run as it is now; of a for_each the items that are under way, at most eight.
/// REQUIRES: the story has begun.
Scene scene_of(const Story& story, Instant now);

struct Style {
  std::size_t columns = 80;
  std::size_t rows = 24;
  bool colour = false;
  bool unicode = true;
  unsigned frame = 0; ///< of the sign that turns
};

/// At most `rows` lines of at most `columns` characters, without line ends.
std::vector<std::string> draw(const Scene& scene, const Style& style);
/// The same in one line.
std::string draw_line(const Scene& scene, const Style& style);

} // namespace skein::cli
