#include <gtest/gtest.h>

#include "schemas/codec.h"
#include "unit/schemas/sample.h"

namespace skein::schemas {
namespace {

TEST(EntryCodec, every_event_comes_back_with_every_field) {
  sample::Blobs blobs;
  for (const Entry& entry : sample::every_entry()) {
    const auto read = decode_entry(encode_entry(entry, blobs.sink()), blobs.source());
    ASSERT_TRUE(read.ok()) << flow::kind_of(entry.event) << ": " << to_string(read.error());
    EXPECT_TRUE(sample::identical(entry, *read)) << flow::kind_of(entry.event);
  }
  EXPECT_TRUE(blobs.kept().empty());
}

TEST(EntryCodec, every_event_with_empty_fields_comes_back) {
  sample::Blobs blobs;
  for (Entry entry : sample::every_entry()) {
    entry.event =
        std::visit([](const auto& event) -> flow::Event { return std::decay_t<decltype(event)>{}; },
                   entry.event);
    const auto read = decode_entry(encode_entry(entry, blobs.sink()), blobs.source());
    ASSERT_TRUE(read.ok()) << flow::kind_of(entry.event) << ": " << to_string(read.error());
    EXPECT_TRUE(sample::identical(entry, *read)) << flow::kind_of(entry.event);
  }
}

TEST(EntryCodec, equal_entries_give_equal_bytes) {
  sample::Blobs blobs;
  for (const Entry& entry : sample::every_entry()) {
    const std::string first = encode_entry(entry, blobs.sink());
    encode_record(sample::record(), blobs.sink());
    EXPECT_EQ(first, encode_entry(entry, blobs.sink())) << flow::kind_of(entry.event);
  }
}

TEST(EntryCodec, a_usual_entry_stays_small) {
  sample::Blobs blobs;
  EXPECT_LE(encode_entry(sample::usual_entry(), blobs.sink()).size(), 220u);
}

TEST(EntryCodec, a_payload_over_the_inline_limit_travels_as_its_hash) {
  sample::Blobs blobs;
  Entry entry = sample::usual_entry();
  std::get<flow::Succeeded>(entry.event).output = std::string(kInlineLimit, 'x');
  const std::string bytes = encode_entry(entry, blobs.sink());
  EXPECT_LT(bytes.size(), 300u);
  EXPECT_EQ(blobs.kept().size(), 1u);
  const auto read = decode_entry(bytes, blobs.source());
  ASSERT_TRUE(read.ok());
  EXPECT_TRUE(sample::identical(entry, *read));
}

TEST(EntryCodec, a_payload_at_the_inline_limit_stays_in_the_entry) {
  sample::Blobs blobs;
  Entry entry = sample::usual_entry();
  std::get<flow::Succeeded>(entry.event).output = std::string(kInlineLimit - 2, 'x');
  EXPECT_GT(encode_entry(entry, blobs.sink()).size(), kInlineLimit);
  EXPECT_TRUE(blobs.kept().empty());
}

TEST(EntryCodec, a_large_payload_keeps_kinds_that_json_has_not) {
  sample::Blobs blobs;
  Entry entry = sample::usual_entry();
  std::get<flow::Succeeded>(entry.event).output = Value::of_bytes(std::string(100'000, '\xFF'));
  const auto read = decode_entry(encode_entry(entry, blobs.sink()), blobs.source());
  ASSERT_TRUE(read.ok());
  EXPECT_TRUE(sample::identical(entry, *read));
}

TEST(EntryCodec, a_missing_blob_is_named) {
  sample::Blobs blobs;
  Entry entry = sample::usual_entry();
  std::get<flow::Succeeded>(entry.event).output = std::string(kInlineLimit, 'x');
  const std::string bytes = encode_entry(entry, blobs.sink());
  const auto read = decode_entry(bytes, sample::Blobs().source());
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, Code::blob_missing);
}

TEST(EntryCodec, a_blob_with_other_contents_is_refused) {
  sample::Blobs blobs;
  Entry entry = sample::usual_entry();
  std::get<flow::Succeeded>(entry.event).output = std::string(kInlineLimit, 'x');
  const std::string bytes = encode_entry(entry, blobs.sink());
  blobs.kept().begin()->second[5] = 'y';
  const auto read = decode_entry(bytes, blobs.source());
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, Code::hash_mismatch);
}

TEST(EntryCodec, text_that_is_not_utf8_is_kept_readable) {
  sample::Blobs blobs;
  Entry entry = sample::usual_entry();
  entry.event = flow::CancelAsked{Instant{1}, "ana", "caf\xE9"};
  const auto read = decode_entry(encode_entry(entry, blobs.sink()), blobs.source());
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(std::get<flow::CancelAsked>(read->event).reason, "caf\xEF\xBF\xBD");
}

TEST(EntryCodec, random_values_come_back_from_every_place_that_holds_one) {
  sample::Blobs blobs;
  std::mt19937_64 random(11);
  for (int i = 0; i < 2'000; ++i) {
    Entry entry = sample::usual_entry();
    entry.event = flow::Created{Instant{1},
                                "f",
                                {},
                                1,
                                random(),
                                sample::random_value(random, 4),
                                sample::random_value(random, 2),
                                ""};
    const auto read = decode_entry(encode_entry(entry, blobs.sink()), blobs.source());
    ASSERT_TRUE(read.ok()) << to_string(read.error());
    ASSERT_TRUE(sample::identical(entry, *read));
  }
}

} // namespace
} // namespace skein::schemas
