#pragma once

#include <gtest/gtest.h>

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "actors/messages.h"
#include "actors/outbox_actor.h"
#include "actors/partition_actor.h"
#include "actors/supervisor_actor.h"
#include "actors/timer_actor.h"
#include "core/flow/loader.h"
#include "schemas/yaml.h"
#include "support/memory_store.h"

namespace skein::actors {

class TestClock : public Clock {
 public:
  Instant now() const override { return now_; }
  Instant now_{1'000'000};
};

/// Batches wait here until the test says what became of them.
class HeldCommits : public Commits {
 public:
  explicit HeldCommits(Store& store) : store_(store) {}

  void submit(Batch batch, Answer answer) override {
    held_.push_back({std::move(batch), std::move(answer)});
  }
  std::size_t held() const { return held_.size(); }
  void lose_all() { held_.clear(); }
  std::size_t entries_of_first() const { return held_.front().first.appends.size(); }
  void commit_one() {
    auto [batch, answer] = std::move(held_.front());
    held_.pop_front();
    const Result<void> done = store_.commit({&batch, 1});
    ASSERT_TRUE(done.ok()) << to_string(done.error());
    answer({}, std::move(batch));
  }
  void refuse_one(const Error& error) {
    auto [batch, answer] = std::move(held_.front());
    held_.pop_front();
    answer(error, std::move(batch));
  }

 private:
  Store& store_;
  std::deque<std::pair<Batch, Answer>> held_;
};

/// A tool whose calls the test answers by hand.
class HandTool : public Tool {
 public:
  HandTool() { description_.name = "hand"; }
  const ToolDescription& description() const override { return description_; }
  Result<void> check(const Value&) const override {
    if (throws) {
      throw std::runtime_error("a fault in the tool");
    }
    return {};
  }
  std::unique_ptr<ToolHandle> start(const ToolCall& call, ToolDone done) override {
    calls.push_back(call);
    answers.push_back(std::move(done));
    return std::make_unique<Handle>(*this, calls.size() - 1);
  }
  std::optional<ToolResult> run_inline(const ToolCall&) override {
    return inlined ? std::optional<ToolResult>(Value()) : std::nullopt;
  }
  Result<std::optional<Value>> probe(const ToolCall&) override { return probed; }

  bool throws = false;
  bool inlined = false;
  std::optional<Value> probed;
  std::vector<ToolCall> calls;
  std::vector<ToolDone> answers;
  std::vector<std::size_t> cancelled;
  ToolDescription description_;

 private:
  struct Handle : ToolHandle {
    Handle(HandTool& owner, std::size_t number) : tool(owner), call(number) {}
    void cancel() override { tool.cancelled.push_back(call); }
    HandTool& tool;
    std::size_t call;
  };
};

class HandBox : public ToolBox {
 public:
  Tool* find(std::string_view name) const override { return name == "hand" ? &tool : nullptr; }
  std::vector<std::string_view> names() const override { return {"hand"}; }
  mutable HandTool tool;
};

/// Actors of one node on the deterministic scheduler: nothing moves until the test says so.
class Stage : public ::testing::Test {
 protected:
  struct Config : caf::actor_system_config {
    Config() { set("scheduler.policy", caf::atom("testing")); }
  };

  void SetUp() override { set_up({}); }

  void set_up(Limits limits) {
    tear_down();
    system_ = std::make_unique<caf::actor_system>(config_);
    shared_ = std::make_shared<Shared>(
        Surroundings{store_, box_, clock_,
                     [this](const ContentHash& hash) { return definition_of(hash); },
                     [this](const Entry& entry, const RunRecord* shown) {
                       entries_.push_back(std::string(flow::kind_of(entry.event)));
                       if (shown != nullptr) {
                         shown_[entry.run] = *shown;
                       }
                     },
                     [this](const OutboxItem& item, const Reply& reply) {
                       const OutboxRow& row = item.row;
                       if (receiver_away_) {
                         reply(Error{Code::tool_unavailable, "nobody there"});
                       } else {
                         sent_.push_back(row.id);
                         receive(row, reply);
                       }
                     },
                     [this](const Error& error) { broken_ = error; },
                     [this](const ChildWanted& wanted) { return child_of(wanted); }, tells_},
        limits, commits_);
    shared_->deliver = [this](const RunId& run, flow::Event event, Reply reply) {
      ++delivered_;
      caf::anon_send(home_of(run),
                     std::make_shared<Inbound>(Inbound{run, std::move(event), std::move(reply)}));
    };
    shared_->wake = [this](const RunId& run, Reply reply) {
      caf::anon_send(home_of(run), std::make_shared<Wake>(Wake{run, {}, std::move(reply)}));
    };
    shared_->timer = system_->spawn(timer_actor, shared_);
    shared_->supervisor = system_->spawn(supervisor_actor, shared_);
    shared_->outbox = system_->spawn(outbox_actor, shared_);
    for (std::uint16_t number = 0; number < kPartitions; ++number) {
      partitions_.push_back(system_->spawn(partition_actor, shared_, PartitionId(number)));
    }
    run_all();
  }

