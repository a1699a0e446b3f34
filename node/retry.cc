#include "node/retry.h"

#include <map>

#include "node/replay.h"

namespace skein::node {

// The last entry before the attempt that the run failed with, so that a fork from there makes that
// attempt anew or asks again; or before the timer that ended it.
Result<Seq> before_failure(const Store& store, const RunRecord& record) {
  const auto machine = machine_at(store, record.id);
  if (!machine) {
    return machine.error();
  }
  const std::string step = record.failure ? record.failure->step : "";
  std::map<flow::Place, Seq> begun;
  Seq attempt;
  Seq timer;
  bool timed_out = false; // by the newest entry
  const auto read = store.read_journal(record.id, Seq(1), [&](const Entry& entry) {
    timed_out = std::holds_alternative<flow::Expired>(entry.event);
    if (const auto* begins = std::get_if<flow::Begun>(&entry.event)) {
      begun[begins->place] = entry.seq;
    } else if (const auto* failed = std::get_if<flow::Failed>(&entry.event)) {
      if (machine->step_at(failed->place).id == step) {
        const auto found = begun.find(failed->place);
        attempt = Seq((found != begun.end() ? found->second : entry.seq).get() - 1);
      }
    } else if (const auto* answered = std::get_if<flow::Answered>(&entry.event)) {
      if (!answered->approved && machine->step_at(answered->place).id == step) {
        attempt = Seq(entry.seq.get() - 1);
      }
    } else if (timed_out) {
      timer = Seq(entry.seq.get() - 1);
    }
    return true;
  });
  if (!read) {
    return read.error();
  }
  if (step.empty() && !timed_out) { // its end, which would come to the same again
    timer = Seq();
  }
  if (attempt.get() == 0 && timer.get() == 0) {
    return Error{Code::run_state_conflict,
                 "run " + record.id.get() + " failed without a step that could run again",
                 "fork it with other input or variables: `skein run fork " + record.id.get() +
                     " --at 1 -i NAME=VALUE --set NAME=VALUE`"};
  }
  return attempt.get() > 0 ? attempt : timer;
}

} // namespace skein::node
