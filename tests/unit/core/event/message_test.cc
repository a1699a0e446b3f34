#include "core/event/message.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/value/json.h"

namespace skein::event {
namespace {

const Bare kBare{"id-1", "/nats/skein.default.event.order.paid", "order.paid", ""};
constexpr std::string_view kMinimal =
    R"({"id":"1","source":"/x","specversion":"1.0","type":"a.b"})";

std::string with(const std::string& members) {
  return R"({"specversion":"1.0","id":"1","source":"/x","type":"a.b",)" + members + "}";
}

Result<CloudEvent> structured(std::string_view body) {
  const std::vector<Header> headers{
      {"Content-Type", "application/cloudevents+json; charset=utf-8"}};
  return read_one(headers, body, kBare);
}

std::string refusal(const Result<CloudEvent>& event) {
  return event ? "read: " + to_structured(*event) : to_string(event.error());
}

TEST(event_message, structured_json_of_the_sdk_is_read_and_printed_the_same) {
  const auto event = structured(
      R"({"id":"1","time":"2026-11-21T09:00:00.000Z","type":"a.b","source":"/caf","specversion":"1.0",)"
      R"("subject":"50% \"q\" é","data":{"a":1},"ext1":5,"ext2":true})");
  ASSERT_TRUE(event) << refusal(event);
  EXPECT_EQ(event->subject, "50% \"q\" é");
  EXPECT_EQ(event->extensions.at("ext1"), Value(5));
  EXPECT_EQ(event->extensions.at("ext2"), Value(true));
  EXPECT_EQ(to_json(*event->data), R"({"a":1})");
  EXPECT_EQ(*from_value(to_value(*event)), *event);
}

TEST(event_message, binary_headers_of_the_sdk_are_read) {
  const std::vector<Header> headers{{"content-type", "application/json; charset=utf-8"},
                                    {"CE-Id", "1"},
                                    {"ce-time", "2026-11-21T09:00:00.000Z"},
                                    {"ce-type", "a.b"},
                                    {"ce-source", "/caf"},
                                    {"ce-specversion", "1.0"},
                                    {"ce-subject", "50% \"q\" é"},
                                    {"ce-ext1", "5"}};
  const auto event = read_one(headers, R"({"a":1})", kBare);
  ASSERT_TRUE(event) << refusal(event);
  EXPECT_EQ(event->subject, "50% \"q\" é");
  EXPECT_EQ(event->extensions.at("ext1"), Value("5"));
  EXPECT_EQ(event->content_type, "application/json; charset=utf-8");
  EXPECT_EQ(to_json(*event->data), R"({"a":1})");
}

TEST(event_message, binary_form_survives_a_round_trip_with_every_kind_of_data) {
  for (const char* members :
       {R"("data":{"a":[1,2.5,null]})", R"("data":"text","datacontenttype":"text/plain")",
        R"("data_base64":"AP8B","datacontenttype":"application/octet-stream")",
        R"("subject":"50%25 \"é\" %","datacontenttype":"application/json","data":"text")",
        R"("dataschema":"https://x.y/z#q","time":"2026-11-21T09:00:00+01:00")"}) {
    const auto event = structured(with(members));
    ASSERT_TRUE(event) << refusal(event);
    const Printed printed = print_binary(*event);
    auto again = read_one(printed.headers, printed.body, {});
    ASSERT_TRUE(again) << refusal(again);
    again->content_type = event->content_type; // a binary event always says it
    EXPECT_EQ(*again, *event) << members;
  }
}

TEST(event_message, the_nats_binding_takes_the_content_type_of_the_data_from_its_own_header) {
  const std::vector<Header> headers{{"ce-specversion", "1.0"},
                                    {"ce-id", "1"},
                                    {"ce-source", "/x"},
                                    {"ce-type", "a.b"},
                                    {"ce-datacontenttype", "text/plain"}};
  const auto event = read_one(headers, "{\"a\":1}", kBare);
  ASSERT_TRUE(event) << refusal(event);
  EXPECT_EQ(*event->data, Value("{\"a\":1}"));
}

TEST(event_message, a_payload_with_a_specversion_needs_no_header) {
  const auto event = read_one({}, kMinimal, kBare);
  ASSERT_TRUE(event) << refusal(event);
  EXPECT_EQ(event->id, "1");
}

TEST(event_message, other_json_becomes_the_data_of_an_event_that_the_place_names) {
  const auto event = read_one({}, R"({"order":7})", kBare);
  ASSERT_TRUE(event) << refusal(event);
  EXPECT_EQ(to_structured(*event),
            R"({"data":{"order":7},"id":"id-1","source":"/nats/skein.default.event.order.paid",)"
            R"("specversion":"1.0","type":"order.paid"})");
  EXPECT_FALSE(read_one({}, "not json", kBare));
  EXPECT_FALSE(read_one({}, R"({"order":7})", {})) << "where no id is given, nothing is bare";
}

TEST(event_message, a_batch_is_read_whole_or_refused_with_the_event_that_is_wrong) {
  const std::vector<Header> headers{{"content-type", "application/cloudevents-batch+json"}};
  const std::string good(kMinimal);
  const auto events = read(headers, "[" + good + "," + good + "]", kBare);
  ASSERT_TRUE(events);
  EXPECT_EQ(events->size(), 2u);
  EXPECT_EQ(print_batch(*events).body, "[" + good + "," + good + "]");
  EXPECT_EQ(read(headers, "[]", kBare)->size(), 0u);
  const auto bad = read(headers, "[" + good + R"(,{"specversion":"1.0"}])", kBare);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, Code::event_invalid);
  EXPECT_EQ(bad.error().detail, "event 2 of the batch: attribute \"id\" is missing");
}

