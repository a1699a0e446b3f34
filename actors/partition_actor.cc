#include "actors/partition_actor.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <set>
#include <utility>

#include "actors/flow_actor.h"
#include "actors/supervisor_actor.h"

namespace skein::actors {

namespace {

Error not_led(PartitionId partition) {
  return {Code::not_leader,
          "partition " + std::to_string(partition.get()) + " is led by another node",
          "ask again: it is passed on to that node"};
}

} // namespace

// Whether the runs are another's, and who asked was told.
bool PartitionActorState::refuse_elsewhere(const Reply& reply) const {
  if (!proposals && reply) {
    reply(not_led(partition));
  }
  return !proposals;
}

// Null where as many runs are live as may be.
PartitionActorState::Live* PartitionActorState::live_run(const RunId& run) {
  const auto found = live.find(run);
  if (found != live.end()) {
    return &found->second;
  }
  // A share of the node's limit, with room for partitions that have more than others.
  const std::size_t share = std::max<std::size_t>(16, shared->limits.live_runs / (kPartitions / 2));
  if (live.size() >= share) {
    return nullptr;
  }
  auto proposer = std::make_shared<Proposals::Proposer>();
  auto actor = self->spawn<caf::monitored>(flow_actor, shared, self->address(), run,
                                           Proposing{proposals, proposer});
  ids.emplace(actor.id(), run);
  return &live.emplace(run, Live{std::move(actor), std::move(proposer), 0}).first->second;
}

void PartitionActorState::to_run(const RunId& run, caf::message message) {
  if (Live* there = live_run(run)) {
    ++there->sent;
    self->send(there->actor, std::move(message));
  } else {
    parked.emplace_back(run, std::move(message));
  }
}

// What was read ahead is the newest only where the run was not live since, and is about to be.
void PartitionActorState::wake(Wake& wake) {
  if (left.contains(wake.run) || live_run(wake.run) == nullptr) {
    wake.loaded.reset();
  }
  to_run(wake.run, caf::make_message(std::make_shared<Recover>(
                       Recover{std::move(wake.loaded), std::move(wake.reply)})));
}

void PartitionActorState::forget(std::unordered_map<RunId, Live>::iterator run) {
  if (shared->resuming.load() > 0) {
    left.insert(run->first);
  } else {
    left.clear();
  }
  live.erase(run);
}

void PartitionActorState::write(Written& whole) {
  const RunId run = whole.appends.front().entry.run;
  if (live.contains(run) || written.contains(run)) {
    whole.reply(Error{Code::run_exists, "run " + run.get() + " exists already",
                      "choose another --id, or see `skein run status " + run.get() + "`"});
    return;
  }
  written.emplace(run, std::move(whole.reply));
  for (std::size_t i = 0; i < whole.appends.size(); ++i) {
    shared->busy.begin();
  }
  proposals->propose_whole(std::make_shared<Proposals::Proposer>(), std::move(whole.appends));
}

void PartitionActorState::tell_written(const RunId& run, const Result<void>& result) {
  if (const auto waiting = written.find(run); waiting != written.end()) {
    waiting->second(result);
    written.erase(waiting);
  }
}

void PartitionActorState::admit_parked() {
  while (!parked.empty() && live_run(parked.front().first) != nullptr) {
    auto [run, message] = std::move(parked.front());
    parked.pop_front();
    to_run(run, std::move(message));
  }
}

// Ended by itself: an exception, or a commit that was refused.
void PartitionActorState::fell(const caf::down_msg& down) {
  const auto id = ids.find(down.source.id());
  if (id == ids.end()) {
    return; // sent to rest
  }
  const RunId run = std::move(id->second);
  ids.erase(id);
  if (const auto found = live.find(run); found != live.end()) {
    proposals->forget(found->second.proposer);
    forget(found);
  }
  if (down.reason != caf::exit_reason::user_shutdown) {
    self->send(shared->supervisor,
               std::make_shared<const Fell>(
                   Fell{run, "its actor ended: " + caf::to_string(down.reason), false}));
  }
  admit_parked();
}

// What was proposed while this node led before still counts where it was committed, but nobody here
// waits for it any more.
void PartitionActorState::committed(Committed& done) {
  if (!proposals || done.batch.epoch != epoch) {
    for (const Append& append : done.batch.appends) {
      if (done.result) {
        shared->around.on_entry(append.entry, append.record ? &*append.record : nullptr);
      }
    }
  } else if (done.result) {
    tell_durable(done.batch);
  } else {
    refuse(done.batch, done.result.error());
  }
  shared->busy.end(static_cast<std::int64_t>(done.batch.appends.size()));
}

void PartitionActorState::tell_durable(const Batch& batch) {
  const std::shared_ptr<void> turn = proposals->turn(batch.wave);
  for (std::size_t i = 0; i < batch.appends.size(); ++i) {
    const Append& append = batch.appends[i];
    shared->around.on_entry(append.entry, append.record ? &*append.record : nullptr);
    const bool last_of_run =
        i + 1 == batch.appends.size() || batch.appends[i + 1].entry.run != append.entry.run;
    const auto run = last_of_run ? live.find(append.entry.run) : live.end();
    if (run == live.end()) {
      if (last_of_run) {
        tell_written(append.entry.run, {});
      }
      continue;
    }
    if (proposals->is_from(i, run->second.proposer)) {
      // It names the last; the flow actor takes all before it.
      self->send(run->second.actor, Durable{append.entry.seq.get(), turn});
    } else {
      drop(run, Error{Code::interrupted, "an actor that fell had decided more than its next knows",
                      "ask again"});
    }
  }
}

// What was decided on top of entries that are not true goes with them; the runs come back from
// their journals.
void PartitionActorState::refuse(const Batch& batch, const Error& error) {
  if (error.code == Code::not_leader) {
    return; // the batch's own entries; the rest goes when this partition is told to follow
  }
  spdlog::error("partition {}: {}", partition.get(), to_string(error));
  if (error.code == Code::storage_io || error.code == Code::log_diverged) {
    shared->around.on_broken(error);
  }
  const std::vector<Append> gathered = proposals->refuse();
  std::set<RunId> runs;
  for (const std::vector<Append>* appends : {&batch.appends, &gathered}) {
    for (const Append& append : *appends) {
      runs.insert(append.entry.run);
    }
  }
  shared->busy.end(static_cast<std::int64_t>(gathered.size()));
  for (const RunId& run : runs) {
    if (written.contains(run)) {
      tell_written(run, error);
      continue;
    }
    if (const auto found = live.find(run); found != live.end()) {
      drop(found, error);
    } else {
      bring_back(run, error);
    }
  }
  admit_parked();
}

/// Ends an actor whose memory is not the truth; the run comes back from its journal.
void PartitionActorState::drop(std::unordered_map<RunId, Live>::iterator run, const Error& error) {
  const RunId id = run->first;
  self->send(run->second.actor, std::make_shared<const Refused>(Refused{error}));
  proposals->forget(run->second.proposer);
  ids.erase(run->second.actor.id());
  forget(run);
  bring_back(id, error);
}

void PartitionActorState::bring_back(const RunId& run, const Error& error) {
  self->send(shared->supervisor, std::make_shared<const Fell>(Fell{
                                     run, to_string(error), error.code == Code::storage_full}));
}

void PartitionActorState::at_rest(const AtRest& rest) {
  const auto run = live.find(rest.run);
  if (run != live.end() && run->second.sent == rest.handled) {
    self->send_exit(run->second.actor, caf::exit_reason::user_shutdown);
    ids.erase(run->second.actor.id());
    forget(run);
    admit_parked();
  }
}

void PartitionActorState::lead(Epoch as_of) {
  follow(); // with what it knew under an older epoch
  epoch = as_of;
  Instant not_before; // time of the newest batch that is there, however the clock was set since
  if (const auto tail = shared->around.store.tail_of(partition)) {
    epoch = std::max(epoch, tail->epoch);
    not_before = tail->at;
  }
  proposals = std::make_shared<Proposals>(
      partition, epoch, not_before, shared->commits,
      [me = self->address()](const Result<void>& result, Batch&& done) {
        if (const auto alive = caf::actor_cast<caf::actor>(me)) {
          caf::anon_send(alive, std::make_shared<Committed>(Committed{result, std::move(done)}));
        }
      });
}

void PartitionActorState::follow() {
  if (!proposals) {
    return;
  }
  const Error error = not_led(partition);
  shared->busy.end(static_cast<std::int64_t>(proposals->refuse().size()));
  for (auto& [run, there] : live) {
    self->send(there.actor, std::make_shared<const Refused>(Refused{error}));
    proposals->forget(there.proposer);
  }
  for (const auto& [run, reply] : written) {
    reply(error);
  }
  written.clear();
  live.clear();
  ids.clear();
  parked.clear();
  proposals.reset();
}

caf::behavior partition_actor(caf::stateful_actor<PartitionActorState>* self, SharedPtr shared,
                              PartitionId partition) {
  PartitionActorState& state = self->state;
  state.self = self;
  make_exceptions_fatal(*self);
  state.shared = std::move(shared);
  state.partition = partition;
  if (state.shared->led_partitions().test(partition.get())) {
    state.lead(Epoch(1));
  }
  self->set_down_handler([self](const caf::down_msg& down) { self->state.fell(down); });
  return {
      // the most frequent first: they are tried in this order
      [self](const CommittedPtr& done) { self->state.committed(*done); },
      [self](const InboundPtr& inbound) {
        if (self->state.refuse_elsewhere(inbound->reply)) {
          return;
        }
        self->state.to_run(inbound->run, caf::make_message(inbound));
      },
      [self](const WrittenPtr& whole) {
        if (!self->state.refuse_elsewhere(whole->reply)) {
          self->state.write(*whole);
        }
      },
      [self](const WakePtr& wake) {
        if (!self->state.refuse_elsewhere(wake->reply)) {
          self->state.wake(*wake);
        }
      },
      [self](const Lead& lead) { self->state.lead(lead.epoch); },
      [self](const Follow&) { self->state.follow(); },
      [self](const AtRest& rest) { self->state.at_rest(rest); },
      [self](const Stop&) {
        for (auto& [run, actor] : self->state.live) {
          self->send_exit(actor.actor, caf::exit_reason::user_shutdown);
        }
        self->quit();
      },
  };
}

} // namespace skein::actors
