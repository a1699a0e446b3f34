#include "actors/flow_actor.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "actors/step_actor.h"
#include "core/event/lifecycle.h"
#include "core/ports/failpoint.h"
#include "core/run/rows.h"

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

// Whether a row of the outbox came with it.
bool has_message(const flow::Effect& effect) {
  const auto* finish = std::get_if<flow::Finish>(&effect);
  return std::holds_alternative<flow::Emit>(effect) ||
         std::holds_alternative<flow::StartChild>(effect) ||
         std::holds_alternative<flow::CancelChild>(effect) ||
         (finish != nullptr && !finish->parent.empty());
}

} // namespace

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
  // Also what nothing is written for may rest on entries that are not durable yet.
  const auto answer = [&](Result<void> result) {
    if (reply && pending.empty()) {
      reply(std::move(result));
    } else if (reply) {
      pending.push_back({seq, {}, std::move(reply), std::move(result)});
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
    if (seq == 0) { // it was not created
      machine.reset();
      loaded = false;
    }
    answer(effects.error());
    return;
  }
  failpoint("run.before_propose");
  newest = flow::at_of(event);
  Append append = append_of(event, *effects);
  pending.push_back({seq, std::move(*effects), std::move(reply), {}});
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
  if (std::any_of(effects.begin(), effects.end(), [](const flow::Effect& effect) {
        return std::holds_alternative<flow::Show>(effect);
      })) {
    const RunState before = record.state;
    show(record, *machine, flow::at_of(event));
    append.record = record;
    if (shared->around.tells && event::is_told(before, record.state)) {
      const event::CloudEvent told = event::change_of(record, append.entry.seq);
      append.outbox.push_back({told.id, told.type, event::to_value(told)});
    }
  }
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

void FlowActorState::durable(std::uint64_t upto) {
  while (!pending.empty() && pending.front().seq <= upto) {
    Pending done = std::move(pending.front());
    pending.pop_front();
    failpoint("run.after_commit");
    if (done.reply) {
      done.reply(std::move(done.answer));
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
  } else if (has_message(effect) ||
             (shared->around.tells && std::holds_alternative<flow::Show>(effect) &&
              (is_final(machine->state()) || machine->state() == RunState::paused))) {
    self->send(shared->outbox, Kick{});
  } else if (std::holds_alternative<flow::Proceed>(effect) && shared->starts(partition_of(run))) {
    handle(flow::Proceeded{shared->around.clock.now()}, {});
  }
}

// The machine decided on entries that are not true: forget it, and let the journal tell what is.
void FlowActorState::refused(const Error& error) {
  for (Pending& waiting : pending) {
    if (waiting.reply) {
      waiting.reply(error);
    }
  }
  cancel_attempts();
  self->quit(caf::exit_reason::user_shutdown);
}

void FlowActorState::rest() {
  if (pending.empty() && todo.empty() && attempts.empty() && (!machine || machine->at_rest())) {
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
    self->state.cancel_attempts();
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
