#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/base/subject.h"
#include "core/ports/broker.h"
#include "support/broker_house.h"

/// What every Broker must do. A test program includes this once and instantiates BrokerSuite with
/// its implementations.
namespace skein::test {

struct BrokerCase {
  std::string name;
  std::function<std::unique_ptr<BrokerHouse>()> build;
};
inline void PrintTo(const BrokerCase& which, std::ostream* out) { *out << which.name; }

class BrokerSuite : public testing::TestWithParam<BrokerCase> {
 protected:
  Broker& broker() { return house_->broker(); }
  Broker& other() { return house_->other(); }

  /// Subjects S.>, nothing in it.
  StreamSpec make(const std::string& name) {
    StreamSpec spec;
    spec.name = name;
    spec.subjects = {name + ".>"};
    auto made = broker().make_stream(spec);
    EXPECT_TRUE(made) << to_string(made.error());
    return spec;
  }

  std::unique_ptr<BrokerHouse> house_ = GetParam().build();
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(BrokerSuite);

TEST_P(BrokerSuite, a_message_comes_as_it_was_sent) {
  Mailbox<Message> got;
  auto held = broker().subscribe("orders.new", "", [&](Message&& m) { got.put(std::move(m)); });
  ASSERT_TRUE(held) << to_string(held.error());
  const Message sent{"orders.new",
                     "answers.here",
                     {{"ce-type", "order"}, {"Traceparent", "00-ab"}},
                     std::string("a\0b\xff\r\n", 6)};
  ASSERT_TRUE(other().publish(sent));
  const Message came = got.take();
  EXPECT_EQ(came.subject, sent.subject);
  EXPECT_EQ(came.reply, sent.reply);
  EXPECT_EQ(came.payload, sent.payload);
  const std::set<std::string> names{came.headers.at(0).name, came.headers.at(1).name};
  EXPECT_EQ(names, (std::set<std::string>{"ce-type", "Traceparent"}));
}

TEST_P(BrokerSuite, messages_of_one_connection_stay_in_order) {
  Mailbox<Message> got;
  auto held = broker().subscribe("n.>", "", [&](Message&& m) { got.put(std::move(m)); });
  ASSERT_TRUE(held);
  for (int i = 0; i < 2'000; ++i) {
    ASSERT_TRUE(other().publish(message_to("n.x", std::to_string(i))));
  }
  ASSERT_TRUE(got.wait(2'000));
  const auto all = got.items();
  for (std::size_t i = 0; i < all.size(); ++i) {
    ASSERT_EQ(all[i].payload, std::to_string(i));
  }
}

TEST_P(BrokerSuite, wildcards_take_one_token_or_the_rest) {
  Mailbox<std::string> one;
  Mailbox<std::string> rest;
  auto a = broker().subscribe("w.*.end", "", [&](Message&& m) { one.put(m.subject); });
  auto b = broker().subscribe("w.>", "", [&](Message&& m) { rest.put(m.subject); });
  ASSERT_TRUE(a && b);
  for (const char* subject : {"w.x.end", "w.x.y.end", "w.x", "v.x.end", "w.last"}) {
    ASSERT_TRUE(other().publish(message_to(subject, "")));
  }
  ASSERT_TRUE(rest.wait(4) && one.wait(1));
  EXPECT_EQ(rest.items(), (std::vector<std::string>{"w.x.end", "w.x.y.end", "w.x", "w.last"}));
  EXPECT_EQ(one.items(), (std::vector<std::string>{"w.x.end"}));
}

TEST_P(BrokerSuite, a_queue_gives_each_message_to_one_of_its_members) {
  Mailbox<int> got;
  Mailbox<std::string> everything;
  std::vector<Subscription> held;
  for (int member = 0; member < 3; ++member) {
    auto one = broker().subscribe("work.*", "workers", [&, member](Message&&) { got.put(member); });
    ASSERT_TRUE(one);
    held.push_back(*one);
  }
  auto all = broker().subscribe("work.*", "", [&](Message&& m) { everything.put(m.payload); });
  ASSERT_TRUE(all);
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(other().publish(message_to("work.a", std::to_string(i))));
  }
  ASSERT_TRUE(everything.wait(300));
  ASSERT_TRUE(got.wait(300));
  EXPECT_EQ(got.size(), 300u);
  const auto members = got.items();
  EXPECT_EQ(std::set<int>(members.begin(), members.end()).size(), 3u);
}

TEST_P(BrokerSuite, nothing_comes_after_a_subscription_was_let_go_of) {
  std::atomic<int> came{0};
  Mailbox<int> marks;
  auto held = broker().subscribe("gone.x", "", [&](Message&&) { ++came; });
  auto mark = broker().subscribe("mark.x", "", [&](Message&&) { marks.put(1); });
  ASSERT_TRUE(held && mark);
  *held = nullptr;
  ASSERT_TRUE(broker().publish(message_to("gone.x", "")));
  ASSERT_TRUE(broker().publish(message_to("mark.x", "")));
  ASSERT_TRUE(marks.wait(1));
  EXPECT_EQ(came.load(), 0);
}

TEST_P(BrokerSuite, a_request_is_answered_by_who_listens) {
  auto held = broker().subscribe("ask.me", "", [&](Message&& m) {
    EXPECT_TRUE(broker().publish({m.reply, "", {{"Kind", "answer"}}, m.payload + "!"}));
  });
  ASSERT_TRUE(held);
  const auto answer = request_now(other(), message_to("ask.me", "hello"), Millis{20'000});
  ASSERT_TRUE(answer) << to_string(answer.error());
  EXPECT_EQ(answer->payload, "hello!");
  EXPECT_EQ(answer->headers, (std::vector<Header>{{"Kind", "answer"}}));
}

TEST_P(BrokerSuite, a_request_that_nobody_could_answer_says_so) {
  const auto answer = request_now(broker(), message_to("ask.nobody", ""), Millis{20'000});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::no_responder);
}

TEST_P(BrokerSuite, a_request_that_is_not_answered_ends_when_its_time_is_over) {
  auto held = broker().subscribe("ask.silent", "", [](Message&&) {});
  ASSERT_TRUE(held);
  const auto answer = request_now(broker(), message_to("ask.silent", ""), Millis{50});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::broker_timeout);
}

TEST_P(BrokerSuite, what_is_no_subject_is_refused) {
  for (const std::string subject : {"", "a b", "a..b", "a.*", "x 1\r\ny\r\nPUB evil 0\r\n"}) {
    const auto sent = broker().publish(message_to(subject, ""));
    ASSERT_FALSE(sent) << subject;
    EXPECT_EQ(sent.error().code, Code::subject_invalid);
    const auto appended = append_now(broker(), message_to(subject, ""));
    EXPECT_FALSE(appended);
  }
  EXPECT_FALSE(broker().publish({"a", "b c", {}, ""}));
  EXPECT_FALSE(broker().publish({"a", "", {{"X\r\nPUB", "1"}}, ""}));
  EXPECT_FALSE(broker().publish({"a", "", {{"X", "1\r\nPUB evil 0"}}, ""}));
  EXPECT_FALSE(broker().publish({"a", "", {{"nats-rollup", "all"}}, ""}));
  EXPECT_FALSE(broker().subscribe("a b", "", [](Message&&) {}));
  EXPECT_FALSE(broker().subscribe("a.>.b", "", [](Message&&) {}));
}

TEST_P(BrokerSuite, a_message_that_is_too_large_is_refused) {
  const std::string large(broker().max_payload() + 1, 'x');
  const auto sent = broker().publish(message_to("large.x", large));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, Code::message_too_large);
}

TEST_P(BrokerSuite, a_message_as_large_as_is_allowed_comes) {
  Mailbox<std::size_t> got;
  auto held = broker().subscribe("large.ok", "", [&](Message&& m) { got.put(m.payload.size()); });
  ASSERT_TRUE(held);
  ASSERT_TRUE(other().publish(message_to("large.ok", std::string(broker().max_payload(), 'x'))));
  EXPECT_EQ(got.take(), broker().max_payload());
}

TEST_P(BrokerSuite, who_watches_is_told_at_once) {
  Mailbox<bool> got;
  const auto held = broker().watch_connection([&](bool up) { got.put(up); });
  EXPECT_TRUE(got.take());
}

} // namespace skein::test
