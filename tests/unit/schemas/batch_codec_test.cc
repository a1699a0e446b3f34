#include <gtest/gtest.h>

#include "schemas/codec.h"
#include "unit/schemas/sample.h"

namespace skein::schemas {
namespace {

TEST(BatchCodec, a_batch_comes_back_with_every_field) {
  const BatchHeader header = sample::batch();
  const auto read = decode_batch(encode_batch(header));
  ASSERT_TRUE(read.ok()) << to_string(read.error());
  EXPECT_EQ(*read, header);
}

TEST(BatchCodec, an_empty_batch_comes_back) {
  BatchHeader header;
  header.hash = hash_of(header);
  const auto read = decode_batch(encode_batch(header));
  ASSERT_TRUE(read.ok()) << to_string(read.error());
  EXPECT_EQ(*read, header);
}

TEST(BatchCodec, every_field_changes_the_hash) {
  const BatchHeader header = sample::batch();
  std::vector<BatchHeader> changed(14, header);
  changed[0].format = 2;
  changed[1].incarnation ^= 1;
  changed[2].partition = PartitionId{6};
  changed[3].epoch = Epoch{4};
  changed[4].node = NodeId{1};
  changed[5].first = LogIndex{1002};
  changed[6].at.ms += 1;
  changed[7].previous.bytes[31] ^= 1;
  changed[8].entries.pop_back();
  changed[9].entries[0].run = RunId{"a-2"};
  changed[10].entries[1].seq = Seq{6};
  changed[11].entries[2].hash.bytes[0] ^= 1;
  std::swap(changed[12].entries[0], changed[12].entries[1]);
  changed[13].entries[0].run = RunId{"a"};
  for (std::size_t i = 0; i < changed.size(); ++i) {
    EXPECT_NE(hash_of(changed[i]), header.hash) << i;
  }
}

// The expected text was computed from docs/formats.md with another program.
TEST(BatchCodec, the_hash_of_a_batch_is_fixed_for_ever) {
  EXPECT_EQ(to_string(sample::batch().hash),
            "sha256:51209f3febaa5447b7998c53692130b752566aec3793de03a69e067d8c20a040");
}

TEST(BatchCodec, every_changed_byte_is_found_or_changes_nothing) {
  const BatchHeader header = sample::batch();
  const std::string bytes = encode_batch(header);
  std::size_t found = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      const auto read = decode_batch(damaged);
      found += read.ok() ? 0 : 1;
      if (read.ok()) {
        EXPECT_EQ(*read, header) << "byte " << i << " bit " << bit;
      }
    }
  }
  EXPECT_GT(found, bytes.size() * 6);
}

TEST(BatchCodec, a_batch_that_does_not_match_its_hash_is_refused_by_name) {
  std::string bytes = encode_batch(sample::batch());
  bytes[bytes.find("b-2")] = 'c';
  const auto read = decode_batch(bytes);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, Code::hash_mismatch);
}

TEST(BatchCodec, a_batch_of_a_newer_format_is_refused_by_name) {
  BatchHeader header = sample::batch();
  header.format = 2;
  header.hash = hash_of(header);
  const auto read = decode_batch(encode_batch(header));
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, Code::wire_version);
}

} // namespace
} // namespace skein::schemas
