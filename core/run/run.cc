#include "core/run/run.h"

#include <array>

namespace skein {
namespace {

constexpr std::array<std::string_view, 7> kNames{"pending",   "running", "waiting",  "paused",
                                                 "succeeded", "failed",  "cancelled"};

} // namespace

std::string_view name_of(RunState state) { return kNames[static_cast<std::size_t>(state)]; }

std::optional<RunState> parse_run_state(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) {
      return static_cast<RunState>(i);
    }
  }
  return std::nullopt;
}

} // namespace skein
