#include "node/work/work.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "broker/local_bus.h"
#include "node/system_clock.h"
#include "support/broker_house.h"

namespace skein::node {
namespace {

using test::Mailbox;
using Results = Mailbox<std::optional<ToolResult>>;

ToolResult taken(Results& results) {
  auto first = results.take();
  return first ? std::move(*first) : ToolResult(Error{Code::interrupted, "nothing came", ""});
}

/// A node's slots, and its attempts that wait for one.
class Slots : public actors::RunHost {
 public:
  explicit Slots(std::size_t free) : free_(free) {}

  void deliver(const RunId&, flow::Event, actors::Reply) override {}
  void write(std::vector<Append>, actors::Reply) override {}
  void wake(const RunId&, actors::Reply) override {}
  Result<void> resume(std::vector<RunId>, actors::Woken) override { return {}; }
  void lead(PartitionId, Epoch) override {}
  void follow(PartitionId) override {}
  void hold(PartitionId, bool) override {}
  int attempts(PartitionId) const override { return 0; }
  bool drain(Millis) override { return true; }
  void stop() override {}

  std::size_t waiting() const override { return waiting_; }
  bool lend(actors::WorkerPtr place) override {
    if (waiting_ == 0) {
      return false;
    }
    --waiting_;
    lent.put(std::move(place));
    return true;
  }
  std::shared_ptr<void> guest_slot() override {
    if (free_ == 0) {
      return nullptr;
    }
    --free_;
    return {this, [this](void*) { ++free_; }};
  }

  std::atomic<std::size_t> free_;
  std::atomic<std::size_t> waiting_ = 0;
  Mailbox<actors::WorkerPtr> lent;
};

/// Ends when the test says so.
class Held : public Tool, public ToolBox {
 public:
  struct Started {
    ToolCall call;
    ToolDone done;
  };
  Held() { description_.name = "held"; }
  const ToolDescription& description() const override { return description_; }
  Result<void> check(const Value&) const override { return {}; }
  std::unique_ptr<ToolHandle> start(const ToolCall& call, ToolDone done) override {
    started.put({call, std::move(done)});
    struct Handle : ToolHandle {
      explicit Handle(Held& of) : held(of) {}
      void cancel() override { held.cancelled.put(true); }
      Held& held;
    };
    return std::make_unique<Handle>(*this);
  }
  Tool* find(std::string_view name) const override {
    return name == "held" ? const_cast<Held*>(this) : nullptr;
  }
  std::vector<std::string_view> names() const override { return {"held"}; }

  Mailbox<Started> started;
  Mailbox<bool> cancelled;

