#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "conformance/broker_suite.h"

/// The part of BrokerSuite that is about streams; included beside broker_suite.h.
namespace skein::test {

TEST_P(BrokerSuite, a_stream_keeps_what_is_appended) {
  const StreamSpec spec = make("KEEP");
  for (std::uint64_t i = 1; i <= 3; ++i) {
    const auto appended = append_now(broker(), message_to("KEEP.a", "x"));
    ASSERT_TRUE(appended) << to_string(appended.error());
    EXPECT_EQ(appended->sequence, i);
    EXPECT_FALSE(appended->duplicate);
  }
  const auto again = broker().make_stream(spec);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->last, 3u);
  const auto state = other().stream("KEEP");
  ASSERT_TRUE(state);
  EXPECT_EQ(state->first, 1u);
  EXPECT_EQ(state->messages, 3u);
}

TEST_P(BrokerSuite, a_stream_that_is_there_stays_as_it_is) {
  StreamSpec spec = make("STAYS");
  ASSERT_TRUE(append_now(broker(), message_to("STAYS.a", "x")));
  spec.max_age = Millis{3'600'000};
  const auto again = broker().make_stream(spec);
  ASSERT_TRUE(again) << to_string(again.error());
  EXPECT_EQ(again->messages, 1u);
}

TEST_P(BrokerSuite, an_append_with_a_known_id_is_a_duplicate) {
  make("DUP");
  const auto first = append_now(broker(), message_to("DUP.a", "x"), "id-1");
  const auto second = append_now(other(), message_to("DUP.a", "x"), "id-1");
  ASSERT_TRUE(first && second);
  EXPECT_TRUE(second->duplicate);
  EXPECT_EQ(second->sequence, first->sequence);
  EXPECT_EQ(broker().stream("DUP")->messages, 1u);
}

TEST_P(BrokerSuite, a_stream_that_is_not_there_is_unknown) {
  const auto state = broker().stream("NOWHERE");
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code, Code::stream_unknown);
  EXPECT_EQ(append_now(broker(), message_to("nowhere.a", "")).error().code, Code::stream_unknown);
  EXPECT_EQ(broker().tail({"NOWHERE", "", 1}, [](Stored&&) {}).error().code, Code::stream_unknown);
  EXPECT_EQ(broker().pull({"NOWHERE", "c", "", {}, 1}, [](Stored&&, DeliveryPtr) {}).error().code,
            Code::stream_unknown);
}

TEST_P(BrokerSuite, a_tail_reads_from_a_sequence_on_and_goes_on_with_what_comes) {
  make("TAIL");
  for (int i = 1; i <= 5; ++i) {
    ASSERT_TRUE(append_now(broker(), {"TAIL.a", "", {{"N", std::to_string(i)}}, "x"}));
  }
  Mailbox<Stored> got;
  auto held = other().tail({"TAIL", "", 3}, [&](Stored&& s) { got.put(std::move(s)); });
  ASSERT_TRUE(held) << to_string(held.error());
  ASSERT_TRUE(append_now(broker(), message_to("TAIL.b", "later")));
  ASSERT_TRUE(got.wait(4));
  const auto all = got.items();
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].sequence, i + 3);
    EXPECT_EQ(all[i].message.reply, "");
  }
  EXPECT_EQ(all.front().message.headers, (std::vector<Header>{{"N", "3"}}));
  EXPECT_EQ(all.back().message.subject, "TAIL.b");
  EXPECT_GT(all.back().at.ms, 0);
}

TEST_P(BrokerSuite, a_tail_with_a_filter_reads_only_what_it_takes) {
  make("PART");
  Mailbox<std::string> got;
  auto held =
      broker().tail({"PART", "PART.yes.*", 1}, [&](Stored&& s) { got.put(s.message.payload); });
  ASSERT_TRUE(held);
  for (const char* kind : {"yes", "no", "yes", "no", "yes"}) {
    ASSERT_TRUE(append_now(other(), message_to("PART." + std::string(kind) + ".x", kind)));
  }
  ASSERT_TRUE(got.wait(3));
  EXPECT_EQ(got.items(), (std::vector<std::string>{"yes", "yes", "yes"}));
}

