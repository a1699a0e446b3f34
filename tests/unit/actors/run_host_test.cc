#include "actors/run_host.h"

#include <gtest/gtest.h>

#include <future>

#include "support/memory_store.h"

namespace skein::actors {
namespace {

class NoTools : public ToolBox {
 public:
  Tool* find(std::string_view) const override { return nullptr; }
  std::vector<std::string_view> names() const override { return {}; }
};

class StillClock : public Clock {
 public:
  Instant now() const override { return Instant{1}; }
};

TEST(RunHost, takes_no_more_events_than_it_may_hold_until_one_is_answered) {
  test::MemoryStore store;
  NoTools tools;
  StillClock clock;
  std::promise<void> gate;
  Limits limits;
  limits.inbound = 1;
  const auto host = RunHost::make(
      Surroundings{store,
                   tools,
                   clock,
                   [opened = gate.get_future().share()](const ContentHash&) {
                     opened.wait();
                     return Result<flow::DefinitionPtr>(Error{Code::resource_unknown, "none"});
                   },
                   {},
                   {},
                   {}},
      limits);
  const auto created = [] { return flow::Created{Instant{1}, "test", {}, 1, 7, {}, {}, {}}; };
  std::promise<Result<void>> first;
  host->deliver(RunId("run-1"), created(),
                [&](Result<void> result) { first.set_value(std::move(result)); });
  std::optional<Result<void>> second;
  const auto answer = [&](Result<void> result) { second = std::move(result); };
  host->deliver(RunId("run-2"), created(), answer);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->error().code, Code::node_busy);
  gate.set_value();
  EXPECT_EQ(first.get_future().get().error().code, Code::resource_unknown);
}

} // namespace
} // namespace skein::actors
