#include "trial.h"

#include <algorithm>
#include <iostream>

#include "core/flow/loader.h"
#include "schemas/yaml.h"

namespace skein::simulation {
namespace {

constexpr std::size_t kNodes = 3;
constexpr std::size_t kRuns = 12;
constexpr Millis kFaults{20'000};
constexpr Millis kPatience{90'000};

constexpr std::string_view kFlow = R"(
apiVersion: skein.dev/v1
kind: Flow
metadata: { name: trial }
spec:
  steps:
    - { id: a, tool: work, effect: keyed, with: {} }
    - { id: rest, wait: { duration: 1500ms } }
    - id: fan
      for_each: { in: "${ [1, 2, 3] }", as: item, steps: [ { id: b, tool: work, effect: idempotent, with: {} } ] }
    - { id: told, wait: { signal: go } }
    - { id: c, tool: work, effect: keyed, with: {} }
  output: "${ steps.told.output }"
)";

flow::DefinitionPtr load_flow() {
  const auto documents = schemas::read_yaml(std::string(kFlow), "trial.yaml");
  const auto loaded = flow::load(documents->front());
  if (!loaded.definition) {
    std::cerr << to_string(loaded.findings.front().error) << "\n";
    std::abort();
  }
  return loaded.definition;
}

std::string name_of_place(PartitionId partition, LogIndex index) {
  return "partition " + std::to_string(partition.get()) + " at " + std::to_string(index.get());
}

} // namespace

Trial::Trial(std::uint64_t seed, Bug bug, bool verbose)
    : world_(seed), verbose_(verbose), server_(world_, faults_) {
  static const flow::DefinitionPtr flow = load_flow();
  definition_ = flow;
  choose_faults();
  for (std::size_t i = 0; i < (local_ ? 1 : kNodes); ++i) {
    machines_.push_back(std::make_unique<Machine>(
        Machine::Outside{world_,
                         server_,
                         faults_,
                         ledger_,
                         [this](const ContentHash& hash) -> Result<flow::DefinitionPtr> {
                           return hash == definition_->revision
                                      ? Result<flow::DefinitionPtr>(definition_)
                                      : Error{Code::resource_unknown, "no such definition"};
                         },
                         [this](NodeId node, const Batch& batch) { on_commit(node, batch); },
                         [this](NodeId node, const Error& error) {
                           violated("node " + std::to_string(node.get()) +
                                    " cannot go on: " + to_string(error));
                         },
                         {NodeId(101), NodeId(202), NodeId(303)},
                         local_,
                         bug,
                         few_slots_&& i < 2 ? std::size_t{1} : std::size_t{256}},
        NodeId(101 * (i + 1))));
  }
  for (std::size_t i = 0; i < kRuns; ++i) {
    clients_.push_back({RunId("run-" + std::to_string(seed) + "-" + std::to_string(i))});
  }
}

Trial::~Trial() = default;

void Trial::choose_faults() {
  local_ = world_.chance(0.2);
  crashes_ = world_.chance(0.6);
  freezes_ = world_.chance(0.4);
  cuts_ = world_.chance(0.4);
  stalls_ = world_.chance(0.3);
  broker_falls_ = world_.chance(0.3);
  tail_lost_ = world_.chance(0.5);
  message_missed_ = world_.chance(0.5);
  few_slots_ = world_.chance(0.5);
  faults_.lost = world_.chance(0.4) ? 0.02 : 0;
  faults_.twice = world_.chance(0.4) ? 0.05 : 0;
  faults_.ghost = world_.chance(0.4) ? 0.05 : 0;
  faults_.most_delay = world_.chance(0.3) ? 200 : 3;
}

// What the broker had acknowledged and lost is on the disks of the nodes; only if one of them is
// gone at the same moment, nobody may have it, or know of it.
void Trial::break_broker(Millis length) {
  const bool all_there = std::all_of(machines_.begin(), machines_.end(), [](const auto& machine) {
    return machine->is_running() && machine->is_linked() && !machine->is_frozen();
  });
  server_.set_up(false);
  if ((tail_lost_ || message_missed_) && all_there) {
    spared_ = world_.now() + length + Millis{5'000};
  }
  if (tail_lost_ && all_there) {
    if (world_.chance(0.3)) {
      say("the broker loses its streams");
      server_.lose_streams();
    } else {
      say("the broker loses the last messages");
      server_.lose(1 + world_.random(20));
    }
  }
  if (message_missed_ && all_there) {
    say("a replica of the broker misses a message");
    server_.miss_one();
  }
  world_.after(length, [this] { server_.set_up(true); });
}

void Trial::break_something() {
  if (healed_) {
    return;
  }
  if (world_.now() < spared_) {
    world_.at(spared_, [this] { break_something(); });
    return;
  }
  Machine& machine = somebody();
  const Millis length = world_.between(50, 6'000);
  if (crashes_ && world_.chance(0.3)) {
    machine.crash();
    world_.after(length, [&machine] {
      if (!machine.is_running()) {
        machine.start();
      }
    });
  }
  if (freezes_ && world_.chance(0.3)) {
    machine.freeze(true);
    world_.after(length, [&machine] { machine.freeze(false); });
  }
  if (cuts_ && world_.chance(0.3)) {
    machine.set_linked(false);
    world_.after(length, [&machine] { machine.set_linked(true); });
  }
  if (stalls_ && world_.chance(0.2)) {
    server_.stall(world_.now() + length);
  }
  if (broker_falls_ && world_.chance(0.15)) {
    break_broker(length);
  }
  world_.after(world_.between(200, 3'000), [this] { break_something(); });
}

// As a client does: it asks again, with the same ids, until it is told that it happened.
void Trial::drive(Client& client) {
  if (client.started && client.signalled) {
    return;
  }
  Machine& machine = somebody();
  if (!client.started) {
    machine.tell(
        client.run,
        flow::Created{world_.now(), "trial", definition_->revision, 1, 7, Value(), Value(), {}},
        [&client](const Result<void>& told) {
          client.started |= told || told.error().code == Code::run_exists;
        });
  } else {
    machine.tell(client.run, flow::Signalled{world_.now(), "signal-1", "go", Value(42)},
                 [&client](const Result<void>& told) { client.signalled |= told.ok(); });
    if (world_.chance(0.5)) { // sent twice, as by whoever did not hear the answer
      world_.after(world_.between(1, 3'000), [this, &client] {
        somebody().tell(client.run, flow::Signalled{world_.now(), "signal-1", "go", Value(42)},
                        [](const Result<void>&) {});
      });
    }
  }
  world_.after(world_.between(100, 1'500), [this, &client] { drive(client); });
}

void Trial::on_commit(NodeId node, const Batch& batch) {
  if (batch.appends.empty() || !batch.seal) {
    return;
  }
  const LogIndex last(batch.seal->first.get() + batch.appends.size() - 1);
  say("node " + std::to_string(node.get()) + " has " + name_of_place(batch.partition, last) +
      " of epoch " + std::to_string(batch.epoch.get()) + " of " +
      std::to_string(batch.seal->node.get()));
  // A broker that loses messages may show a node what others never see: that is found and replaced.
  // What counts then is what its leader has acted on.
  if ((message_missed_ || tail_lost_) && node != batch.seal->node) {
    return;
  }
  const auto [place, fresh] = chain_.try_emplace({batch.partition, last}, batch.seal->hash);
  if (!fresh && place->second != batch.seal->hash) {
    violated("the chain forks in " + name_of_place(batch.partition, last) + " on node " +
             std::to_string(node.get()));
  }
  const auto [term, first] = leaders_.try_emplace({batch.partition, batch.epoch}, batch.seal->node);
  if (!first && term->second != batch.seal->node) {
    violated("two nodes commit in epoch " + std::to_string(batch.epoch.get()) + " of partition " +
             std::to_string(batch.partition.get()));
  }
}

void Trial::say(const std::string& what) const {
  if (verbose_) {
    std::cout << to_string(world_.now()) << " " << what << "\n";
  }
}

void Trial::violated(const std::string& what) {
  if (!violation_) {
    violation_ = what + " (at " + to_string(world_.now()) + ")";
  }
}

void Trial::run_until(Instant until) {
  while (!violation_ && world_.step(until)) {
    for (const auto& machine : machines_) {
      machine->run_actors();
    }
  }
}

void Trial::heal() {
  healed_ = true;
  faults_ = {};
  server_.stall(world_.now());
  server_.set_up(true);
  for (const auto& machine : machines_) {
    machine->freeze(false);
    machine->set_linked(true);
    if (!machine->is_running()) {
      machine->start();
    }
  }
}

bool Trial::all_ended() {
  return std::all_of(clients_.begin(), clients_.end(), [&](const Client& client) {
    return std::all_of(machines_.begin(), machines_.end(), [&](const auto& machine) {
      const auto record = machine->store().find_run(client.run);
      return client.signalled && *record && is_final((*record)->state);
    });
  });
}

std::optional<std::string> Trial::run() {
  for (const auto& machine : machines_) {
    machine->start();
  }
  for (Client& client : clients_) {
    world_.after(world_.between(0, 10'000), [this, &client] { drive(client); });
  }
  world_.after(Millis{1'000}, [this] { break_something(); });
  run_until(world_.now() + kFaults);
  heal();
  const Instant deadline = world_.now() + kPatience;
  while (!violation_ && !all_ended() && world_.now() < deadline) {
    run_until(world_.now() + Millis{500});
  }
  if (!violation_) {
    check_runs();
    check_replicas();
    check_effects();
    check_signals();
  }
  if (verbose_) {
    std::uint64_t given = 0;
    for (const auto& machine : machines_) {
      given += machine->cluster() != nullptr ? machine->cluster()->work().given() : 0;
    }
    std::cout << "ended at " << to_string(world_.now()) << ", " << chain_.size() << " batches, "
              << leaders_.size() << " terms, " << ledger_.calls().size() << " effects, " << given
              << " given to other nodes by processes that still run\n";
  }
  return violation_;
}

void Trial::check_runs() {
  for (const Client& client : clients_) {
    for (const auto& machine : machines_) {
      const auto record = machine->store().find_run(client.run);
      const std::string where =
          "run " + client.run.get() + " on node " + std::to_string(machine->id().get());
      if (!*record) {
        violated(where + " is not there");
      } else if ((*record)->state != RunState::succeeded) {
        violated(where + " is " + std::string(name_of((*record)->state)) + ", waiting for \"" +
                 (*record)->waiting_for + "\", reason \"" + (*record)->reason + "\"");
      } else if ((*record)->output != Value(42)) {
        violated(where + " has another output");
      }
    }
  }
}

void Trial::check_replicas() {
  const test::MemoryStore& first = machines_.front()->store();
  for (const auto& machine : machines_) {
    const test::MemoryStore& store = machine->store();
    for (std::uint16_t p = 0; p < kPartitions; ++p) {
      const auto a = first.tail_of(PartitionId(p));
      const auto b = store.tail_of(PartitionId(p));
      if (a->last != b->last || a->hash != b->hash) {
        violated(name_of_place(PartitionId(p), b->last) + ": two replicas differ");
      }
    }
    for (const auto& [place, hash] : chain_) {
      const auto& [partition, last] = place;
      if (store.link(partition, last) != hash) {
        violated(name_of_place(partition, last) + ": a batch that counted is lost");
      }
    }
    if (*store.next_timer()) {
      violated("a timer of a run that has ended is still armed");
    }
  }
}

void Trial::check_signals() {
  for (const Client& client : clients_) {
    std::size_t taken = 0;
    (void)machines_.front()->store().read_journal(client.run, Seq(1), [&](const Entry& entry) {
      taken += std::holds_alternative<flow::Signalled>(entry.event) ? 1 : 0;
      return true;
    });
    if (taken != 1) {
      violated("run " + client.run.get() + " took its signal " + std::to_string(taken) + " times");
    }
  }
}

// Every effect that a journal knows was called, with one key, and every call is of a run's journal.
void Trial::check_effects() {
  std::set<std::string> known;
  for (const Client& client : clients_) {
    std::set<std::string> succeeded;
    (void)machines_.front()->store().read_journal(client.run, Seq(1), [&](const Entry& entry) {
      if (const auto* done = std::get_if<flow::Succeeded>(&entry.event)) {
        const auto key = done->output.as_string();
        if (!ledger_.calls().contains(std::string(key))) {
          violated("a result of " + client.run.get() + " that nobody gave");
        }
        if (!succeeded.emplace(key).second) {
          violated("effect " + std::string(key) + " has two results");
        }
      }
      return true;
    });
    known.insert(succeeded.begin(), succeeded.end());
  }
  for (const auto& [key, calls] : ledger_.calls()) {
    if (!known.contains(key)) {
      violated("effect " + key + " happened and no journal knows its result");
    }
  }
  if (known.size() != kRuns * 5) {
    violated(std::to_string(known.size()) + " effects have results");
  }
}

} // namespace skein::simulation
