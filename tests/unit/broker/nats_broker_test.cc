#include "broker/nats_broker.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>

#include "unit/broker/nats_house.h"

using namespace skein;
using namespace skein::test;

namespace {

TEST(nats_broker, no_server_is_said_at_once_with_its_address) {
  broker::NatsOptions options;
  options.urls = {"nats://127.0.0.1:1"};
  options.first_connection = Millis{200};
  const auto connected = broker::connect(options);
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().code, Code::broker_unreachable);
  EXPECT_NE(connected.error().detail.find("127.0.0.1:1"), std::string::npos);
}

TEST(nats_broker, a_wrong_password_is_refused) {
  NatsHouse house;
  auto options = house.server().access();
  options.password = "wrong";
  const auto connected = broker::connect(options);
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().code, Code::broker_refused);
  EXPECT_EQ(connected.error().detail.find("wrong"), std::string::npos);
}

TEST(nats_broker, without_a_connection_nothing_is_sent_and_all_is_said) {
  NatsHouse house;
  Mailbox<bool> changes;
  const auto watch = house.nats().watch_connection([&](bool up) { changes.put(up); });
  EXPECT_TRUE(changes.take());
  house.freeze();               // no restart is to be in the way
  EXPECT_FALSE(changes.take()); // two pings were not answered
  const auto sent = house.broker().publish(message_to("a.b", "x"));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, Code::broker_unreachable);
  EXPECT_EQ(append_now(house.broker(), message_to("A.b", "")).error().code,
            Code::broker_unreachable);
  house.thaw();
  EXPECT_TRUE(changes.take());
  EXPECT_TRUE(house.broker().publish(message_to("a.b", "x")));
}

/// The tail and the pull of one stream while its server is killed again and again.
TEST(nats_broker, a_server_that_is_killed_loses_and_doubles_nothing) {
  NatsHouse house;
  StreamSpec spec;
  spec.name = "LOG";
  spec.subjects = {"LOG.>"};
  ASSERT_TRUE(house.broker().make_stream(spec));
  Mailbox<std::string> read;
  Mailbox<std::string> pulled;
  auto tail = house.other().tail({"LOG", "", 1}, [&](Stored&& s) { read.put(s.message.payload); });
  std::set<std::string> seen; // a delivery may come twice
  auto pull =
      house.other().pull({"LOG", "c", "", Millis{1'000}, 64}, [&](Stored&& s, DeliveryPtr d) {
        if (seen.insert(s.message.payload).second) {
          pulled.put(s.message.payload);
        }
        d->done();
      });
  ASSERT_TRUE(tail && pull);
  std::set<std::string> kept;
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 200; ++i) {
      const std::string name = std::to_string(round) + "." + std::to_string(i);
      if (i == 100) {
        house.kill_server();
      }
      for (;;) { // what is not known to be stored is sent again with its id
        const auto appended = append_now(house.broker(), message_to("LOG.a", name), name);
        if (appended) {
          break;
        }
        ASSERT_TRUE(is_retryable(appended.error().code) ||
                    appended.error().code == Code::stream_unknown)
            << to_string(appended.error());
      }
      kept.insert(name);
    }
  }
  ASSERT_TRUE(read.wait(800));
  const auto all = read.items();
  EXPECT_EQ(all.size(), 800u);
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()), kept);
  ASSERT_TRUE(pulled.wait(800));
  const auto some = pulled.items();
  EXPECT_EQ(std::set<std::string>(some.begin(), some.end()), kept);
  EXPECT_EQ(house.broker().stream("LOG")->messages, 800u);
  EXPECT_GE(house.nats().counts().connections.load(), 2u);
}

TEST(nats_broker, what_was_published_without_a_connection_never_arrives) {
  NatsHouse house;
  StreamSpec spec;
  spec.name = "GHOST";
  spec.subjects = {"GHOST.>"};
  ASSERT_TRUE(house.broker().make_stream(spec));
  Mailbox<bool> changes;
  const auto watch = house.nats().watch_connection([&](bool up) { changes.put(up); });
  EXPECT_TRUE(changes.take());
  house.kill_server();
  std::uint64_t accepted = 0;
  std::atomic<bool> up{true};
  const auto second = house.nats().watch_connection([&](bool is) { up = is; });
  EXPECT_FALSE(changes.take());
  for (int i = 0; i < 1'000 && !up.load(); ++i) {
    accepted += house.broker().publish(message_to("GHOST.a", "ghost")) ? 1 : 0;
  }
  EXPECT_TRUE(changes.take());
  ASSERT_TRUE(append_now(house.broker(), message_to("GHOST.a", "real")));
  EXPECT_EQ(house.broker().stream("GHOST")->messages, accepted + 1);
}

} // namespace