 private:
  ToolDescription description_;
};

struct Place {
  Broker& broker;
  NodeId id;
  std::atomic<std::uint64_t> epoch = 1;
  std::atomic<bool> leads = true;
  Slots slots;
  Held tools;
  SystemClock clock;
  Work work{
      broker,
      clock,
      id,
      {[](NodeId node) { return "ask." + std::to_string(node.get()); },
       [this](PartitionId) { return Epoch(epoch); }, [this](PartitionId) { return leads.load(); }},
      Millis{2'000}};
  Subscription asks;

  Place(Broker& of, std::uint64_t number, std::size_t free) : broker(of), id(number), slots(free) {
    work.open(slots, &tools);
    asks = *broker.subscribe("ask." + std::to_string(number), "", [this](Message&& message) {
      const auto received = schemas::decode_message(message.payload);
      ASSERT_TRUE(received) << to_string(received.error());
      if (const auto said = work.on_message(received->from, received->message);
          said && !message.reply.empty()) {
        (void)broker.publish({message.reply, "", {}, schemas::encode_message(id, *said)});
      }
    });
  }
};

class WorkTest : public ::testing::Test {
 protected:
  static ToolCall call(const std::string& tool = "held") {
    return {tool, object({{"n", 1}}), RunId("run-1"), "pay", 2, "run-1/pay/0", Instant{99}};
  }
  /// A place at the worker for an attempt of the leader that waits.
  actors::WorkerPtr place() {
    leader_.slots.waiting_ = 1;
    leader_.work.tick({worker_.id}, {worker_.id});
    return leader_.slots.lent.take();
  }
  static ToolDone into(Results& results) {
    return [&results](ToolResult result) { results.put(std::move(result)); };
  }
  void until(const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!done() && std::chrono::steady_clock::now() < end) {
      std::this_thread::yield();
    }
    EXPECT_TRUE(done());
  }

  // Nobody answers any more when the nodes go.
  void TearDown() override {
    for (Place* const node : {&leader_, &worker_, &next_}) {
      node->asks.reset();
    }
    bus_.reset();
  }

  SystemClock clock_;
  std::unique_ptr<broker::LocalBus> bus_ = std::make_unique<broker::LocalBus>(clock_);
  Place leader_{*bus_, 1, 0};
  Place worker_{*bus_, 2, 2};
  Place next_{*bus_, 3, 0};
  Results results_;
};

TEST_F(WorkTest, an_attempt_that_waits_runs_at_a_node_with_room_and_its_result_comes_back) {
  const auto at = place();
  EXPECT_EQ(worker_.slots.free_, 1u);
  const auto handle = at->start(call(), into(results_));
  const Held::Started started = worker_.tools.started.take();
  EXPECT_EQ(started.call.input, call().input);
  EXPECT_EQ(started.call.run, call().run);
  EXPECT_EQ(started.call.step, "pay");
  EXPECT_EQ(started.call.attempt, 2u);
  EXPECT_EQ(started.call.key, call().key);
  EXPECT_EQ(started.call.deadline, Instant{99});
  EXPECT_EQ(worker_.work.guests(), 1u);
  started.done(Value("paid"));
  EXPECT_EQ(*taken(results_), Value("paid"));
  until([&] { return worker_.slots.free_ == 2; });
  EXPECT_EQ(worker_.work.guests(), 0u);
  EXPECT_EQ(leader_.work.given(), 1u);
}

TEST_F(WorkTest, an_error_comes_back_with_its_code) {
  const auto handle = place()->start(call(), into(results_));
  worker_.tools.started.take().done(Error{Code::tool_failed, "no money", "earn some"});
  const ToolResult result = taken(results_);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::tool_failed);
  EXPECT_EQ(result.error().detail, "no money");
  EXPECT_EQ(result.error().hint, "earn some");
}

TEST_F(WorkTest, a_place_that_nobody_uses_is_given_back) {
  place().reset();
  until([&] { return worker_.slots.free_ == 2; });
}

TEST_F(WorkTest, a_node_without_room_keeps_no_place_and_one_that_drains_is_not_asked) {
  leader_.slots.waiting_ = 1;
  leader_.work.tick({next_.id, worker_.id}, {next_.id});
  leader_.work.tick({next_.id, worker_.id}, {worker_.id});
  EXPECT_TRUE(leader_.slots.lent.take());
  EXPECT_EQ(worker_.slots.free_, 1u);
}

TEST_F(WorkTest, who_lacks_the_tool_refuses_and_nothing_has_happened) {
  const auto handle = place()->start(call("other"), into(results_));
  EXPECT_EQ(taken(results_).error().code, Code::worker_refused);
  until([&] { return worker_.slots.free_ == 2; });
}

TEST_F(WorkTest, a_claim_of_an_older_epoch_is_refused_and_counted) {
  const auto at = place();
  worker_.epoch = 2;
  const auto handle = at->start(call(), into(results_));
  EXPECT_EQ(taken(results_).error().code, Code::worker_refused);
  EXPECT_EQ(worker_.work.refused(), 1u);
  EXPECT_EQ(worker_.tools.started.size(), 0u);
  until([&] { return worker_.slots.free_ == 2; });
}

TEST_F(WorkTest, a_claim_is_of_the_node_that_it_was_kept_for) {
  const auto at = place();
  const schemas::WorkGiven forged{worker_.work.guests(), Epoch(1),
                                  call()}; // no such claim, nor one of this node
  const auto said = worker_.work.on_message(next_.id, forged);
  ASSERT_TRUE(said);
  EXPECT_EQ(std::get<schemas::Answer>(*said).error->code, Code::worker_refused);
  EXPECT_EQ(worker_.tools.started.size(), 0u);
}

TEST_F(WorkTest, what_runs_is_asked_to_end) {
  const auto handle = place()->start(call(), into(results_));
  const Held::Started started = worker_.tools.started.take();
  handle->cancel();
  EXPECT_TRUE(worker_.tools.cancelled.take());
  started.done(Error{Code::step_cancelled, "cancelled", ""});
  EXPECT_EQ(taken(results_).error().code, Code::step_cancelled);
}

TEST_F(WorkTest, who_leads_next_hears_the_result_instead_of_running_it_again) {
  auto at = place();
  const auto handle = at->start(call(), into(results_));
  const Held::Started started = worker_.tools.started.take();
  leader_.asks.reset(); // it is gone
  for (Place* const node : {&worker_, &next_}) {
    node->epoch = 2;
  }
  Mailbox<bool> asked;
  next_.work.take_over({partition_of(call().run)}, {worker_.id}, [&] { asked.put(true); });
  EXPECT_TRUE(asked.take());
  EXPECT_FALSE(next_.work.running({"held", Value(), RunId("run-1"), "pay", 1, "run-1/pay/0", {}}))
      << "another attempt";
  started.done(Value("paid")); // before the run has come back
  const auto there = next_.work.running(call());
  ASSERT_TRUE(there);
  EXPECT_FALSE(next_.work.running(call())) << "once";
  Results heard;
  const auto again = there->start(call(), into(heard));
  EXPECT_EQ(*taken(heard), Value("paid"));
  EXPECT_EQ(worker_.tools.started.size(), 0u) << "it was not run again";
  until([&] { return worker_.slots.free_ == 2; });
}

TEST_F(WorkTest, a_worker_that_leads_next_hears_of_its_own_work) {
  const auto handle = place()->start(call(), into(results_));
  const Held::Started started = worker_.tools.started.take();
  leader_.asks.reset();
  worker_.epoch = 2;
  Mailbox<bool> asked;
  worker_.work.take_over({partition_of(call().run)}, {}, [&] { asked.put(true); });
  EXPECT_TRUE(asked.take());
  const auto there = worker_.work.running(call());
  ASSERT_TRUE(there);
  Results heard;
  const auto again = there->start(call(), into(heard));
  started.done(Value("paid"));
  EXPECT_EQ(*taken(heard), Value("paid"));
  EXPECT_EQ(worker_.tools.started.size(), 0u);
}

TEST_F(WorkTest, who_asks_as_of_an_older_epoch_is_told_of_nothing) {
  const auto handle = place()->start(call(), into(results_));
  const Held::Started started = worker_.tools.started.take();
  worker_.epoch = 3;
  next_.epoch = 2;
  Mailbox<bool> asked;
  next_.work.take_over({partition_of(call().run)}, {worker_.id}, [&] { asked.put(true); });
  EXPECT_TRUE(asked.take());
  EXPECT_FALSE(next_.work.running(call()));
  EXPECT_EQ(worker_.work.refused(), 1u);
  started.done(Value());
}

TEST_F(WorkTest, what_a_worker_took_with_it_is_lost) {
  const auto handle = place()->start(call(), into(results_));
  const Held::Started started = worker_.tools.started.take();
  worker_.asks.reset(); // it is gone, and the broker says so
  until([&] {
    leader_.work.tick({}, {});
    return results_.size() > 0;
  });
  EXPECT_EQ(taken(results_).error().code, Code::worker_lost);
}

TEST_F(WorkTest, a_worker_that_has_begun_anew_does_not_know_what_it_ran) {
  const auto handle = place()->start(call(), into(results_));
  const Held::Started started = worker_.tools.started.take();
  worker_.asks.reset();
  Place again(*bus_, 2, 2);
  until([&] {
    leader_.work.tick({again.id}, {});
    return results_.size() > 0;
  });
  EXPECT_EQ(taken(results_).error().code, Code::worker_lost);
}

TEST_F(WorkTest, who_ends_waits_for_nobody_and_the_worker_goes_on) {
  const auto handle = place()->start(call(), into(results_));
  const Held::Started started = worker_.tools.started.take();
  leader_.work.let_go();
  EXPECT_EQ(taken(results_).error().code, Code::worker_lost);
  handle->cancel();
  EXPECT_EQ(worker_.work.guests(), 1u);
  const auto other = place()->start(call(), into(results_)); // behind what would have been said
  worker_.tools.started.take().done(Value());
  EXPECT_EQ(worker_.tools.cancelled.size(), 0u);
  started.done(Value());
}

TEST_F(WorkTest, who_leads_no_more_hears_nothing_of_what_it_gave) {
  const auto handle = place()->start(call(), into(results_));
  const Held::Started started = worker_.tools.started.take();
  leader_.leads = false;
  leader_.work.tick({worker_.id}, {});
  EXPECT_EQ(taken(results_).error().code, Code::worker_lost) << "its run is another's";
  started.done(Value("late"));
  EXPECT_EQ(results_.size(), 0u);
}

} // namespace
} // namespace skein::node
