#include "core/flow/machine.h"
#include "core/flow/state.h"

namespace skein::flow {
namespace {

std::string end_of(const ApprovalStep& kind) {
  return kind.on_timeout == ApprovalStep::OnTimeout::approve  ? "approved"
         : kind.on_timeout == ApprovalStep::OnTimeout::reject ? "rejected"
                                                              : "failed";
}

void add_approval(Machine::Wait& wait, const ApprovalStep& kind, const StepState& step) {
  const Value* message = step.input.find("message");
  wait.what = "approval " + wait.step;
  wait.message = message != nullptr ? *message : Value();
  wait.approvers = kind.approvers;
  wait.required = kind.required;
  wait.then = wait.until ? end_of(kind) : "";
  for (const Answer& answer : std::get<ApprovalState>(*step.detail).approvals) {
    wait.approved_by.push_back(answer.by);
  }
}

} // namespace

std::vector<Machine::Wait> Machine::waits() const {
  std::vector<Wait> waits;
  for (const StepView& seen : view()) {
    const StepState& step = *find(*state_, *definition_, seen.place);
    if (step.status != StepStatus::waiting) {
      continue;
    }
    Wait wait;
    wait.step = seen.name;
    if (const auto timer = state_->timers.find(step.timer); timer != state_->timers.end()) {
      wait.until = timer->second.due;
    }
    const StepKind& kind = step_at(seen.place).kind;
    const auto* signal = step.detail ? std::get_if<SignalWaitState>(step.detail.get()) : nullptr;
    if (const auto* approval = std::get_if<ApprovalStep>(&kind)) {
      add_approval(wait, *approval, step);
    } else if (signal != nullptr) {
      wait.what = "signal " + signal->name;
      wait.then = !wait.until                                    ? ""
                  : std::get<WaitStep>(kind).continue_on_timeout ? "over"
                                                                 : "failed";
    } else if (step.child) {
      wait.what = "child " + step.child->get();
      wait.then = wait.until ? "failed" : "";
    } else if (wait.until) {
      wait.what = "timer " + to_string(*wait.until);
      wait.then = "over";
    }
    waits.push_back(std::move(wait));
  }
  return waits;
}

} // namespace skein::flow
