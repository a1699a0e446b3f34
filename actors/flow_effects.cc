#include "actors/flow_actor.h"

#include "actors/step_actor.h"
#include "core/ports/failpoint.h"

namespace skein::actors {
namespace {

flow::Event event_of(const AttemptEnded& done, Instant at) {
  if (done.result) {
    return flow::Succeeded{at, done.place, done.attempt, *done.result};
  }
  const Error& error = done.result.error();
  return flow::Failed{
      at, done.place, done.attempt,
      flow::Failure{to_string(error.code), error.detail, error.hint, {}, is_retryable(error.code)}};
}

} // namespace

Tool* FlowActorState::tool_of(const flow::Place& place) const {
  return shared->around.tools.find(std::get<flow::ToolStep>(machine->step_at(place).kind).tool);
}

EffectClass FlowActorState::class_of(const flow::Place& place, const Tool& tool,
                                     const Value& input) const {
  const auto& kind = std::get<flow::ToolStep>(machine->step_at(place).kind);
  return kind.effect_class.value_or(tool.effect_class(input));
}

ToolCall FlowActorState::call_of(const flow::Place& place, std::uint32_t attempt,
                                 const Value& input) const {
  const flow::Step& step = machine->step_at(place);
  ToolCall call{std::get<flow::ToolStep>(step.kind).tool,
                input,
                run,
                step.id,
                attempt,
                machine->effect_key(place),
                {}};
  if (step.timeout) {
    call.deadline = shared->around.clock.now() + *step.timeout;
  }
  return call;
}

void FlowActorState::dispatch(const flow::Dispatch& effect) {
  if (!shared->starts(partition_of(run))) {
    return; // the next start of the node finds it outstanding
  }
  if (std::holds_alternative<flow::FlowStep>(machine->step_at(effect.place).kind)) {
    begin_child(effect);
    return;
  }
  Tool* tool = tool_of(effect.place);
  const Instant now = shared->around.clock.now();
  if (tool == nullptr) {
    has_no_tool(effect.place, effect.attempt);
    return;
  }
  if (auto valid = tool->check(effect.input); !valid) {
    handle(event_of(AttemptEnded{effect.place, effect.attempt, valid.error(), {}}, now), {});
    return;
  }
  const EffectClass effect_class = class_of(effect.place, *tool, effect.input);
  if (effect_class == EffectClass::pure) {
    if (auto result = tool->run_inline(call_of(effect.place, effect.attempt, effect.input))) {
      handle(event_of(AttemptEnded{effect.place, effect.attempt, std::move(*result), {}}, now), {});
      return;
    }
  }
  queue(effect.place, {effect.attempt, effect.input, effect_class == EffectClass::pure, {}, {}});
}

// The child is named and pinned before anybody hears of it: its start is a row of the intent's
// entry.
void FlowActorState::begin_child(const flow::Dispatch& effect) {
  const auto& step = std::get<flow::FlowStep>(machine->step_at(effect.place).kind);
  const auto child = shared->around.child_of(
      {step, effect.input, machine->effect_key(effect.place), effect.attempt});
  const Instant now = shared->around.clock.now();
  if (child) {
    handle(flow::Begun{now, effect.place, effect.attempt, EffectClass::keyed, child->id,
                       child->revision},
           {});
  } else {
    handle(event_of(AttemptEnded{effect.place, effect.attempt, child.error(), {}}, now), {});
  }
}

void FlowActorState::has_no_tool(const flow::Place& place, std::uint32_t attempt) {
  const auto& missing = std::get<flow::ToolStep>(machine->step_at(place).kind).tool;
  handle(event_of({place,
                   attempt,
                   Error{Code::tool_unknown, "this node has no tool \"" + missing + "\""},
                   {}},
                  shared->around.clock.now()),
         {});
}

// A slot comes before the intent: what a crash finds begun had a slot, and may have happened.
void FlowActorState::queue(const flow::Place& place, UnderWay attempt) {
  const std::uint32_t number = attempt.attempt;
  attempts[place] = std::move(attempt);
  const caf::actor_addr me = self->address();
  shared->slots.take([me, ticket = std::make_shared<Ticket>(shared, partition_of(run)), place,
                      number](WorkerPtr worker) {
    ticket->granted(std::move(worker));
    if (const auto alive = caf::actor_cast<caf::actor>(me)) {
      caf::anon_send(alive, SlotGranted{place, number, ticket});
    }
  });
}

void FlowActorState::start(const SlotGranted& granted) {
  const auto under_way = attempts.find(granted.place);
  if (under_way == attempts.end() || under_way->second.attempt != granted.attempt) {
    return; // abandoned while it waited
  }
  if (!shared->starts(partition_of(run))) {
    attempts.erase(under_way); // the next start of the node finds it outstanding
    return;
  }
  UnderWay& attempt = under_way->second;
  attempt.ticket = granted.ticket;
  if (attempt.begun) {
    execute(granted.place, granted.attempt);
    return;
  }
  const Tool* tool = tool_of(granted.place);
  handle(flow::Begun{shared->around.clock.now(), granted.place, granted.attempt,
                     class_of(granted.place, *tool, attempt.input)},
         {});
}

void FlowActorState::execute(const flow::Place& place, std::uint32_t number) {
  const auto under_way = attempts.find(place);
  if (under_way == attempts.end() || under_way->second.attempt != number) {
    return; // abandoned while its intent was written
  }
  Tool* const tool = tool_of(place);
  if (tool == nullptr) { // this program has fewer than the one that began it
    attempts.erase(under_way);
    has_no_tool(place, number);
    return;
  }
  auto attempt = std::make_shared<Attempt>();
  attempt->call = call_of(place, number, under_way->second.input);
  attempt->place = place;
  attempt->timeout = machine->step_at(place).timeout;
  attempt->tool = tool;
  attempt->ticket = std::move(under_way->second.ticket);
  under_way->second.actor =
      self->spawn(step_actor, caf::actor_cast<caf::actor>(self), std::move(attempt));
}

// An attempt that another node did not take, or took with it when it was lost.
bool FlowActorState::settled_elsewhere(const AttemptEnded& done, UnderWay attempt) {
  const Code code = done.result ? Code::worker_refused : done.result.error().code;
  if (done.result || (code != Code::worker_lost && code != Code::worker_refused)) {
    return false;
  }
  if (code == Code::worker_refused) {
    attempt.begun = true;
    attempt.actor = nullptr;
    queue(done.place, std::move(attempt));
    return true;
  }
  if (!shared->starts(partition_of(run))) {
    return true; // whoever goes on with the run finds it outstanding
  }
  for (const flow::Outstanding& effect : machine->outstanding()) {
    if (effect.place == done.place && effect.attempt == done.attempt) {
      recover(effect);
    }
  }
  return true;
}

void FlowActorState::cancel_attempts() {
  for (const auto& [place, attempt] : attempts) {
    if (attempt.actor) {
      self->send<caf::message_priority::high>(attempt.actor, Cancel{});
    }
  }
}

void FlowActorState::ended(AttemptEnded& done) {
  const auto under_way = attempts.find(done.place);
  if (under_way != attempts.end() && under_way->second.attempt == done.attempt) {
    UnderWay attempt = std::move(under_way->second);
    attempts.erase(under_way);
    if (settled_elsewhere(done, std::move(attempt))) {
      return;
    }
  }
  handle(event_of(done, shared->around.clock.now()), {});
  rest();
}

} // namespace skein::actors