struct Refused {
  const char* members;
  const char* why;
};

TEST(event_message, what_breaks_the_specification_is_refused_with_its_place) {
  const Refused cases[]{
      {R"("time":"x")", "attribute \"time\" is no RFC 3339 time: \"x\""},
      {R"("dataschema":"not uri")", "attribute \"dataschema\" is no URI: \"not uri\""},
      {R"("dataschema":"/relative")", "attribute \"dataschema\" is no URI"},
      {R"("datacontenttype":"json")", "attribute \"datacontenttype\" is no media type"},
      {R"("extA":1)", "\"extA\" is no name of an attribute"},
      {R"("ext_a":1)", "\"ext_a\" is no name of an attribute"},
      {R"("a23456789012345678901":1)", "is no name of an attribute"},
      {R"("x":{})", "attribute \"x\" must be a text, a whole number or a bool"},
      {R"("x":1.5)", "attribute \"x\" must be a text, a whole number or a bool"},
      {R"("x":5000000000)", "attribute \"x\" is a whole number beyond 32 bits"},
      {R"("subject":5)", "attribute \"subject\" must be a text that is not empty"},
      {R"("subject":"a\u0007")", "attribute \"subject\" holds a control character"},
      {R"("data":1,"data_base64":"AA==")", "not both"},
      {R"("data_base64":"%")", "\"data_base64\" is no base64"},
  };
  for (const Refused& one : cases) {
    const auto event = structured(with(one.members));
    ASSERT_FALSE(event) << one.members;
    EXPECT_EQ(event.error().code, Code::event_invalid);
    EXPECT_NE(event.error().detail.find(one.why), std::string::npos) << refusal(event);
  }
}

TEST(event_message, what_every_event_needs_must_be_there) {
  EXPECT_NE(refusal(structured(R"({"id":"1"})")).find("\"specversion\" is missing"),
            std::string::npos);
  EXPECT_NE(refusal(structured(R"({"specversion":"0.3","id":"1","source":"/x","type":"t"})"))
                .find("must be \"1.0\", not \"0.3\""),
            std::string::npos);
  for (const std::string name : {"id", "source", "type"}) {
    std::string body = R"({"specversion":"1.0","id":"1","source":"/x","type":"t"})";
    body.replace(body.find("\"" + name + "\""), name.size() + 2, "\"other\"");
    EXPECT_NE(refusal(structured(body)).find("attribute \"" + name + "\" is missing"),
              std::string::npos);
  }
  EXPECT_FALSE(structured("[]"));
  EXPECT_FALSE(structured("{"));
}

TEST(event_message, an_attribute_that_is_null_is_not_there) {
  const auto event = structured(with(R"("subject":null,"x":null,"data":null)"));
  ASSERT_TRUE(event) << refusal(event);
  EXPECT_TRUE(event->subject.empty() && event->extensions.empty());
  EXPECT_TRUE(event->data && event->data->is_null());
}

TEST(event_message, formats_that_are_not_json_are_refused) {
  for (const char* type : {"application/cloudevents+avro", "application/cloudevents-batch+avro"}) {
    const std::vector<Header> headers{{"content-type", type}};
    const auto event = read(headers, kMinimal, kBare);
    ASSERT_FALSE(event);
    EXPECT_EQ(event.error().code, Code::event_invalid);
  }
}

TEST(event_message, what_is_too_large_is_refused_before_it_is_read) {
  EventLimits few;
  few.max_bytes = 100;
  few.max_batch = 1;
  few.max_attribute_bytes = 10;
  const auto large = read_one({}, with(R"("data":")" + std::string(100, 'x') + "\""), kBare, few);
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, Code::event_limit);
  const auto attribute = read_one({}, with(R"("subject":"01234567890")"), kBare, few);
  ASSERT_FALSE(attribute);
  EXPECT_EQ(attribute.error().code, Code::event_limit);
  const std::vector<Header> headers{{"content-type", "application/cloudevents-batch+json"}};
  const auto many = read(headers, "[1,2]", kBare, few);
  ASSERT_FALSE(many);
  EXPECT_EQ(many.error().code, Code::event_limit);
}

TEST(event_message, the_same_message_of_the_same_instant_has_the_same_id) {
  const std::vector<Header> headers{{"a", "b"}};
  const std::string id = content_id("s", headers, "body", Instant{5});
  EXPECT_EQ(id, content_id("s", headers, "body", Instant{5}));
  EXPECT_NE(id, content_id("s", headers, "body", Instant{6}));
  EXPECT_NE(id, content_id("t", headers, "body", Instant{5}));
  EXPECT_NE(id, content_id("s", {}, "body", Instant{5}));
  EXPECT_NE(id, content_id("s", headers, "bodz", Instant{5}));
}

TEST(event_message, new_ids_are_uuids_of_version_7_in_the_order_of_time) {
  // RFC 9562, appendix A.6.
  EXPECT_EQ(uuid7(Instant{0x017F22E279B0}, 0xCC3, 0x18C4DC0C0C07398F),
            "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
  EXPECT_LT(uuid7(Instant{1'000}, ~0ull, ~0ull), uuid7(Instant{1'001}, 0, 0));
}

} // namespace
} // namespace skein::event
