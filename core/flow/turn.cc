#include "core/flow/turn.h"

#include "core/flow/scope_view.h"

namespace skein::flow {

std::string text_of(const Definition& definition, const Place& place) {
  return definition.steps[place.step].id + path_text(place);
}

std::string effect_key(const RunId& run, const Definition& definition, const Place& place) {
  return run.get() + "/" + definition.steps[place.step].id + "/" + iteration_text(place);
}

std::string Turn::text_of(const Place& place) const { return flow::text_of(definition_, place); }

std::string Turn::key_of(const Place& place) const { return effect_key(run_, definition_, place); }

// Most places of one event lie in one frame.
StepState* Turn::look_up(const Place& place) {
  const std::uint16_t local = step_of(place).local;
  if (place.depth == 0) {
    return &state_.root.steps[local];
  }
  Frame* const frame = frame_at(frame_of(definition_, place));
  return frame != nullptr ? &frame->steps[local] : nullptr;
}

Frame* Turn::frame_at(const Place& key) {
  if (frame_ == nullptr || key != frame_key_) {
    const auto frame = state_.frames.find(key);
    if (frame == state_.frames.end()) {
      return nullptr;
    }
    frame_ = &frame->second;
    frame_key_ = key;
  }
  return frame_;
}

StepState& Turn::at(const Place& place) {
  StepState& step = *look_up(place);
  if (!step.dirty) {
    step.dirty = true;
    changed_.push_back(place);
  }
  return step;
}

BlockState& Turn::block_state(const BlockAt& block) {
  const Block& shape = definition_.blocks[block.block];
  if (!shape.owner) {
    return state_.root.block;
  }
  if (std::holds_alternative<ParallelStep>(definition_.steps[*shape.owner].kind)) {
    StepState& owner = at(around(block.inside, *shape.owner, block.inside.depth));
    return std::get<ParallelState>(*owner.detail).branches[shape.branch];
  }
  Place key = block.inside;
  key.step = *shape.owner;
  return frame_at(key)->block;
}

std::uint64_t Turn::arm(const Place& place, Timer::Purpose purpose, Instant due) {
  const std::uint64_t id = state_.next_timer++;
  add_timer(state_, id, Timer{place, purpose, due});
  effects_.push_back(ArmTimer{id, due});
  return id;
}

void Turn::disarm(std::uint64_t timer) {
  effects_.push_back(DisarmTimer{timer, state_.timers.at(timer).due});
  remove_timer(state_, timer);
}

Failure Turn::failure_of(const Place& place, const Error& error) const {
  return Failure{to_string(error.code), error.detail, error.hint, step_of(place).id,
                 is_retryable(error.code)};
}

void Turn::on(const Created& event) {
  state_.state = RunState::running;
  state_.created_at = event.at;
  state_.seed = event.seed;
  state_.rules = event.rules;
  state_.input = event.input;
  state_.vars = definition_.vars;
  state_.parent = event.parent;
  state_.depth = event.depth;
  state_.labels = event.labels;
  state_.input_digest = digest_of(state_.input);
  state_.vars_digest = digest_of(state_.vars);
  state_.response_digest = digest_of(state_.response);
  state_.output_digest = digest_of(state_.output);
  state_.root = make_frame(definition_, 0, kRootBlock);
  force_show_ = true;
  if (definition_.timeout) {
    arm(Place{}, Timer::Purpose::run_timeout, event.at + *definition_.timeout);
  }
  enter({kRootBlock, Place{}});
}

void Turn::on(const Forked& event) {
  if (event.vars.is(Kind::map)) {
    state_.vars = merged(state_.vars, event.vars);
    state_.vars_digest = digest_of(state_.vars);
  }
  if (event.input.is(Kind::map)) {
    state_.input = merged(state_.input, event.input);
    state_.input_digest = digest_of(state_.input);
  }
  state_.paused = false;
  state_.paused_by_doubt = false;
  state_.reason.clear();
  state_.parent.clear(); // who started the source waits for the source
  force_show_ = true;
  forget_children();
  for (const auto& [id, timer] : state_.timers) {
    effects_.push_back(ArmTimer{id, timer.due});
  }
  for (const auto& [name, places] : state_.waiters) {
    effects_.push_back(OpenWait{WaitRow::What::signal, name});
  }
  for (const Place& place : state_.approvals) {
    effects_.push_back(OpenWait{WaitRow::What::approval, text_of(place)});
  }
  for (const Place& place : under_way(state_, definition_)) {
    StepState& step =
        at(place); // its key is new: whatever the source did, this run has not done it
    if (step.status == StepStatus::in_doubt) {
      state_.doubted.erase(place);
      ++state_.running;
      step.status = StepStatus::running;
    }
    step.begun = false;
    effects_.push_back(Dispatch{place, step.attempt, step.input});
  }
}

// Those of the source: this run starts its own, as it does with other attempts under way.
void Turn::forget_children() {
  for (const auto& [child, place] : state_.children) {
    StepState& step = at(place);
    if (step.timer != 0) { // armed with the next intent
      remove_timer(state_, step.timer);
      step.timer = 0;
    }
    step.child.reset();
    step.status = StepStatus::running;
    ++state_.running;
  }
  state_.children.clear();
}

void Turn::on(const Begun& event) {
  StepState& step = at(event.place);
  step.begun = true;
  step.effect_class = event.effect_class;
  if (const auto* flow = std::get_if<FlowStep>(&step_of(event.place).kind)) {
    start_child(event, *flow);
    return;
  }
  effects_.push_back(Execute{event.place, event.attempt});
}

void Turn::on(const Succeeded& event) { succeed(event.place, event.output); }

void Turn::on(const Failed& event) {
  Failure failure = event.failure;
  if (failure.step.empty()) {
    failure.step = step_of(event.place).id;
  }
  retry_or_fail(event.place, std::move(failure));
}

void Turn::on(const ChildEnded& event) {
  const auto waiting = state_.children.find(event.child.get());
  const Place place = waiting->second;
  state_.children.erase(waiting);
  if (!event.failure) {
    succeed(place, event.output);
    return;
  }
  Failure failure = *event.failure;
  failure.message = "run " + event.child.get() + ": " + failure.message;
  failure.step = step_of(place).id;
  retry_or_fail(place, std::move(failure));
}

void Turn::on(const FoundInDoubt& event) {
  const Step& shape = step_of(event.place);
  StepState& step = at(event.place);
  switch (shape.in_doubt) {
    case InDoubt::retry:
      --state_.running;
      dispatch(event.place, step);
      return;
    case InDoubt::fail:
      fail(event.place, failure_of(event.place, Error{Code::step_in_doubt,
                                                      "attempt " + std::to_string(event.attempt) +
                                                          " of " + text_of(event.place) +
                                                          " may or may not have happened"}));
      return;
    case InDoubt::ask:
      break;
  }
  --state_.running;
  state_.doubted.insert(event.place);
  step.status = StepStatus::in_doubt;
  if (!state_.paused) { // who asked for a pause keeps it when the doubt is settled
    state_.paused_by_doubt = true;
    pause(doubt_about(event.place));
  }
}

void Turn::on(const Expired& event) {
  const Timer timer = state_.timers.at(event.timer);
  disarm(event.timer); // its row goes with this entry
  if (timer.purpose == Timer::Purpose::run_timeout) {
    finish_run(RunState::failed, Value(),
               Failure{to_string(Code::run_timeout),
                       "the run took longer than " + to_string(*definition_.timeout),
                       {},
                       {},
                       false});
    return;
  }
  StepState& step = at(timer.place);
  step.timer = 0;
  if (timer.purpose == Timer::Purpose::retry) {
    step.status = StepStatus::ready;
    push_ready(state_, timer.place);
  } else if (timer.purpose == Timer::Purpose::wait) {
    succeed(timer.place, Value());
  } else {
    give_up(timer.place);
  }
}

void Turn::give_up(const Place& place) {
  const Step& shape = step_of(place);
  if (std::holds_alternative<FlowStep>(shape.kind)) {
    retry_or_fail(place,
                  failure_of(place, Error{Code::step_timeout, "run " + at(place).child->get() +
                                                                  " took longer than " +
                                                                  to_string(*shape.timeout)}));
    return;
  }
  const auto late = [&](const Millis& limit) {
    return failure_of(place, Error{Code::wait_timeout,
                                   text_of(place) + " had no answer within " + to_string(limit)});
  };
  if (const auto* wait = std::get_if<WaitStep>(&shape.kind)) {
    wait->continue_on_timeout ? succeed(place, Value()) : fail(place, late(*wait->timeout));
    return;
  }
  const auto& approval = std::get<ApprovalStep>(shape.kind);
  switch (approval.on_timeout) {
    case ApprovalStep::OnTimeout::approve:
      succeed(place, object({{"approved", true}, {"auto", true}, {"by", Value::of_list({})}}));
      break;
    case ApprovalStep::OnTimeout::reject:
      fail(place, failure_of(place, Error{Code::approval_rejected,
                                          text_of(place) + " was rejected: nobody answered"}));
      break;
    case ApprovalStep::OnTimeout::fail:
      fail(place, late(*approval.timeout));
      break;
  }
}

void Turn::on(const Signalled& event) {
  if (!event.id.empty()) {
    state_.signal_ids.insert(event.id);
  }
  ++state_.signals_seen;
  const auto waiters = state_.waiters.find(event.name);
  if (waiters != state_.waiters.end()) {
    succeed(Place(waiters->second.begin()->second), event.payload);
  } else {
    add_signal(state_, Signal{state_.signals_seen, event.name, event.payload});
  }
}

void Turn::on(const Answered& event) {
  const auto& kind = std::get<ApprovalStep>(step_of(event.place).kind);
  if (!event.approved) {
    const std::string why = event.comment.empty() ? "" : ": " + event.comment;
    fail(event.place, failure_of(event.place, Error{Code::approval_rejected,
                                                    text_of(event.place) + " was rejected by " +
                                                        event.by + why}));
    return;
  }
  StepState& step = at(event.place);
  auto& approvals = std::get<ApprovalState>(*step.detail).approvals;
  approvals.push_back({event.by, event.comment});
  if (approvals.size() < kind.required) {
    return;
  }
  std::vector<Value> by;
  for (const Answer& answer : approvals) {
    by.emplace_back(answer.by);
  }
  succeed(event.place, object({{"approved", true},
                               {"auto", false},
                               {"by", Value::of_list(std::move(by))},
                               {"comment", event.comment}}));
}

void Turn::on(const CancelAsked& event) {
  state_.reason = event.reason.empty() ? "cancelled by " + event.by : event.reason;
  finish_run(RunState::cancelled, Value(), {});
}

void Turn::on(const PauseAsked& event) {
  state_.paused_by_doubt = false;
  force_show_ = true;
  pause(event.reason.empty() ? "paused by " + event.by : event.reason);
}

void Turn::on(const ResumeAsked&) {
  force_show_ = true;
  go_on_or_ask();
}

void Turn::on(const Settled& event) {
  StepState& step = at(event.place);
  switch (event.how) {
    case Settled::How::retry:
      state_.doubted.erase(event.place);
      step.status = StepStatus::ready;
      push_ready(state_, event.place);
      break;
    case Settled::How::succeed:
      succeed(event.place, event.output);
      break;
    case Settled::How::fail:
      fail(event.place,
           failure_of(event.place,
                      Error{Code::step_in_doubt,
                            text_of(event.place) + " was settled as failed by " + event.by}));
      break;
  }
  if (state_.paused_by_doubt) {
    go_on_or_ask();
  }
}

// The end of a pause; what is still in doubt keeps the run, for nobody but an operator can tell.
void Turn::go_on_or_ask() {
  state_.paused = state_.paused_by_doubt = !state_.doubted.empty();
  if (state_.paused) {
    pause(doubt_about(*state_.doubted.begin()));
  } else {
    state_.reason.clear();
  }
}

void Turn::on(const Proceeded&) {}

std::string Turn::doubt_about(const Place& place) const {
  return "step " + text_of(place) + " is in doubt: it had begun when the process ended";
}

void Turn::pause(std::string reason) {
  state_.paused = true;
  state_.reason = std::move(reason);
}

std::string Turn::what_it_waits_for() const {
  if (state_.paused) {
    return state_.doubted.empty() ? "resume" : "settle " + text_of(*state_.doubted.begin());
  }
  if (!state_.approvals.empty()) {
    return "approval " + text_of(*state_.approvals.begin());
  }
  if (!state_.waiters.empty()) {
    return "signal " + state_.waiters.begin()->first;
  }
  if (!state_.children.empty()) {
    return "child " + state_.children.begin()->first;
  }
  if (!state_.due.empty()) {
    return "timer " + to_string(state_.due.begin()->first);
  }
  return state_.doubted.empty() ? "" : "settle " + text_of(*state_.doubted.begin());
}

void Turn::show() {
  if (!is_final(state_.state)) {
    const bool busy = state_.running > 0 || !state_.ready.empty();
    const RunState now = state_.paused ? RunState::paused
                         : busy        ? RunState::running
                                       : RunState::waiting;
    std::string waiting_for = now == RunState::running ? "" : what_it_waits_for();
    if (now != state_.state || waiting_for != state_.waiting_for) {
      force_show_ = true;
    }
    state_.state = now;
    state_.waiting_for = std::move(waiting_for);
  } else {
    state_.waiting_for.clear();
    if (state_.state == RunState::failed && state_.failure) {
      state_.reason = state_.failure->code + ": " + state_.failure->message;
    }
  }
  if (force_show_ || finish_) {
    effects_.push_back(Show{state_.state, state_.reason, state_.waiting_for});
  }
  if (finish_) {
    effects_.push_back(std::move(*finish_));
  }
}

Effects Turn::finish() {
  drain();
  if (!state_.ready.empty() && !state_.paused && !is_final(state_.state)) {
    effects_.push_back(Proceed{});
  }
  show();
  for (const Place& place : changed_) {
    StepState* step = look_up(place);
    if (step == nullptr) {
      continue;
    }
    if (step->counted) {
      state_.cells.remove(step->cell);
    }
    step->cell = cell_digest(place, *step);
    step->counted = true;
    step->dirty = false;
    state_.cells.add(step->cell);
  }
  count_ready(state_);
  state_.total = total_digest(state_);
  return std::move(effects_);
}

} // namespace skein::flow