TEST_P(BrokerSuite, ten_thousand_appends_at_once_are_read_in_order_without_a_gap) {
  make("MANY");
  Mailbox<Stored> got;
  auto held = other().tail({"MANY", "", 1}, [&](Stored&& s) { got.put(std::move(s)); });
  ASSERT_TRUE(held);
  Mailbox<std::uint64_t> acks;
  for (int i = 0; i < 10'000; ++i) {
    broker().append(message_to("MANY.a", std::to_string(i)), "id-" + std::to_string(i),
                    [&](Result<Appended> answer) { acks.put(answer ? answer->sequence : 0); });
  }
  ASSERT_TRUE(acks.wait(10'000));
  ASSERT_TRUE(got.wait(10'000));
  const auto all = got.items();
  for (std::size_t i = 0; i < all.size(); ++i) {
    ASSERT_EQ(all[i].sequence, i + 1);
    ASSERT_EQ(all[i].message.payload, std::to_string(i));
  }
  const auto sequences = acks.items();
  EXPECT_EQ(std::set<std::uint64_t>(sequences.begin(), sequences.end()).size(), 10'000u);
}

TEST_P(BrokerSuite, a_stream_at_its_limit_forgets_the_oldest) {
  StreamSpec spec;
  spec.name = "SMALL";
  spec.subjects = {"SMALL.>"};
  spec.max_bytes = 20'000;
  ASSERT_TRUE(broker().make_stream(spec));
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(append_now(broker(), message_to("SMALL.a", std::string(1'000, 'x'))));
  }
  const auto state = broker().stream("SMALL");
  ASSERT_TRUE(state);
  EXPECT_EQ(state->last, 100u);
  EXPECT_GT(state->first, 80u);
  Mailbox<std::uint64_t> got;
  auto held = broker().tail({"SMALL", "", 1}, [&](Stored&& s) { got.put(s.sequence); });
  ASSERT_TRUE(held);
  EXPECT_EQ(got.take(), state->first);
}

TEST_P(BrokerSuite, those_who_pull_from_one_consumer_share_the_messages) {
  make("SHARE");
  Mailbox<std::string> got;
  std::atomic<int> by_first{0};
  const PullSpec spec{"SHARE", "workers", "", Millis{30'000}, 4};
  const auto append_some = [&](int from, int to) {
    for (int i = from; i < to; ++i) {
      ASSERT_TRUE(append_now(broker(), message_to("SHARE.a", std::to_string(i))));
    }
    ASSERT_TRUE(got.wait(static_cast<std::size_t>(to)));
  };
  auto a = broker().pull(spec, [&](Stored&& s, DeliveryPtr d) {
    ++by_first;
    got.put(s.message.payload);
    d->done();
  });
  ASSERT_TRUE(a);
  append_some(0, 1);
  EXPECT_EQ(by_first.load(), 1) << "it is alone";
  auto b = other().pull(spec, [&](Stored&& s, DeliveryPtr d) {
    got.put(s.message.payload);
    d->done();
  });
  ASSERT_TRUE(b);
  append_some(1, 200);
  const int until_then = by_first.load();
  a->reset();
  append_some(200, 210);
  EXPECT_EQ(by_first.load(), until_then) << "the other one takes what comes";
  const auto all = got.items();
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), 210u);
  EXPECT_EQ(all.size(), 210u);
}

TEST_P(BrokerSuite, no_more_than_the_credit_is_out_at_once) {
  make("CREDIT");
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(append_now(broker(), message_to("CREDIT.a", std::to_string(i))));
  }
  Mailbox<Handed> got;
  Mailbox<int> marks;
  auto held = broker().pull({"CREDIT", "c", "", Millis{30'000}, 3}, [&](Stored&& s, DeliveryPtr d) {
    got.put({std::move(s), std::move(d)});
  });
  auto mark = broker().subscribe("credit.mark", "", [&](Message&&) { marks.put(1); });
  ASSERT_TRUE(held && mark);
  ASSERT_TRUE(got.wait(3));
  ASSERT_TRUE(broker().publish(message_to("credit.mark", "")));
  ASSERT_TRUE(marks.wait(1)); // whatever else the broker had to send has come before
  EXPECT_EQ(got.size(), 3u);
  for (int i = 0; i < 10; ++i) {
    const Handed next = got.take();
    EXPECT_EQ(next.stored.message.payload, std::to_string(i));
    next.delivery->done();
  }
}

TEST_P(BrokerSuite, a_message_comes_again_when_asked_and_is_then_counted) {
  make("AGAIN");
  Mailbox<Handed> got;
  auto held = broker().pull({"AGAIN", "c", "", Millis{30'000}, 8}, [&](Stored&& s, DeliveryPtr d) {
    got.put({std::move(s), std::move(d)});
  });
  ASSERT_TRUE(held);
  ASSERT_TRUE(append_now(broker(), message_to("AGAIN.a", "x")));
  const Handed first = got.take();
  EXPECT_EQ(first.stored.deliveries, 1u);
  first.delivery->again(Millis{10});
  const Handed second = got.take();
  EXPECT_EQ(second.stored.deliveries, 2u);
  EXPECT_EQ(second.stored.sequence, first.stored.sequence);
  second.delivery->again(Millis{0});
  const Handed third = got.take();
  EXPECT_EQ(third.stored.deliveries, 3u);
  third.delivery->drop();
  ASSERT_TRUE(append_now(broker(), message_to("AGAIN.a", "y")));
  EXPECT_EQ(got.take().stored.message.payload, "y");
}

TEST_P(BrokerSuite, a_message_that_is_not_answered_comes_again_after_its_time) {
  make("FORGOT");
  Mailbox<Handed> got;
  auto held = broker().pull({"FORGOT", "c", "", Millis{200}, 8}, [&](Stored&& s, DeliveryPtr d) {
    got.put({std::move(s), std::move(d)});
  });
  ASSERT_TRUE(held);
  ASSERT_TRUE(append_now(broker(), message_to("FORGOT.a", "x")));
  got.take(); // let go of
  const Handed again = got.take();
  EXPECT_EQ(again.stored.deliveries, 2u);
  again.delivery->done();
}

TEST_P(BrokerSuite, who_pulls_later_goes_on_where_the_consumer_is) {
  make("LATER");
  ASSERT_TRUE(append_now(broker(), message_to("LATER.a", "1")));
  ASSERT_TRUE(append_now(broker(), message_to("LATER.a", "2")));
  Mailbox<Handed> got;
  const auto take = [&](Stored&& s, DeliveryPtr d) { got.put({std::move(s), std::move(d)}); };
  const PullSpec spec{"LATER", "c", "", Millis{30'000}, 1};
  auto first = broker().pull(spec, take);
  ASSERT_TRUE(first);
  const Handed one = got.take();
  EXPECT_EQ(one.stored.message.payload, "1");
  *first = nullptr;
  one.delivery->done(); // also once nobody pulls any more
  auto second = other().pull(spec, take);
  ASSERT_TRUE(second);
  EXPECT_EQ(got.take().stored.message.payload, "2");
}

} // namespace skein::test
