#include "core/event/lifecycle.h"

#include <utility>
#include <vector>

#include "core/value/json.h"

namespace skein::event {

bool is_told(RunState before, RunState now) {
  return before != now && (is_final(now) || now == RunState::paused);
}

CloudEvent change_of(const RunRecord& run, Seq entry) {
  constexpr std::uint32_t kMostWeight = 4'096; // of 16 bytes
  const std::string state(name_of(run.state));
  std::vector<MapEntry> data{{"run", run.id.get()},
                             {"kind", run.kind},
                             {"definition", run.definition},
                             {"revision", to_string(run.revision)},
                             {"state", state},
                             {"labels", run.labels}};
  if (run.output.weight() <= kMostWeight) {
    data.emplace_back("output", run.output);
  }
  if (!run.reason.empty()) {
    data.emplace_back("reason", run.reason);
  }
  if (run.failure) {
    data.emplace_back("error", object({{"code", run.failure->code},
                                       {"message", run.failure->message},
                                       {"step", run.failure->step}}));
  }
  CloudEvent event;
  event.id = run.id.get() + "/" + state + "/" + std::to_string(entry.get());
  event.source = "/skein/" + run.kind + "s/" + run.definition;
  event.type = std::string(kOwnTypes) + "run." + state;
  event.subject = run.id.get();
  event.time = to_string(run.updated_at);
  event.data = as_json(Value::of_map(std::move(data)));
  return event;
}

} // namespace skein::event
