#include "actors/flow_actor.h"

#include <spdlog/spdlog.h>

#include "core/ports/failpoint.h"

namespace skein::actors {

Result<void> FlowActorState::load(std::optional<LoadedRun> known) {
  auto done = fold(std::move(known));
  loaded = done.ok();
  if (!loaded) {
    machine.reset(); // nothing is decided on half of a journal
  }
  return done;
}

Result<void> FlowActorState::fold(std::optional<LoadedRun> known) {
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
  machine.emplace(run, *definition);
  if (from_disk->checkpoint) {
    auto restored = flow::Machine::restore(run, *definition, *from_disk->checkpoint);
    if (!restored) {
      spdlog::error("{}; its whole journal is folded instead", to_string(restored.error()));
      return fold_journal();
    }
    machine = std::move(*restored);
    seq = from_disk->checkpoint->seq.get();
  }
  Result<void> folded;
  for (const Entry& entry : from_disk->tail) {
    if (folded = fold(entry); !folded) {
      break;
    }
  }
  return folded;
}

Result<void> FlowActorState::fold_journal() {
  Result<void> folded;
  auto read = shared->around.store.read_journal(run, Seq(1), [&](Entry&& entry) {
    folded = fold(entry);
    return folded.ok();
  });
  return read ? folded : read;
}

Result<void> FlowActorState::fold(const Entry& entry) {
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

// What another node runs for whoever led before is waited for, not done again.
bool FlowActorState::adopt(const flow::Outstanding& effect) {
  WorkerPtr worker;
  if (shared->around.running && tool_of(effect.place) != nullptr) {
    worker = shared->around.running(call_of(effect.place, effect.attempt, effect.input));
  }
  if (!worker) {
    return false;
  }
  auto ticket = std::make_shared<Ticket>(shared, partition_of(run));
  ticket->granted(std::move(worker));
  attempts[effect.place] = {effect.attempt, effect.input, true, std::move(ticket), {}};
  execute(effect.place, effect.attempt);
  return true;
}

void FlowActorState::recover(const flow::Outstanding& effect) {
  if (!effect.begun) {
    dispatch({effect.place, effect.attempt, effect.input});
    return;
  }
  if (adopt(effect)) {
    return;
  }
  Tool* tool = tool_of(effect.place);
  if (effect.effect_class == EffectClass::unsafe) {
    handle(flow::FoundInDoubt{shared->around.clock.now(), effect.place, effect.attempt}, {});
    return;
  }
  if (!shared->starts(partition_of(run))) {
    return;
  }
  if (effect.effect_class == EffectClass::verify && tool != nullptr) {
    auto found = tool->probe(call_of(effect.place, effect.attempt, effect.input));
    if (!found) { // it cannot tell, so it may have happened
      handle(flow::FoundInDoubt{shared->around.clock.now(), effect.place, effect.attempt}, {});
      return;
    }
    if (*found) {
      handle(flow::Succeeded{shared->around.clock.now(), effect.place, effect.attempt, **found},
             {});
      return;
    }
  }
  queue(effect.place, {effect.attempt, effect.input, true, {}, {}});
}

} // namespace skein::actors
