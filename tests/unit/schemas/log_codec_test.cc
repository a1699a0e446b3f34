#include "schemas/log_codec.h"
#include "schemas/node_codec.h"

#include <gtest/gtest.h>

#include "support/appends.h"

namespace skein::schemas {
namespace {

using test::at;
using test::entry_of;

Batch full_batch() {
  Append first = test::with_record(entry_of("a", 1, Value(std::string(100'000, 'x'))),
                                   test::record_of("a", RunState::running));
  first.arm = {TimerRow{RunId("a"), 1, at(10)}, TimerRow{RunId("a"), 2, at(20)}};
  first.open = {WaitRow{RunId("a"), WaitRow::What::approval, "ask/1"}};
  first.outbox = {OutboxRow{"id", "type", Value("message")}};
  Append second = entry_of("a", 2);
  second.disarm = {first.arm[0]};
  second.close = first.open;
  second.checkpoint = Checkpoint{RunId("a"), Seq(2), Digest{1, 2}, Value()};
  return test::batch_of({first, second, entry_of("a", 3)}, 4);
}

const Chain kChain{77, NodeId(5), LogIndex(9), content_hash("before")};

TEST(LogCodec, a_batch_comes_to_another_node_with_all_that_belongs_to_it) {
  const Batch sent = full_batch();
  const Sealed sealed = seal(sent, kChain);
  const auto opened = open_batch(sealed.bytes);
  ASSERT_TRUE(opened) << to_string(opened.error());
  EXPECT_EQ(opened->partition, sent.partition);
  EXPECT_EQ(opened->epoch, sent.epoch);
  EXPECT_EQ(opened->at, sent.at);
  EXPECT_EQ(opened->seal, sealed.seal);
  EXPECT_EQ(sealed.seal.first, LogIndex(10));
  EXPECT_EQ(sealed.seal.previous, kChain.hash);
  ASSERT_EQ(opened->appends.size(), 3u);
  const Append& first = opened->appends[0];
  EXPECT_EQ(first.arm, sent.appends[0].arm);
  EXPECT_EQ(first.open, sent.appends[0].open);
  ASSERT_EQ(first.outbox.size(), 1u);
  EXPECT_EQ(first.outbox[0].message, Value("message"));
  ASSERT_TRUE(first.record);
  EXPECT_EQ(first.record->state, RunState::running);
  EXPECT_EQ(std::get<flow::Created>(first.entry.event).input, Value(std::string(100'000, 'x')));
  EXPECT_EQ(opened->appends[1].disarm, sent.appends[1].disarm);
  EXPECT_EQ(opened->appends[1].close, sent.appends[1].close);
  ASSERT_TRUE(opened->appends[1].checkpoint);
  EXPECT_EQ(opened->appends[1].checkpoint->state, (Digest{1, 2}));
  // A replica that seals what it read comes to the same hash: the chain is verified by writing it.
  EXPECT_EQ(seal(*opened, kChain).seal, sealed.seal);
  ASSERT_EQ(opened->encoded.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(opened->encoded[i].bytes, sealed.entries[i].bytes);
    EXPECT_EQ(opened->encoded[i].hash, content_hash(sealed.entries[i].bytes));
    EXPECT_EQ(opened->encoded[i].blobs, sealed.entries[i].blobs);
  }
  EXPECT_EQ(sealed.entries[0].blobs.size(), 1u) << "the large input";
}

TEST(LogCodec, what_a_batch_claims_is_read_without_its_entries) {
  const Sealed sealed = seal(full_batch(), kChain);
  const auto claimed = claimed_by(sealed.bytes);
  ASSERT_TRUE(claimed);
  EXPECT_EQ(claimed->count, 3u);
  EXPECT_EQ(claimed->epoch, Epoch(4));
  EXPECT_EQ(claimed->seal, sealed.seal);
}

TEST(LogCodec, a_bundle_is_of_whole_batches_and_of_no_more_than_it_may_have) {
  LogBundle bundle;
  for (std::uint16_t p = 0; p < 3; ++p) {
    bundle.parts.push_back({PartitionId(p), content_hash("x"), 0, 1, std::string(p + 1U, 'x')});
  }
  const auto read = decode_message(encode_message(NodeId(7), bundle));
  ASSERT_TRUE(read);
  const auto& again = std::get<LogBundle>(read->message);
  ASSERT_EQ(again.parts.size(), 3U);
  EXPECT_EQ(again.parts[2].bytes, "xxx");
  EXPECT_EQ(again.parts[2].partition, PartitionId(2));
  bundle.parts[1].parts = 2;
  EXPECT_FALSE(decode_message(encode_message(NodeId(7), bundle)));
  bundle.parts.assign(kMostBundled + 1, LogPart{PartitionId(1), {}, 0, 1, "x"});
  EXPECT_FALSE(decode_message(encode_message(NodeId(7), bundle)));
}

TEST(LogCodec, a_part_that_no_batch_can_have_is_refused) {
  const auto read = [](std::uint32_t part, std::uint32_t parts) {
    return decode_message(
        encode_message(NodeId(7), LogPart{PartitionId(1), ContentHash{}, part, parts, "bytes"}));
  };
  EXPECT_TRUE(read(kMostParts - 1, kMostParts));
  for (const auto& [part, parts] : {std::pair{2U, 2U}, {0U, 0U}, {0U, kMostParts + 1}, {0U, ~0U}}) {
    const auto refused = read(part, parts);
    ASSERT_FALSE(refused) << part << " of " << parts;
    EXPECT_EQ(refused.error().code, Code::wire_invalid);
  }
}

TEST(LogCodec, every_truncation_and_every_flipped_bit_is_refused_or_changes_no_entry) {
  const Batch sent = test::batch_of({entry_of("a", 1), entry_of("a", 2)}, 4);
  const Sealed sealed = seal(sent, kChain);
  for (std::size_t end = 0; end < sealed.bytes.size(); ++end) {
    EXPECT_FALSE(open_batch(std::string_view(sealed.bytes).substr(0, end)));
  }
  std::size_t taken = 0;
  for (std::size_t bit = 0; bit < sealed.bytes.size() * 8; ++bit) {
    std::string bytes = sealed.bytes;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    if (const auto opened = open_batch(bytes)) { // padding, or a field with its default
      EXPECT_EQ(seal(*opened, kChain).seal, sealed.seal);
      ++taken;
    }
  }
  EXPECT_LT(taken, sealed.bytes.size());
}

} // namespace
} // namespace skein::schemas
