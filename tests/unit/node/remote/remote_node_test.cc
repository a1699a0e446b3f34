#include "node/remote/remote_node.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "core/value/json.h"
#include "node/api/shapes.h"
#include "node/fork.h"
#include "node/replay.h"
#include "node/serve.h"
#include "schemas/yaml.h"
#include "support/folder.h"

namespace skein::node {
namespace {

/// A node that serves, and the same through HTTP.
class RemoteNodeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    serve();
    const auto endpoint = find_endpoint(data());
    ASSERT_TRUE(endpoint);
    Settings settings;
    settings.data = data();
    auto connected = connect(*endpoint, settings);
    ASSERT_TRUE(connected.ok()) << to_string(connected.error());
    remote_ = std::move(*connected);
  }

  std::filesystem::path data() const { return folder_.path() / "data"; }

  void serve() {
    server_.reset();
    ServeOptions options;
    options.node.data = data();
    options.node.roots = {folder_.path()};
    options.listen = "127.0.0.1:0";
    auto served = Server::open(std::move(options));
    ASSERT_TRUE(served.ok()) << to_string(served.error());
    server_ = std::move(*served);
  }

  flow::DefinitionPtr apply(const std::string& steps) {
    const std::string text =
        "apiVersion: skein.dev/v1\nkind: Flow\nmetadata: { name: test }\nspec:\n" + steps;
    const auto documents = schemas::read_yaml(text, "test.yaml");
    const auto definition =
        apply_flow(remote_->store(), documents->front(), Instant{1}, &remote_->tools());
    EXPECT_TRUE(definition.ok()) << to_string(definition.error());
    return definition.ok() ? *definition : nullptr;
  }

  RunRecord run(const flow::DefinitionPtr& definition, const std::string& id,
                Value input = Value::of_map({})) {
    const auto started = remote_->start({definition, std::move(input), {}, RunId(id), 7});
    EXPECT_TRUE(started.ok()) << to_string(started.error());
    const auto ended = remote_->wait(RunId(id), true, {});
    EXPECT_TRUE(ended.ok()) << to_string(ended.error());
    return ended.ok() ? *ended : RunRecord();
  }

  static std::vector<std::string> journal(const Store& store, const RunId& run) {
    std::vector<std::string> entries;
    const auto read = store.read_journal(run, Seq(1), [&](const Entry& entry) {
      entries.push_back(std::to_string(entry.seq.get()) + " " +
                        std::string(flow::kind_of(entry.event)) + " " + to_string(entry.state));
      return true;
    });
    EXPECT_TRUE(read.ok());
    return entries;
  }

  test::Folder folder_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<Node> remote_;
};

constexpr const char* kSum = R"(
  steps:
    - { id: twice, tool: transform, with: "${ input.n * 2 }" }
  output: ${ steps.twice.output }
)";

constexpr const char* kAsk = R"(
  steps:
    - { id: agree, approval: { message: "go on?" } }
    - { id: after, tool: transform, with: done }
  output: ${ steps.after.output }
)";

TEST_F(RemoteNodeTest, a_run_is_started_waited_for_and_read_as_it_is_stored) {
  const RunRecord record = run(apply(kSum), "run-1", object({{"n", 21}}));
  EXPECT_EQ(record.state, RunState::succeeded);
  EXPECT_EQ(to_json(record.output), "42");
  Store& here = remote_->store();
  Store& there = server_->node().store();
  EXPECT_EQ(journal(here, record.id), journal(there, record.id));
  EXPECT_EQ(here.last_seq(record.id)->get(), there.last_seq(record.id)->get());
  EXPECT_EQ(to_json(*to_value(here, record)), to_json(*to_value(there, record)));
  const auto report = replay(here, record.id);
  ASSERT_TRUE(report.ok()) << to_string(report.error());
  EXPECT_FALSE(report->difference);
  EXPECT_EQ(remote_->id(), server_->node().id());
}

TEST_F(RemoteNodeTest, what_is_stored_in_parts_arrives_whole) {
  const auto definition = apply(R"(
  steps:
    - id: each
      for_each: { in: "${ input.items }", as: x, steps: [ { id: one, tool: transform, with: "${ x }" } ] }
  output: ${ steps.each.output }
)");
  std::vector<Value> items;
  for (int i = 0; i < 300; ++i) {
    items.emplace_back(std::string(300, 'x') + std::to_string(i));
  }
  const RunRecord record = run(definition, "run-1", object({{"items", Value::of_list(items)}}));
  EXPECT_EQ(record.state, RunState::succeeded) << record.reason;
  Store& here = remote_->store();
  Store& there = server_->node().store();
  EXPECT_EQ(journal(here, record.id), journal(there, record.id));
  EXPECT_EQ(here.checkpoints(record.id)->size(), there.checkpoints(record.id)->size());
  const auto marks = here.checkpoint_marks(record.id);
  const auto those = there.checkpoint_marks(record.id);
  ASSERT_EQ(marks->size(), those->size());
  for (std::size_t i = 0; i < marks->size(); ++i) {
    EXPECT_EQ((*marks)[i].seq, (*those)[i].seq);
    EXPECT_EQ((*marks)[i].state, (*those)[i].state);
  }
  EXPECT_EQ(here.load_run(record.id)->tail.size(), there.load_run(record.id)->tail.size());
}

