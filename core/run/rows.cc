#include "core/run/rows.h"

#include "core/run/children.h"
#include "core/value/utf8.h"

namespace skein {
namespace {

constexpr std::size_t kLongestText = 4'096; ///< of what a list shows; the journal has all of it

} // namespace

void add_rows(Append& append, const flow::Effects& effects) {
  const RunId& run = append.entry.run;
  for (const flow::Effect& effect : effects) {
    if (const auto* arm = std::get_if<flow::ArmTimer>(&effect)) {
      append.arm.push_back({run, arm->timer, arm->due});
    } else if (const auto* disarm = std::get_if<flow::DisarmTimer>(&effect)) {
      const TimerRow row{run, disarm->timer, disarm->due};
      if (std::erase(append.arm, row) == 0) {
        append.disarm.push_back(row);
      }
    } else if (const auto* open = std::get_if<flow::OpenWait>(&effect)) {
      append.open.push_back({run, open->what, open->name});
    } else if (const auto* close = std::get_if<flow::CloseWait>(&effect)) {
      const WaitRow row{run, close->what, close->name};
      if (std::erase(append.open, row) == 0) {
        append.close.push_back(row);
      }
    } else if (const auto* emit = std::get_if<flow::Emit>(&effect)) {
      append.outbox.push_back({emit->id, emit->type, emit->event});
    } else if (const auto* start = std::get_if<flow::StartChild>(&effect)) {
      append.outbox.push_back(to_row(run, *start));
    } else if (const auto* cancel = std::get_if<flow::CancelChild>(&effect)) {
      append.outbox.push_back(to_row(run, *cancel));
    } else if (const auto* finish = std::get_if<flow::Finish>(&effect);
               finish != nullptr && !finish->parent.empty()) {
      append.outbox.push_back(to_row(run, *finish));
    }
  }
}

void show(RunRecord& record, const flow::Machine& machine, Instant at) {
  record.state = machine.state();
  record.reason = clipped(machine.reason(), kLongestText);
  record.waiting_for = clipped(machine.waiting_for(), kLongestText);
  record.output = machine.output();
  record.failure = machine.failure();
  if (record.failure) {
    record.failure->message = clipped(record.failure->message, kLongestText);
    record.failure->hint = clipped(record.failure->hint, kLongestText);
  }
  record.steps = machine.steps_ended();
  record.updated_at = at;
}

} // namespace skein
