#include "node/cluster/signed_broker.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "broker/local_bus.h"
#include "node/system_clock.h"

namespace skein::node {
namespace {

const MessageKey kKey("a secret of sixteen bytes", "skein");

TEST(MessageKey, what_it_signs_it_knows_again) {
  const auto payload = kKey.verify("skein.alive.1", kKey.sign("skein.alive.1", "hello"));
  ASSERT_TRUE(payload);
  EXPECT_EQ(*payload, "hello");
}

TEST(MessageKey, a_flipped_bit_anywhere_is_found) {
  const std::string whole = kKey.sign("s", "hello");
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    EXPECT_FALSE(kKey.verify("s", flipped)) << bit;
  }
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(kKey.verify("s", whole.substr(0, length))) << length;
  }
}

TEST(MessageKey, another_secret_cluster_or_subject_is_another_signature) {
  const std::string whole = kKey.sign("s", "hello");
  EXPECT_FALSE(MessageKey("another secret of some bytes", "skein").verify("s", whole));
  EXPECT_FALSE(MessageKey("a secret of sixteen bytes", "other").verify("s", whole));
  EXPECT_FALSE(kKey.verify("t", whole));
}

TEST(SignedBroker, what_nobody_signed_is_dropped_and_counted) {
  const SystemClock clock;
  broker::LocalBus bus(clock);
  SignedBroker signed_broker(bus, kKey);
  std::vector<std::string> heard;
  const auto listening = signed_broker.subscribe(
      "skein.x", "", [&](Message&& message) { heard.push_back(message.payload); });
  ASSERT_TRUE(listening);
  ASSERT_TRUE(bus.publish({"skein.x", "", {}, "forged"}));
  ASSERT_TRUE(signed_broker.publish({"skein.x", "", {}, "true"}));
  ASSERT_TRUE(bus.publish({"skein.x", "", {}, ""}));
  while (signed_broker.refused() < 2) {
    std::this_thread::yield();
  }
  EXPECT_EQ(heard, std::vector<std::string>{"true"});
}

} // namespace
} // namespace skein::node
