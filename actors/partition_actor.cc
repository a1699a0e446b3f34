#include "actors/partition_actor.h"

#include <algorithm>

#include "actors/flow_actor.h"

namespace skein::actors {

PartitionActorState::Live& PartitionActorState::live_run(const RunId& run) {
  const auto found = live.find(run);
  if (found != live.end()) {
    return found->second;
  }
  auto actor = self->spawn<caf::monitored>(flow_actor, shared, self->address(), run);
  return live.emplace(run, Live{std::move(actor), 0}).first->second;
}

void PartitionActorState::propose(Append append) {
  gathered.push_back(std::move(append));
  if (!committing) {
    flush();
  }
}

void PartitionActorState::flush() {
  if (gathered.empty()) {
    return;
  }
  committing = true;
  Batch batch;
  batch.partition = partition;
  batch.epoch = epoch;
  batch.at = not_before;
  batch.appends.swap(gathered);
  const caf::actor_addr me = self->address();
  committer->submit(std::move(batch), [me](const Result<void>& result, Batch&& done) {
    if (const auto alive = caf::actor_cast<caf::actor>(me)) {
      caf::anon_send(alive, std::make_shared<Committed>(Committed{result, std::move(done)}));
    }
  });
}

void PartitionActorState::committed(Committed& done) {
  committing = false;
  RefusedPtr refused;
  if (!done.result) {
    refused = std::make_shared<const Refused>(Refused{done.result.error()});
    gathered.clear(); // decided on top of entries that are not true
  }
  for (std::size_t i = 0; i < done.batch.appends.size(); ++i) {
    const Entry& entry = done.batch.appends[i].entry;
    const bool last_of_run =
        i + 1 == done.batch.appends.size() || done.batch.appends[i + 1].entry.run != entry.run;
    const auto run = live.find(entry.run);
    if (run == live.end() || !last_of_run) {
      continue; // Durable names the last; the flow actor takes all before it
    }
    if (refused) {
      self->send(run->second.actor, refused);
    } else {
      self->send(run->second.actor, Durable{entry.seq.get()});
    }
  }
  flush();
}

void PartitionActorState::at_rest(const AtRest& rest) {
  const auto run = live.find(rest.run);
  if (run != live.end() && run->second.sent == rest.handled) {
    self->send_exit(run->second.actor, caf::exit_reason::user_shutdown);
    live.erase(run);
  }
}

caf::behavior partition_actor(caf::stateful_actor<PartitionActorState>* self, SharedPtr shared,
                              Committer* committer, PartitionId partition) {
  PartitionActorState& state = self->state;
  state.self = self;
  state.shared = std::move(shared);
  state.committer = committer;
  state.partition = partition;
  if (const auto tail = state.shared->around.store.tail_of(partition)) {
    state.epoch = std::max(state.epoch, tail->epoch);
    state.not_before = tail->at; // however the clock was set since
  }
  self->set_down_handler([self](const caf::down_msg& down) {
    std::erase_if(self->state.live,
                  [&](const auto& entry) { return entry.second.actor.address() == down.source; });
  });
  return {
      [self](const InboundPtr& inbound) {
        PartitionActorState::Live& run = self->state.live_run(inbound->run);
        ++run.sent;
        self->send(run.actor, inbound);
      },
      [self](const WakePtr& wake) {
        PartitionActorState::Live& run = self->state.live_run(wake->run);
        ++run.sent;
        self->send(run.actor, std::make_shared<Recover>(Recover{std::move(wake->reply)}));
      },
      [self](const AppendPtr& append) { self->state.propose(std::move(*append)); },
      [self](const CommittedPtr& done) { self->state.committed(*done); },
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