TEST_F(RemoteNodeTest, people_answer_signal_and_cancel_through_it) {
  const auto definition = apply(kAsk);
  EXPECT_EQ(run(definition, "run-1").state, RunState::waiting);
  EXPECT_EQ(remote_->store().waits_of(RunId("run-1"))->front().name, "agree");
  const auto place = machine_at(remote_->store(), RunId("run-1"))->place_of("agree");
  ASSERT_TRUE(
      remote_->tell(RunId("run-1"), flow::Answered{Instant{}, *place, true, "ann", ""}).ok());
  EXPECT_EQ(remote_->wait(RunId("run-1"), false, {})->state, RunState::succeeded);
  run(definition, "run-2");
  ASSERT_TRUE(remote_->tell(RunId("run-2"), flow::CancelAsked{Instant{}, "ann", "enough"}).ok());
  EXPECT_EQ(remote_->wait(RunId("run-2"), false, {})->state, RunState::cancelled);
  const auto late = remote_->tell(RunId("run-2"), flow::PauseAsked{Instant{}, "ann", ""});
  EXPECT_EQ(late.error().code, Code::run_state_conflict);
}

TEST_F(RemoteNodeTest, a_fork_is_made_there) {
  const auto definition = apply(kSum);
  run(definition, "run-1", object({{"n", 1}}));
  const auto forked =
      remote_->fork({RunId("run-1"), Seq(1), RunId("run-2"), Value(), object({{"n", 5}})});
  ASSERT_TRUE(forked.ok()) << to_string(forked.error());
  ASSERT_TRUE(remote_->resume(*forked).ok());
  EXPECT_EQ(remote_->wait(*forked, true, {})->state, RunState::succeeded);
  EXPECT_EQ(journal(remote_->store(), *forked), journal(server_->node().store(), *forked));
}

TEST_F(RemoteNodeTest, who_watches_hears_every_entry_from_then_on) {
  const auto definition = apply(kAsk);
  run(definition, "run-1");
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::uint64_t> heard;
  const auto watch = remote_->watch(RunId("run-1"), [&](const Entry& entry) {
    const std::lock_guard lock(mutex);
    heard.push_back(entry.seq.get());
    changed.notify_all();
  });
  const std::uint64_t before = remote_->store().last_seq(RunId("run-1"))->get();
  const auto place = machine_at(remote_->store(), RunId("run-1"))->place_of("agree");
  ASSERT_TRUE(
      remote_->tell(RunId("run-1"), flow::Answered{Instant{}, *place, true, "ann", ""}).ok());
  const std::uint64_t last = [&] {
    EXPECT_TRUE(remote_->wait(RunId("run-1"), false, {}).ok());
    return remote_->store().last_seq(RunId("run-1"))->get();
  }();
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return !heard.empty() && heard.back() == last; });
  ASSERT_EQ(heard.size(), last - before);
  EXPECT_EQ(heard.front(), before + 1);
}

TEST_F(RemoteNodeTest, what_tools_log_is_heard) {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> lines;
  const auto watch =
      remote_->watch_logs([&](const RunId& run, const std::string& step, const ToolLog& line) {
        const std::lock_guard lock(mutex);
        lines.push_back(run.get() + " " + step + " " + line.level + " " + line.message);
        changed.notify_all();
      });
  run(apply(R"(
  steps:
    - { id: say, tool: log, with: { message: hello, level: warning } }
)"),
      "run-1");
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return !lines.empty(); });
  EXPECT_EQ(lines.front(), "run-1 say warning hello");
}

TEST_F(RemoteNodeTest, errors_of_the_node_arrive_as_they_are) {
  EXPECT_FALSE(*remote_->store().find_run(RunId("none")));
  EXPECT_FALSE(*remote_->store().find_run(RunId("../etc")));
  EXPECT_EQ(remote_->store().load_run(RunId("none")).error().code, Code::run_unknown);
  EXPECT_EQ(remote_->store().resource("Flow", "none").error().code, Code::resource_unknown);
  EXPECT_EQ(remote_->store().commit({}).error().code, Code::usage_invalid);
  const auto definition = apply(kSum);
  run(definition, "run-1", object({{"n", 1}}));
  const auto again =
      remote_->start({definition, object({{"n", 2}}), {}, RunId("run-1"), std::nullopt});
  EXPECT_EQ(again.error().code, Code::run_exists);
  EXPECT_EQ(remote_->wait(RunId("none"), true, {}).error().code, Code::run_unknown);
}

TEST_F(RemoteNodeTest, another_token_or_another_node_is_refused) {
  Endpoint endpoint = *find_endpoint(data());
  endpoint.token = "wrong";
  EXPECT_EQ(connect(endpoint, {}).error().code, Code::unauthorized);
  endpoint = *find_endpoint(data());
  endpoint.id = "0000000000000001";
  EXPECT_EQ(connect(endpoint, {}).error().code, Code::node_unreachable);
}

TEST_F(RemoteNodeTest, a_node_that_starts_anew_is_found_again) {
  const auto definition = apply(kSum);
  run(definition, "run-1", object({{"n", 1}}));
  serve();
  EXPECT_EQ(remote_->store().find_run(RunId("run-1"))->value().state, RunState::succeeded);
  server_.reset();
  EXPECT_EQ(remote_->store().find_run(RunId("run-1")).error().code, Code::node_unreachable);
}

TEST_F(RemoteNodeTest, a_draining_node_starts_nothing_and_leaves_no_trace_of_itself) {
  const auto definition = apply(kSum);
  server_->drain(Millis{1'000});
  EXPECT_EQ(remote_->start({definition, object({{"n", 1}}), {}, {}, {}}).error().code,
            Code::node_unreachable);
  EXPECT_FALSE(find_endpoint(data()));
  EXPECT_TRUE(std::filesystem::exists(data() / "token"));
}

} // namespace
} // namespace skein::node
