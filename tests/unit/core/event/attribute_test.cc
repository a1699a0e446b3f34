#include "core/event/attribute.h"

#include <gtest/gtest.h>

#include <string>

namespace skein::event {
namespace {

TEST(event_attribute, names_are_short_lower_case_letters_and_digits) {
  for (const char* good : {"a", "id2", "12345678901234567890"}) {
    EXPECT_TRUE(is_attribute_name(good)) << good;
  }
  for (const char* bad : {"", "A", "a_b", "a-b", "é", "123456789012345678901"}) {
    EXPECT_FALSE(is_attribute_name(bad)) << bad;
  }
}

TEST(event_attribute, uri_references_are_told_from_other_text) {
  for (const char* good :
       {"/x", "x", "urn:a:b", "https://h:80/p?q#f", "a%20b", "//h", "x/a:b", "mailto:a@b.c"}) {
    EXPECT_TRUE(is_uri_reference(good)) << good;
  }
  for (const char* bad : {"", "a b", "a%2", "é", "a#b#c", "1:2", "a\"b", "{x}"}) {
    EXPECT_FALSE(is_uri_reference(bad)) << bad;
  }
  EXPECT_TRUE(is_uri("https://x") && is_uri("urn:x") && is_uri("x:"));
  EXPECT_FALSE(is_uri("/x") || is_uri(":x") || is_uri("1x:y") || is_uri("x y:z"));
}

TEST(event_attribute, header_values_are_encoded_as_the_binding_says) {
  EXPECT_EQ(encode_header("Euro € \U0001F600 100% \"q\""),
            "Euro%20%E2%82%AC%20%F0%9F%98%80%20100%25%20%22q%22");
  EXPECT_EQ(decode_header("Euro%20%E2%82%AC%20%F0%9F%98%80"), "Euro € \U0001F600");
  EXPECT_EQ(decode_header("\"a \\\"b\\\" %20\""), "a \"b\"  ");
  EXPECT_EQ(decode_header("50% \"q\" %zz %4"), "50% \"q\" %zz %4");
  EXPECT_EQ(decode_header(encode_header("%41 \"x\"")), "%41 \"x\"");
}

TEST(event_attribute, texts_hold_no_control_characters) {
  EXPECT_TRUE(is_attribute_text("plain, é, \U0001F600"));
  for (const char* bad : {"\x01", "\x7f", "\xc2\x85", "\xff", "\xef\xbf\xbe"}) {
    EXPECT_FALSE(is_attribute_text(bad));
  }
}

} // namespace
} // namespace skein::event
