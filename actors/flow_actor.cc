#include "actors/flow_actor.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "actors/step_actor.h"
#include "core/ports/failpoint.h"

namespace skein::actors {
namespace {

constexpr std::uint64_t kEntriesPerCheckpoint = 64;
constexpr std::uint64_t kEntriesBeforeRest =
    16;                              ///< shorter tails fold faster than a checkpoint loads
constexpr std::size_t kCredit = 256; ///< entries of one run that are proposed and not durable

// A clock may be set back, and a timer's event may have waited: time within a run only goes on.
void not_before(flow::Event& event, Instant newest) {
  std::visit([&](auto& e) { e.at = std::max(e.at, newest); }, event);
}

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

Result<void> FlowActorState::load(std::optional<LoadedRun> known) {
  loaded = true;
  auto from_disk =
      known ? Result<LoadedRun>(std::move(*known)) : shared->around.store.load_run(run);
  if (!from_disk) {
    return from_disk.error();
  }
  record = std::move(from_disk->record);
  newest = record.updated_at;
  auto definition = shared->around.definition_of(record.revision);
  if (!definition) {
    return definition.error();
  }
  if (from_disk->checkpoint) {
    auto restored = flow::Machine::restore(run, *definition, *from_disk->checkpoint);
    if (!restored) {
      return restored.error();
    }
    machine = std::move(*restored);
    seq = from_disk->checkpoint->seq.get();
  } else {
    machine.emplace(run, *definition);
  }
  for (const Entry& entry : from_disk->tail) {
    const auto effects = machine->step(entry.event);
    if (!effects || machine->state_digest() != entry.state) {
      return Error{Code::replay_mismatch,
                   "entry " + std::to_string(entry.seq.get()) + " of run " + run.get() +
                       " folds to another state than it recorded",
                   "see `skein run replay " + run.get() + "`"};
    }
    seq = entry.seq.get();
    newest = flow::at_of(entry.event);
    ++since_checkpoint;
  }
  return {};
}

// What a crash may have cut off: effects without a result, by what their class allows.
void FlowActorState::recover() {
  recovered = true;
  for (const flow::Outstanding& effect : machine->outstanding()) {
    failpoint("recover.before_dispatch");
    recover(effect);
  }
  if (machine->wants_to_proceed()) {
    handle(flow::Proceeded{shared->around.clock.now()}, {});
  }
}

void FlowActorState::recover(const flow::Outstanding& effect) {
  if (!effect.begun) {
    dispatch({effect.place, effect.attempt, effect.input});
    return;
  }
  attempts[effect.place] = {effect.attempt, effect.input, {}};
  Tool* tool = tool_of(effect.place);
  if (effect.effect_class == EffectClass::unsafe) {
    handle(flow::FoundInDoubt{shared->around.clock.now(), effect.place, effect.attempt}, {});
    return;
  }
  if (!shared->starts()) {
    return;
  }
  if (effect.effect_class == EffectClass::verify && tool != nullptr) {
    auto found = tool->probe(call_of(effect.place, effect.attempt, effect.input));
    if (found && *found) {
      handle(flow::Succeeded{shared->around.clock.now(), effect.place, effect.attempt, **found},
             {});
      return;
    }
  }
  execute(effect.place, effect.attempt);
}

Result<void> FlowActorState::create(const flow::Created& created) {
  if (machine) {
    return Error{Code::run_exists, "run " + run.get() + " exists already",
                 "choose another --id, or see `skein run status " + run.get() + "`"};
  }
  const auto known = shared->around.store.last_seq(run);
  if (!known || known->get() > 0) {
    return known ? Error{Code::run_exists, "run " + run.get() + " exists already",
                         "choose another --id, or see `skein run status " + run.get() + "`"}
                 : known.error();
  }
  auto definition = shared->around.definition_of(created.revision);
  if (!definition) {
    return definition.error();
  }
  loaded = true;
  recovered = true;
  machine.emplace(run, *definition);
  record.id = run;
  record.definition = created.definition;
  record.revision = created.revision;
  record.labels = created.labels;
  record.parent = created.parent;
  record.created_at = created.at;
  return {};
}

void FlowActorState::handle(flow::Event event, Reply reply) {
  const auto answer = [&](Result<void> result) {
    if (reply) {
      reply(std::move(result));
    }
  };
  event = flow::as_journaled(std::move(event));
  Result<void> ready;
  if (const auto* created = std::get_if<flow::Created>(&event)) {
    ready = create(*created);
  } else if (!loaded) {
    ready = load({});
    if (ready && !std::holds_alternative<flow::CancelAsked>(event) &&
        !std::holds_alternative<flow::PauseAsked>(event)) {
      recover(); // what comes next must not find half of what a crash left
    }
  }
  if (ready && !machine) {
    ready = Error{Code::run_unknown, "there is no run " + run.get()};
  }
  if (!ready || machine->ignores(event)) {
    answer(std::move(ready));
    return;
  }
  not_before(event, newest);
  auto effects = machine->step(event);
  if (!effects) {
    answer(effects.error());
    return;
  }
  failpoint("run.before_propose");
  newest = flow::at_of(event);
  Append append = append_of(event, *effects);
  pending.push_back({seq, std::move(*effects), std::move(reply)});
  shared->busy.begin();
  if (!proposing.to->propose(proposing.as, std::move(append))) {
    shared->busy.end(); // of an actor that is about to hear that it must forget what it decided
  }
}

Append FlowActorState::append_of(const flow::Event& event, const flow::Effects& effects) {
  Append append;
  append.entry = Entry{run, Seq(++seq), event, flow::digest_of(effects), machine->state_digest()};
  ++since_checkpoint;
  add_rows(append, effects);
  if (wants_checkpoint()) {
    append.checkpoint = machine->checkpoint(Seq(seq));
    since_checkpoint = 0;
    size_at_checkpoint = machine->size();
  }
  return append;
}

// Never more often than the state is large: what checkpoints cost stays a part of what entries
// cost.
bool FlowActorState::wants_checkpoint() const {
  if (is_final(machine->state())) {
    return false; // nothing will be recovered; a replay folds the journal
  }
  return since_checkpoint >= std::max(kEntriesPerCheckpoint, 2 * size_at_checkpoint) ||
         (since_checkpoint >= std::max(kEntriesBeforeRest, size_at_checkpoint / 4) &&
          machine->at_rest());
}

void FlowActorState::add_rows(Append& append, const flow::Effects& effects) {
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
    } else if (std::holds_alternative<flow::Show>(effect)) {
      record.state = machine->state();
      record.reason = machine->reason();
      record.waiting_for = machine->waiting_for();
      record.output = machine->output();
      record.failure = machine->failure();
      record.updated_at = flow::at_of(append.entry.event);
      record.steps = machine->steps_ended();
      append.record = record;
    }
  }
}

