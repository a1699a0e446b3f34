#include "core/flow/event.h"

#include <array>

namespace skein::flow {

Instant at_of(const Event& event) {
  return std::visit([](const auto& e) { return e.at; }, event);
}

std::string_view kind_of(const Event& event) {
  static constexpr std::array<std::string_view, std::variant_size_v<Event>> kKinds{
      "run.created",       "run.forked",       "step.begun",      "step.succeeded",
      "step.failed",       "step.in_doubt",    "timer.expired",   "signal.received",
      "approval.answered", "run.cancel_asked", "run.pause_asked", "run.resume_asked",
      "step.settled",      "run.proceeded"};
  return kKinds[event.index()];
}

} // namespace skein::flow
