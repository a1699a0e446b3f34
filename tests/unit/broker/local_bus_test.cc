#include "broker/local_bus.h"

#include <gtest/gtest.h>

#include <mutex>

#include "support/broker_house.h"
#include "unit/broker/local_house.h"

using namespace skein;
using namespace skein::test;

namespace {

TEST(local_bus, what_waits_is_bounded) {
  WallClock clock;
  broker::LocalLimits limits;
  limits.max_queued = 8;
  broker::LocalBus bus(clock, limits);
  std::mutex hold;
  Mailbox<int> began;
  std::unique_lock held(hold);
  auto slow = bus.subscribe("a", "", [&](Message&&) {
    began.put(1);
    const std::lock_guard wait(hold);
  });
  ASSERT_TRUE(slow);
  ASSERT_TRUE(bus.publish(message_to("a", "")));
  ASSERT_TRUE(began.wait(1));
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(bus.publish(message_to("a", "")));
  }
  EXPECT_EQ(bus.publish(message_to("a", "")).error().code, Code::broker_full);
  held.unlock();
  ASSERT_TRUE(began.wait(9));
}

} // namespace