void FlowActorState::durable(std::uint64_t upto) {
  while (!pending.empty() && pending.front().seq <= upto) {
    Pending done = std::move(pending.front());
    pending.pop_front();
    failpoint("run.after_commit");
    if (done.reply) {
      done.reply({});
    }
    std::move(done.effects.begin(), done.effects.end(), std::back_inserter(todo));
  }
  work();
  rest();
}

// What an effect proposes must become durable before too many others are proposed.
void FlowActorState::work() {
  while (!todo.empty() && pending.size() < kCredit) {
    const flow::Effect effect = std::move(todo.front());
    todo.pop_front();
    run_effect(effect);
  }
}

void FlowActorState::run_effect(const flow::Effect& effect) {
  if (const auto* wanted = std::get_if<flow::Dispatch>(&effect)) {
    dispatch(*wanted);
  } else if (const auto* begun = std::get_if<flow::Execute>(&effect)) {
    failpoint("effect.after_intent");
    execute(begun->place, begun->attempt);
  } else if (const auto* gone = std::get_if<flow::Abandon>(&effect)) {
    const auto attempt = attempts.find(gone->place);
    if (attempt != attempts.end()) {
      if (attempt->second.actor) {
        self->send<caf::message_priority::high>(attempt->second.actor, Cancel{});
      }
      attempts.erase(attempt);
    }
  } else if (const auto* arm = std::get_if<flow::ArmTimer>(&effect)) {
    self->send(shared->timer, Armed{arm->due});
  } else if (std::holds_alternative<flow::Emit>(effect)) {
    self->send(shared->outbox, Kick{});
  } else if (std::holds_alternative<flow::Proceed>(effect) && shared->starts()) {
    handle(flow::Proceeded{shared->around.clock.now()}, {});
  }
}

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
  if (!shared->starts()) {
    return; // the next start of the node finds it outstanding
  }
  Tool* tool = tool_of(effect.place);
  const Instant now = shared->around.clock.now();
  if (tool == nullptr) {
    const auto& missing = std::get<flow::ToolStep>(machine->step_at(effect.place).kind).tool;
    AttemptEnded none{effect.place, effect.attempt,
                      Error{Code::tool_unknown, "this node has no tool \"" + missing + "\""}};
    handle(event_of(none, now), {});
    return;
  }
  if (auto valid = tool->check(effect.input); !valid) {
    handle(event_of(AttemptEnded{effect.place, effect.attempt, valid.error()}, now), {});
    return;
  }
  const EffectClass effect_class = class_of(effect.place, *tool, effect.input);
  if (effect_class == EffectClass::pure) {
    if (auto result = tool->run_inline(call_of(effect.place, effect.attempt, effect.input))) {
      handle(event_of(AttemptEnded{effect.place, effect.attempt, std::move(*result)}, now), {});
      return;
    }
  }
  attempts[effect.place] = {effect.attempt, effect.input, {}};
  if (effect_class == EffectClass::pure) {
    execute(effect.place, effect.attempt);
  } else {
    handle(flow::Begun{now, effect.place, effect.attempt, effect_class}, {});
  }
}

