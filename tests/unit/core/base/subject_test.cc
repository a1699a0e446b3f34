#include "core/base/subject.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

using namespace skein;

namespace {

std::string random_text(std::mt19937& random) {
  static const std::vector<std::string> kPieces = {
      "a",  "Z",    "9", "_",    "-",  " ",    ".",       "*",  ">",
      "\t", "\r\n", "é", "\xff", "\0", "h32-", "PUB x 0", "ａ", std::string(70, 'q')};
  std::string text;
  for (auto n = random() % 6; n > 0; --n) {
    text += kPieces[random() % kPieces.size()];
  }
  return text;
}

TEST(subject, texts_that_are_tokens_stay_as_they_are) {
  for (const char* text : {"a", "incident-triage_7", "A-Z", "0"}) {
    EXPECT_EQ(to_token(text), text);
  }
  EXPECT_EQ(to_token(std::string(64, 'x')), std::string(64, 'x'));
}

TEST(subject, texts_that_could_do_harm_become_a_hash) {
  for (const std::string& text :
       {std::string("a b"), std::string("*"), std::string(">"), std::string("a.b"), std::string(),
        std::string("a 1\r\ny\r\nPUB evil.subj 0\r\n"), std::string(300, 'x'),
        std::string("\u0430dmin"), std::string("a\0b", 3)}) {
    const std::string token = to_token(text);
    EXPECT_TRUE(token.starts_with(kHashedToken)) << text;
    EXPECT_TRUE(is_token(token)) << token;
  }
}

TEST(subject, a_text_that_looks_like_a_hash_is_hashed_itself) {
  const std::string hashed = to_token("other tenant");
  EXPECT_NE(to_token(hashed), hashed);
}

TEST(subject, any_two_texts_have_tokens_of_their_own_and_any_token_is_safe) {
  std::mt19937 random(20261121);
  std::set<std::string> texts;
  std::set<std::string> tokens;
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = random_text(random);
    texts.insert(text);
    const std::string token = to_token(text);
    ASSERT_TRUE(is_token(token)) << token;
    tokens.insert(token);
    ASSERT_TRUE(check_subject(Subject("skein").add(text).add_dotted(text).text()));
  }
  EXPECT_EQ(texts.size(), tokens.size());
}

TEST(subject, a_text_from_outside_adds_exactly_one_token) {
  std::mt19937 random(7);
  for (int i = 0; i < 5'000; ++i) {
    const std::string subject = Subject("skein").add(random_text(random)).add("event").text();
    ASSERT_EQ(subject_tokens(subject).size(), 3u) << subject;
    ASSERT_TRUE(subject_matches("skein.*.event", subject));
  }
}

TEST(subject, the_dots_of_a_type_part_tokens) {
  EXPECT_EQ(Subject("skein").add("acme").add("event").add_dotted("alert.fired").text(),
            "skein.acme.event.alert.fired");
  EXPECT_EQ(subject_tokens(Subject("s").add_dotted("a..b").text()).size(), 4u);
  EXPECT_EQ(subject_tokens(Subject("s").add_dotted(std::string(40, '.')).text()).size(), 2u);
}

TEST(subject, wildcards_come_only_where_they_were_asked_for) {
  EXPECT_EQ(Subject("skein").any().add("event").rest().text(), "skein.*.event.>");
  Subject pattern("skein");
  ASSERT_TRUE(add_pattern(pattern, "alert.*.**"));
  EXPECT_EQ(pattern.text(), "skein.alert.*.>");
  Subject wrong("skein");
  EXPECT_EQ(add_pattern(wrong, "**.alert").error().code, Code::subject_invalid);
}

TEST(subject, what_the_protocol_cannot_carry_is_refused) {
  for (const std::string& subject :
       {std::string(), std::string("a b"), std::string("a..b"), std::string(".a"),
        std::string("a."), std::string("a.*"), std::string("a.>"), std::string("a\r\nPUB b 0"),
        std::string(1025, 'a'), std::string("caf\u00e9"), std::string("a\x7f"),
        std::string("a*b")}) {
    const auto checked = check_subject(subject);
    ASSERT_FALSE(checked) << subject;
    EXPECT_EQ(checked.error().code, Code::subject_invalid);
  }
  EXPECT_TRUE(check_subject("$JS.API.INFO"));
  EXPECT_TRUE(check_filter("a.*.b.>"));
  EXPECT_FALSE(check_filter("a.>.b"));
  EXPECT_FALSE(check_filter("a.b*"));
}

TEST(subject, filters_take_what_the_broker_would_deliver) {
  EXPECT_TRUE(subject_matches("a.*.c", "a.b.c"));
  EXPECT_TRUE(subject_matches("a.>", "a.b.c"));
  EXPECT_TRUE(subject_matches(">", "a"));
  EXPECT_FALSE(subject_matches("a.>", "a"));
  EXPECT_FALSE(subject_matches("a.*", "a.b.c"));
  EXPECT_FALSE(subject_matches("a.b.c", "a.b"));
  EXPECT_FALSE(subject_matches("a.b", "a.bc"));
  EXPECT_FALSE(subject_matches("a.b", "a.b.c"));
}

} // namespace
