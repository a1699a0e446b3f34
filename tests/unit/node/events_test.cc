#include "node/events/events.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <tuple>

#include "broker/local_bus.h"
#include "core/event/lifecycle.h"
#include "core/value/json.h"
#include "node/events/channels.h"
#include "node/resources/kinds.h"
#include "schemas/yaml.h"
#include "support/folder.h"

namespace skein::node {
namespace {

/// Time goes by only when a test says so.
class TestClock : public Clock {
 public:
  Instant now() const override { return Instant{ms_.load()}; }
  void pass(Millis span) { ms_ += span.count; }

 private:
  std::atomic<std::int64_t> ms_{1'763'715'600'000}; // 2025-11-21T09:00:00Z
};

bool eventually(const std::function<bool()>& holds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) {
      return false;
    }
    std::this_thread::yield();
  }
  return true;
}

/// Gives what runs tell to events that come and go.
class ToEvents : public Outlet {
 public:
  void lead_to(Events* events) {
    const std::lock_guard lock(mutex_);
    events_ = events;
  }
  void deliver(const OutboxItem& item, std::function<void(Result<void>)> answer) override {
    const std::lock_guard lock(mutex_);
    if (events_ == nullptr) {
      answer(Error{Code::node_busy, "not now"});
    } else {
      events_->deliver(item, std::move(answer));
    }
  }

 private:
  std::mutex mutex_;
  Events* events_ = nullptr;
};

class EventsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Settings settings;
    settings.data = folder_.path() / "data";
    settings.outlet = outlet_;
    auto opened = Node::open(settings);
    ASSERT_TRUE(opened.ok()) << to_string(opened.error());
    node_ = std::move(*opened);
    bus_ = std::make_unique<broker::LocalBus>(clock_);
    open();
  }
  void TearDown() override {
    node_->drain(Millis{2'000});
    events_.reset();
    bus_.reset();
  }

  void open() {
    to_outlet(nullptr);
    events_.reset();
    EventSettings settings;
    settings.workers = 4;
    settings.look = Millis{2};
    settings.owns = [this](const std::string&) { return owns_.load(); };
    auto opened = Events::open(*node_, *bus_, clock_, settings);
    ASSERT_TRUE(opened.ok()) << to_string(opened.error());
    events_ = std::move(*opened);
    to_outlet(events_.get());
  }
  void to_outlet(Events* events) {
    if (outlet_) {
      outlet_->lead_to(events);
    }
  }
  Result<void> deliver(const OutboxItem& item) {
    std::promise<Result<void>> delivered;
    events_->deliver(item, [&](Result<void> result) { delivered.set_value(std::move(result)); });
    return delivered.get_future().get();
  }

  // Stored as a client of the node would have it stored.
  void store(const std::string& kind, const std::string& name, const std::string& spec) {
    const std::string text = "apiVersion: skein.dev/v1\nkind: " + kind +
                             "\nmetadata: { name: " + name + " }\nspec:\n" + spec;
    const auto documents = schemas::read_yaml(text, "test.yaml");
    ASSERT_TRUE(documents) << to_string(documents.error());
    const auto applied = apply_document(node_->store(), documents->front(), clock_.now(), nullptr);
    ASSERT_TRUE(applied) << to_string(applied.error());
  }
  void apply(const std::string& kind, const std::string& name, const std::string& spec) {
    store(kind, name, spec);
    events_->refresh();
  }
  void apply_echo(const std::string& on = "") {
    apply("Flow", "echo",
          on + "  steps: [ { id: a, tool: transform, with: '${ input }' } ]\n"
               "  output: ${ steps.a.output }\n");
  }

  static event::CloudEvent event_of(const std::string& id, const std::string& type = "a.b") {
    event::CloudEvent event;
    event.id = id;
    event.source = "/test";
    event.type = type;
    event.data = object({{"n", id}});
    return event;
  }

  std::vector<RunRecord> runs() { return *node_->store().list_runs({}); }
  bool all_ended(std::size_t count) {
    return eventually([&] {
      const auto all = runs();
      return all.size() == count && std::ranges::all_of(all, [](const RunRecord& run) {
               return run.state == RunState::succeeded;
             });
    });
  }

  test::Folder folder_;
  TestClock clock_;
  std::unique_ptr<Node> node_;
  std::unique_ptr<broker::LocalBus> bus_;
  std::unique_ptr<Events> events_;
  std::shared_ptr<ToEvents> outlet_; ///< null: runs tell nobody what becomes of them
  std::atomic<bool> owns_ = true;
};

/// With runs that tell what becomes of them.
class ToldEventsTest : public EventsTest {
 protected:
  ToldEventsTest() { outlet_ = std::make_shared<ToEvents>(); }
};

TEST_F(EventsTest, an_event_starts_the_flow_that_a_trigger_names_with_its_data) {
  apply_echo();
  apply("Trigger", "t", "  flow: echo\n  event: { type: a.*, when: event.data.n != 'no' }\n");
  ASSERT_TRUE(events_->publish_all({event_of("1"), event_of("no"), event_of("2", "other")}));
  ASSERT_TRUE(all_ended(1));
  EXPECT_EQ(to_json(runs()[0].output), R"({"n":"1"})");
  EXPECT_EQ(to_json(runs()[0].labels), R"({"trigger":"t"})");
  EXPECT_TRUE(eventually([&] { return events_->status().taken == 3; }));
  EXPECT_EQ(runs().size(), 1u);
}

TEST_F(EventsTest, an_event_finds_what_was_stored_before_it_came) {
  for (int i = 0; i < 20; ++i) {
    const std::string n = std::to_string(i);
    store("Flow", "echo-" + n,
          "  on: [ { event: { type: a." + n + " } } ]\n" +
              "  steps: [ { id: a, tool: transform, with: 1 } ]\n");
    ASSERT_TRUE(events_->publish_all({event_of(n, "a." + n)}));
  }
  ASSERT_TRUE(all_ended(20));
}

TEST_F(EventsTest, an_event_that_comes_again_starts_nothing_again) {
  apply_echo("  on: [ { event: { type: a.b } } ]\n");
  ASSERT_TRUE(events_->publish_all({event_of("1")}));
  ASSERT_TRUE(all_ended(1));
  clock_.pass(Millis{10 * 60'000}); // the broker has forgotten it
  ASSERT_TRUE(events_->publish_all({event_of("1"), event_of("2")}));
  ASSERT_TRUE(all_ended(2));
  EXPECT_TRUE(eventually([&] { return events_->status().taken == 3; }));
  EXPECT_EQ(runs().size(), 2u);
}

TEST_F(EventsTest, what_is_published_by_any_client_of_the_broker_counts_in_every_form) {
  apply_echo("  on: [ { event: { type: order.paid } } ]\n");
  const Channels channels("default", "1");
  const std::string subject = channels.event("order.paid");
  const auto put = [&](std::vector<Header> headers, std::string body) {
    EXPECT_TRUE(bus_->publish({subject, "", std::move(headers), std::move(body)}));
  };
  put({}, R"({"n":1})");
  put({}, R"({"specversion":"1.0","id":"x","source":"/s","type":"order.paid","data":{"n":2}})");
  put({{"ce-specversion", "1.0"}, {"ce-id", "y"}, {"ce-source", "/s"}, {"ce-type", "order.paid"}},
      R"({"n":3})");
  ASSERT_TRUE(all_ended(3));
  const auto listed = events_->list(0, 10);
  ASSERT_TRUE(listed);
  ASSERT_EQ(listed->size(), 3u);
  EXPECT_EQ((*listed)[0].event->type, "order.paid");
  EXPECT_EQ((*listed)[0].event->source, "/skein/subjects/skein.default.event.order.paid");
  EXPECT_EQ((*listed)[2].event->id, "y");
}

TEST_F(EventsTest, what_cannot_be_read_becomes_a_dead_letter_with_its_bytes) {
  const Channels channels("default", "1");
  EXPECT_TRUE(bus_->publish({channels.event("a"), "", {{"x", "y"}}, "not json"}));
  ASSERT_TRUE(eventually([&] { return events_->dead().size() == 1; }));
  const Letter letter = events_->dead()[0];
  EXPECT_EQ(letter.reason.code, Code::event_invalid);
  EXPECT_EQ(letter.original.payload, "not json");
  EXPECT_EQ(letter.original.subject, "skein.default.event.a");
  EXPECT_EQ(letter.original.headers, (std::vector<Header>{{"x", "y"}}));
  EXPECT_FALSE(events_->retry(letter.number)) << "it is as unreadable as before";
  EXPECT_EQ(events_->dead().size(), 1u);
  EXPECT_TRUE(events_->drop(letter.number));
  EXPECT_TRUE(events_->dead().empty());
  EXPECT_EQ(events_->drop(letter.number).error().code, Code::resource_unknown);
  open(); // what is settled stays so
  EXPECT_TRUE(events_->dead().empty());
}

TEST_F(EventsTest, an_event_for_a_flow_that_is_not_there_yet_waits_for_it) {
  apply("Trigger", "t", "  flow: echo\n  event: { type: a.b }\n");
  ASSERT_TRUE(events_->publish_all({event_of("1")}));
  ASSERT_TRUE(eventually([&] { return events_->dead().size() == 1; }));
  EXPECT_EQ(events_->dead()[0].waits_for, "echo");
  open(); // after a restart as well
  ASSERT_EQ(events_->dead().size(), 1u);
  apply_echo();
  ASSERT_TRUE(all_ended(1));
  EXPECT_TRUE(eventually([&] { return events_->dead().empty(); }));
}

TEST_F(EventsTest, an_event_that_does_not_fit_the_flow_is_kept_until_the_flow_is_corrected) {
  apply_echo("  input: { schema: { type: string } }\n");
  apply("Trigger", "t", "  flow: echo\n  event: { type: a.b }\n");
  ASSERT_TRUE(events_->publish_all({event_of("1")}));
  ASSERT_TRUE(eventually([&] { return events_->dead().size() == 1; }));
  EXPECT_EQ(events_->dead()[0].reason.code, Code::schema_violation);
  EXPECT_TRUE(events_->dead()[0].waits_for.empty());
  apply_echo();
  ASSERT_TRUE(events_->retry(events_->dead()[0].number));
  ASSERT_TRUE(all_ended(1));
  EXPECT_TRUE(events_->dead().empty());
}

TEST_F(EventsTest, a_debounce_starts_one_run_with_the_newest_event_across_a_restart) {
  apply_echo();
  apply("Trigger", "t", "  flow: echo\n  event: { type: a.b }\n  debounce: { quiet: 10s }\n");
  ASSERT_TRUE(events_->publish_all({event_of("1")}));
  clock_.pass(Millis{5'000});
  ASSERT_TRUE(events_->publish_all({event_of("2")}));
  ASSERT_TRUE(eventually([&] { return events_->status().taken == 2; }));
  open();
  clock_.pass(Millis{9'000});
  ASSERT_TRUE(events_->publish_all({event_of("3")}));
  EXPECT_TRUE(runs().empty());
  clock_.pass(Millis{10'000});
  ASSERT_TRUE(all_ended(1));
  EXPECT_EQ(to_json(runs()[0].output), R"({"n":"3"})");
}

TEST_F(EventsTest, a_batch_starts_one_run_for_several_events) {
  apply_echo("  on: [ { event: { type: a.b }, batch: { size: 3, within: 1m } } ]\n");
  for (const char* id : {"1", "2", "3", "4"}) {
    ASSERT_TRUE(events_->publish_all({event_of(id)}));
  }
  ASSERT_TRUE(all_ended(1));
  EXPECT_EQ(to_json(runs()[0].output), R"([{"n":"1"},{"n":"2"},{"n":"3"}])");
  clock_.pass(Millis{61'000});
  ASSERT_TRUE(all_ended(2));
}

TEST_F(EventsTest, a_schedule_fires_once_for_each_time_also_after_a_restart) {
  apply_echo(
      "  on: [ { name: m, schedule: { cron: '* * * * *', missed: all, input: '${ event.time "
      "}' } } ]\n");
  clock_.pass(Millis{60'000});
  ASSERT_TRUE(all_ended(1));
  EXPECT_EQ(runs()[0].output, Value("2025-11-21T09:01:00.000Z"));
  open();
  clock_.pass(Millis{120'000});
  ASSERT_TRUE(all_ended(3));
  open();
  EXPECT_TRUE(all_ended(3));
}

TEST_F(EventsTest, events_of_before_are_given_to_a_trigger_that_asks_for_them) {
  ASSERT_TRUE(events_->publish_all({event_of("1"), event_of("2"), event_of("3", "x")}));
  ASSERT_TRUE(eventually([&] { return events_->status().taken == 3; }));
  apply_echo("  on: [ { name: late, event: { type: a.b } } ]\n");
  EXPECT_EQ(*events_->replay("echo.late", 1, 100), 2u);
  ASSERT_TRUE(all_ended(2));
  EXPECT_EQ(*events_->replay("echo.late", 1, 100), 2u) << "the same runs";
  EXPECT_EQ(runs().size(), 2u);
  EXPECT_EQ(events_->replay("echo.lat", 1, 100).error().code, Code::resource_unknown);
}

TEST_F(EventsTest, what_the_outbox_holds_is_published_once) {
  apply_echo("  on: [ { event: { type: done } } ]\n");
  const OutboxRow row{"run/1/a", "done", event::to_value(event_of("9", "done"))};
  ASSERT_TRUE(deliver({PartitionId(1), LogIndex(5), 0, row}));
  ASSERT_TRUE(deliver({PartitionId(1), LogIndex(5), 0, row}));
  ASSERT_TRUE(all_ended(1));
  EXPECT_EQ(events_->list(0, 10)->size(), 1u);
  ASSERT_TRUE(deliver({PartitionId(1), LogIndex(6), 0, {"run/1/b", "done", Value("no event")}}))
      << "it never will be";
  EXPECT_TRUE(eventually([&] { return events_->dead().size() == 1; }));
}

TEST_F(EventsTest, a_schedule_of_another_node_fires_here_once_this_one_owns_it) {
  owns_ = false;
  apply_echo("  on: [ { name: m, schedule: { cron: '* * * * *', missed: all } } ]\n");
  clock_.pass(Millis{60'000});
  events_->refresh();
  events_->refresh();
  EXPECT_TRUE(runs().empty());
  owns_ = true;
  ASSERT_TRUE(all_ended(1));
}

TEST_F(EventsTest, rules_go_on_at_the_next_owner_from_where_the_last_one_was) {
  apply_echo("  on: [ { event: { type: a.b }, debounce: { quiet: 10s } } ]\n");
  ASSERT_TRUE(events_->publish_all({event_of("1")}));
  owns_ = false;
  events_->refresh();
  ASSERT_TRUE(events_->publish_all({event_of("2")}));
  clock_.pass(Millis{20'000});
  events_->refresh();
  EXPECT_TRUE(runs().empty());
  owns_ = true;
  events_->refresh();
  ASSERT_TRUE(all_ended(1));
  EXPECT_EQ(to_json(runs()[0].output), R"({"n":"2"})");
}

TEST_F(ToldEventsTest, the_end_of_a_run_starts_a_flow_that_asks_for_it) {
  apply("Flow", "breaks",
        "  on: [ { event: { type: a.b } } ]\n"
        "  steps: [ { id: no, fail: { message: broken } } ]\n");
  apply("Flow", "look",
        "  on: [ { event: { type: skein.run.failed, when: event.data.definition == 'breaks' } } ]\n"
        "  steps: [ { id: a, tool: transform, with: '${ input.run }' } ]\n"
        "  output: ${ steps.a.output }\n");
  ASSERT_TRUE(events_->publish_all({event_of("1")}));
  ASSERT_TRUE(eventually([&] {
    const auto all = runs();
    return all.size() == 2 &&
           std::ranges::all_of(all, [](const RunRecord& run) { return is_final(run.state); });
  }));
  const auto all = runs();
  const auto broken = std::ranges::find(all, "breaks", &RunRecord::definition);
  const auto looked = std::ranges::find(all, "look", &RunRecord::definition);
  EXPECT_EQ(broken->state, RunState::failed);
  EXPECT_EQ(looked->output.as_string(), broken->id.get());
}

TEST_F(ToldEventsTest, what_a_run_emits_comes_after_a_restart_of_the_events_as_well) {
  apply("Flow", "tells",
        "  on: [ { event: { type: a.b } } ]\n"
        "  steps: [ { id: e, emit: { type: told, data: { n: 1 } } } ]\n");
  apply("Flow", "hears",
        "  on: [ { event: { type: told } } ]\n"
        "  steps: [ { id: a, tool: transform, with: 1 } ]\n");
  to_outlet(nullptr); // the outbox finds nobody
  ASSERT_TRUE(events_->publish_all({event_of("1")}));
  ASSERT_TRUE(all_ended(1));
  open();
  ASSERT_TRUE(all_ended(2));
}

TEST_F(ToldEventsTest, flows_that_start_each_other_in_a_circle_come_to_an_end) {
  for (const auto& [name, heard, told] :
       {std::tuple("ping", "a.pong", "a.ping"), std::tuple("pong", "a.ping", "a.pong")}) {
    apply("Flow", name,
          std::string("  on: [ { event: { type: ") + heard + " } } ]\n" +
              "  steps: [ { id: e, emit: { type: " + told + ", data: 1 } } ]\n");
  }
  ASSERT_TRUE(events_->publish_all({event_of("1", "a.ping")}));
  ASSERT_TRUE(eventually([&] { return events_->dead().size() == 1; }));
  EXPECT_EQ(events_->dead()[0].reason.code, Code::event_limit);
  EXPECT_EQ(runs().size(), static_cast<std::size_t>(event::kMostHops));
  ASSERT_TRUE(events_->retry(events_->dead()[0].number)) << "a person may want it to go on";
  ASSERT_TRUE(eventually([&] { return events_->dead().size() == 1 && runs().size() == 17; }));
}

TEST_F(EventsTest, those_who_follow_see_what_comes) {
  std::atomic<int> seen = 0;
  auto tail = events_->tail([&](StoredEvent&& stored) { seen += stored.event ? 1 : 0; });
  ASSERT_TRUE(tail);
  ASSERT_TRUE(events_->publish_all({event_of("1"), event_of("2")}));
  EXPECT_TRUE(eventually([&] { return seen == 2; }));
}

} // namespace
} // namespace skein::node