void FlowActorState::execute(const flow::Place& place, std::uint32_t attempt) {
  shared->busy.begin();
  const caf::actor_addr me = self->address();
  shared->slots.take([me, shared = shared, place, attempt] {
    if (const auto alive = caf::actor_cast<caf::actor>(me)) {
      caf::anon_send(alive, SlotGranted{place, attempt});
    } else {
      shared->slots.give_back();
      shared->busy.end();
    }
  });
}

void FlowActorState::start(const SlotGranted& granted) {
  const auto under_way = attempts.find(granted.place);
  if (under_way == attempts.end() || under_way->second.attempt != granted.attempt) {
    shared->slots.give_back(); // abandoned while it waited
    shared->busy.end();
    return;
  }
  auto attempt = std::make_shared<Attempt>();
  attempt->call = call_of(granted.place, granted.attempt, under_way->second.input);
  attempt->place = granted.place;
  attempt->timeout = machine->step_at(granted.place).timeout;
  attempt->tool = tool_of(granted.place);
  under_way->second.actor =
      self->spawn(step_actor, shared, caf::actor_cast<caf::actor>(self), std::move(attempt));
}

void FlowActorState::ended(AttemptEnded& done) {
  const auto under_way = attempts.find(done.place);
  if (under_way != attempts.end() && under_way->second.attempt == done.attempt) {
    attempts.erase(under_way);
  }
  handle(event_of(done, shared->around.clock.now()), {});
  shared->busy.end();
  rest();
}

// The machine decided on entries that are not true: forget it, and let the journal tell what is.
void FlowActorState::refused(const Error& error) {
  for (Pending& waiting : pending) {
    if (waiting.reply) {
      waiting.reply(error);
    }
  }
  self->quit(caf::exit_reason::user_shutdown);
}

void FlowActorState::rest() {
  if (machine && pending.empty() && todo.empty() && attempts.empty() && machine->at_rest()) {
    if (const auto to = caf::actor_cast<caf::actor>(partition)) {
      self->send(to, AtRest{run, handled});
    }
  }
}

caf::behavior flow_actor(caf::stateful_actor<FlowActorState>* self, SharedPtr shared,
                         caf::actor_addr partition, RunId run, Proposing proposing) {
  FlowActorState& state = self->state;
  state.self = self;
  state.shared = std::move(shared);
  state.partition = std::move(partition);
  state.run = std::move(run);
  state.proposing = std::move(proposing);
  self->set_exit_handler([self](const caf::exit_msg& exit) {
    for (auto& [place, attempt] : self->state.attempts) {
      if (attempt.actor) {
        self->send<caf::message_priority::high>(attempt.actor, Cancel{});
      }
    }
    self->quit(exit.reason);
  });
  return {
      // the most frequent first: they are tried in this order
      [self](const Durable& durable) { self->state.durable(durable.seq); },
      [self](const InboundPtr& inbound) {
        FlowActorState& now = self->state;
        ++now.handled;
        now.handle(std::move(inbound->event), std::move(inbound->reply));
        now.rest();
      },
      [self](const RecoverPtr& recover) {
        FlowActorState& now = self->state;
        ++now.handled;
        const Result<void> ready =
            now.loaded ? Result<void>() : now.load(std::move(recover->loaded));
        if (ready && !now.recovered) {
          now.recover();
        }
        if (recover->reply) {
          recover->reply(ready);
        }
        now.rest();
      },
      [self](const RefusedPtr& refused) { self->state.refused(refused->error); },
      [self](const SlotGranted& granted) { self->state.start(granted); },
      [self](const AttemptEndedPtr& done) { self->state.ended(*done); },
  };
}

} // namespace skein::actors