  void TearDown() override { tear_down(); }

  void tear_down() {
    if (!system_) {
      return;
    }
    for (const caf::actor& actor : {shared_->timer, shared_->supervisor, shared_->outbox}) {
      caf::anon_send(actor, Stop{});
    }
    for (const caf::actor& actor : partitions_) {
      caf::anon_send(actor, Stop{});
    }
    run_all();
    while (!box_.tool.answers.empty()) {
      box_.tool.answers.back()(Value());
      box_.tool.answers.pop_back();
    }
    run_all();
    partitions_.clear();
    shared_ = nullptr;
    system_ = nullptr;
  }

  caf::scheduler::test_coordinator& scheduler() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler());
  }
  void run_all() { scheduler().run(); }
  /// Runs and commits until nothing moves by itself.
  void settle() {
    run_all();
    while (commits_.held() > 0) {
      commits_.commit_one();
      run_all();
    }
  }
  void pass(std::chrono::milliseconds time) {
    clock_.now_ = clock_.now_ + Millis{time.count()};
    scheduler().advance_time(time);
    run_all();
  }

  flow::DefinitionPtr load(const std::string& steps, const std::string& name = "test") {
    const std::string text =
        "apiVersion: skein.dev/v1\nkind: Flow\nmetadata: { name: " + name + " }\nspec:\n" + steps;
    const auto documents = schemas::read_yaml(text, "test.yaml");
    const auto loaded = flow::load(documents->front());
    EXPECT_TRUE(loaded.definition)
        << (loaded.findings.empty() ? "" : to_string(loaded.findings[0].error));
    definitions_[loaded.definition->revision] = loaded.definition;
    return loaded.definition;
  }

  Result<flow::DefinitionPtr> definition_of(const ContentHash& hash) const {
    const auto found = definitions_.find(hash);
    if (found == definitions_.end()) {
      return Error{Code::resource_unknown, "no such definition"};
    }
    return found->second;
  }

  virtual Result<Child> child_of(const ChildWanted&) const {
    return Error{Code::resource_unknown, "there is no other flow"};
  }
  /// What the outbox brings.
  virtual void receive(const OutboxRow&, const Reply& reply) { reply({}); }

  const caf::actor& home_of(const RunId& run) const { return partitions_[partition_of(run).get()]; }

  /// Sends an event; the answer is in answers_ once it is there.
  void send(const std::string& run, flow::Event event) {
    caf::anon_send(home_of(RunId(run)),
                   std::make_shared<Inbound>(
                       Inbound{RunId(run), std::move(event), [this, run](Result<void> result) {
                                 answers_.emplace(run, std::move(result));
                               }}));
    run_all();
  }
  void start(const flow::DefinitionPtr& flow, const std::string& run) {
    send(run, flow::Created{clock_.now(), "test", flow->revision, 1, 7, Value(), Value(), {}});
  }
  void wake(const std::string& run) {
    shared_->wake(RunId(run), {});
    run_all();
  }
  /// As a crash does: the actors are gone, the store stays.
  void crash() {
    box_.tool.calls.clear();
    set_up({});
  }
  /// Run ids that live in one partition.
  static std::vector<std::string> neighbours(std::size_t count) {
    std::vector<std::string> ids;
    for (int i = 0; ids.size() < count; ++i) {
      const std::string id = "run-" + std::to_string(i);
      if (partition_of(RunId(id)) == PartitionId(0)) {
        ids.push_back(id);
      }
    }
    return ids;
  }
  RunState state_of(const std::string& run) const { return (*store_.find_run(RunId(run)))->state; }
  std::size_t live() const {
    std::size_t sum = 0;
    for (const caf::actor& partition : partitions_) {
      auto* actor = caf::actor_cast<caf::abstract_actor*>(partition);
      sum += static_cast<caf::stateful_actor<PartitionActorState>*>(actor)->state.live.size();
    }
    return sum;
  }

  Config config_;
  TestClock clock_;
  test::MemoryStore store_;
  HandBox box_;
  HeldCommits commits_{store_};
  std::unique_ptr<caf::actor_system> system_;
  SharedPtr shared_;
  std::size_t delivered_ = 0; ///< by timers and the supervisor
  std::vector<caf::actor> partitions_;
  std::map<ContentHash, flow::DefinitionPtr> definitions_;
  std::vector<std::string> entries_;
  std::map<RunId, RunRecord> shown_;
  std::vector<std::string> sent_;
  bool receiver_away_ = false;
  bool tells_ = false; ///< what becomes of runs; from the next set_up on
  std::optional<Error> broken_;
  std::multimap<std::string, Result<void>> answers_;
};

} // namespace skein::actors
