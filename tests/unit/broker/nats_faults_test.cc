#include <gtest/gtest.h>

#include <chrono>
#include <mutex>
#include <thread>

#include "broker/nats_broker.h"
#include "unit/broker/nats_house.h"

using namespace skein;
using namespace skein::test;

namespace {

StreamSpec stream_of(Broker& broker, const std::string& name) {
  StreamSpec spec;
  spec.name = name;
  spec.subjects = {name + ".>"};
  EXPECT_TRUE(broker.make_stream(spec));
  return spec;
}

/// Deletes what JetStream keeps of the consumers of a stream, as a server that forgets does.
void forget_consumers(Broker& broker, const std::string& stream) {
  const auto names =
      request_now(broker, message_to("$JS.API.CONSUMER.NAMES." + stream, ""), Millis{20'000});
  ASSERT_TRUE(names);
  const std::string& text = names->payload;
  auto at = text.find("\"consumers\":[");
  ASSERT_NE(at, std::string::npos) << text;
  for (at = text.find('"', at + 12); at != std::string::npos && at < text.find(']');) {
    const auto end = text.find('"', at + 1);
    const std::string name = text.substr(at + 1, end - at - 1);
    ASSERT_TRUE(request_now(
        broker, message_to("$JS.API.CONSUMER.DELETE." + stream + "." + name, ""), Millis{20'000}));
    at = text.find('"', end + 1);
  }
}

TEST(nats_faults, a_tail_whose_consumer_is_forgotten_is_opened_again_where_it_was) {
  NatsHouse house;
  stream_of(house.broker(), "FORGET");
  Mailbox<std::uint64_t> got;
  auto tail = house.broker().tail({"FORGET", "", 1}, [&](Stored&& s) { got.put(s.sequence); });
  ASSERT_TRUE(tail);
  ASSERT_TRUE(append_now(house.broker(), message_to("FORGET.a", "1")));
  ASSERT_TRUE(got.wait(1));
  forget_consumers(house.broker(), "FORGET");
  ASSERT_TRUE(append_now(house.broker(), message_to("FORGET.a", "2")));
  ASSERT_TRUE(append_now(house.broker(), message_to("FORGET.a", "3")));
  ASSERT_TRUE(got.wait(3));
  EXPECT_EQ(got.items(), (std::vector<std::uint64_t>{1, 2, 3}));
  EXPECT_GE(house.nats().counts().reopened.load(), 1u);
}

TEST(nats_faults, a_pull_whose_consumer_is_forgotten_is_made_again) {
  NatsHouse house;
  stream_of(house.broker(), "PULLED");
  Mailbox<std::string> got;
  auto pull =
      house.broker().pull({"PULLED", "c", "", Millis{30'000}, 4}, [&](Stored&& s, DeliveryPtr d) {
        got.put(s.message.payload);
        d->done();
      });
  ASSERT_TRUE(pull);
  ASSERT_TRUE(append_now(house.broker(), message_to("PULLED.a", "1")));
  ASSERT_TRUE(got.wait(1));
  forget_consumers(house.broker(), "PULLED");
  ASSERT_TRUE(append_now(house.broker(), message_to("PULLED.a", "2")));
  ASSERT_TRUE(got.wait(3)); // the new one knows nothing of what was done
  EXPECT_EQ(got.items(), (std::vector<std::string>{"1", "1", "2"}));
}

TEST(nats_faults, a_frozen_server_is_left_and_reading_goes_on_when_it_thaws) {
  NatsHouse house;
  stream_of(house.broker(), "FROZEN");
  Mailbox<std::uint64_t> got;
  auto tail = house.other().tail({"FROZEN", "", 1}, [&](Stored&& s) { got.put(s.sequence); });
  ASSERT_TRUE(tail);
  ASSERT_TRUE(append_now(house.broker(), message_to("FROZEN.a", "1")));
  ASSERT_TRUE(got.wait(1));
  house.freeze();
  const auto appended = append_now(house.broker(), message_to("FROZEN.a", "2"), "two");
  ASSERT_FALSE(appended);
  EXPECT_EQ(appended.error().code, Code::broker_timeout) << "it may have happened";
  house.thaw();
  for (;;) {
    const auto again = append_now(house.broker(), message_to("FROZEN.a", "2"), "two");
    if (again) {
      break;
    }
    ASSERT_TRUE(is_retryable(again.error().code)) << to_string(again.error());
  }
  ASSERT_TRUE(got.wait(2));
  EXPECT_EQ(got.items(), (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(house.broker().stream("FROZEN")->messages, 2u);
}

TEST(nats_faults, appends_without_an_answer_are_bounded) {
  NatsHouse house;
  stream_of(house.broker(), "FULL");
  auto access = house.server().access();
  access.max_appends = 4;
  const auto narrow = NatsHouse::join(access);
  house.freeze();
  Mailbox<Code> refused;
  for (int i = 0; i < 5; ++i) {
    narrow->append(message_to("FULL.a", "x"), "", [&](Result<Appended> answer) {
      refused.put(answer ? Code::json_invalid : answer.error().code);
    });
  }
  EXPECT_EQ(refused.take(), Code::broker_full);
  house.thaw();
  ASSERT_TRUE(refused.wait(4));
}

TEST(nats_faults, what_the_socket_does_not_take_is_bounded) {
  NatsHouse house;
  house.freeze();
  const Message large = message_to("a.b", std::string(256u << 10, 'x'));
  Result<void> sent;
  for (int i = 0; i < 1'000 && sent; ++i) { // 256 MiB, were they all kept
    sent = house.broker().publish(large);
  }
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, Code::broker_full);
  house.thaw();
}

TEST(nats_faults, a_subscriber_that_is_too_slow_loses_messages_and_it_is_counted) {
  NatsHouse house;
  std::mutex hold;
  std::unique_lock held(hold);
  auto slow =
      house.broker().subscribe("flood.x", "", [&](Message&&) { const std::lock_guard wait(hold); });
  ASSERT_TRUE(slow);
  for (int i = 0; i < 80'000;) { // more than the library keeps for one subscriber
    i += house.other().publish(message_to("flood.x", "x")) ? 1 : 0;
  }
  bool counted = false;
  for (const auto begun = std::chrono::steady_clock::now();
       !counted && std::chrono::steady_clock::now() - begun < std::chrono::seconds(20);) {
    counted = house.nats().counts().dropped.load() > 0;
    std::this_thread::yield();
  }
  held.unlock();
  EXPECT_TRUE(counted);
}

} // namespace
