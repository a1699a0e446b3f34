#include <gtest/gtest.h>

#include "schemas/codec.h"
#include "unit/schemas/sample.h"

namespace skein::schemas {
namespace {

TEST(CheckpointCodec, a_checkpoint_comes_back_with_every_cell) {
  sample::Blobs blobs;
  const Checkpoint checkpoint = sample::checkpoint();
  const auto read = decode_checkpoint(encode_checkpoint(checkpoint, blobs.sink()), blobs.source());
  ASSERT_TRUE(read.ok()) << to_string(read.error());
  EXPECT_EQ(read->run, checkpoint.run);
  EXPECT_EQ(read->seq, checkpoint.seq);
  EXPECT_EQ(read->state, checkpoint.state);
  EXPECT_TRUE(sample::identical(read->cells, checkpoint.cells));
}

TEST(CheckpointCodec, an_unchanged_large_cell_is_kept_once) {
  sample::Blobs blobs;
  Checkpoint checkpoint = sample::checkpoint();
  const std::string first = encode_checkpoint(checkpoint, blobs.sink());
  checkpoint.seq = Seq{128};
  encode_checkpoint(checkpoint, blobs.sink());
  EXPECT_EQ(blobs.kept().size(), 1u);
  EXPECT_LT(first.size(), 400u);
}

TEST(CheckpointCodec, no_cells_and_an_empty_map_stay_apart) {
  sample::Blobs blobs;
  Checkpoint checkpoint = sample::checkpoint();
  for (const Value& cells : {Value(), Value::of_map({})}) {
    checkpoint.cells = cells;
    const auto read =
        decode_checkpoint(encode_checkpoint(checkpoint, blobs.sink()), blobs.source());
    ASSERT_TRUE(read.ok()) << to_string(read.error());
    EXPECT_TRUE(sample::identical(read->cells, cells));
  }
}

TEST(CheckpointCodec, a_hundred_thousand_cells_come_back) {
  sample::Blobs blobs;
  std::vector<MapEntry> cells;
  for (int i = 0; i < 100'000; ++i) {
    cells.emplace_back("step/" + std::to_string(i), object({{"n", i}}));
  }
  Checkpoint checkpoint = sample::checkpoint();
  checkpoint.cells = Value::of_map(std::move(cells));
  const auto read = decode_checkpoint(encode_checkpoint(checkpoint, blobs.sink()), blobs.source());
  ASSERT_TRUE(read.ok()) << to_string(read.error());
  EXPECT_TRUE(sample::identical(read->cells, checkpoint.cells));
}

TEST(CheckpointCodec, random_cells_come_back) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 1'000; ++i) {
    sample::Blobs blobs;
    Checkpoint checkpoint = sample::checkpoint();
    checkpoint.cells = object({{"a", sample::random_value(random, 4)},
                               {"b", sample::random_value(random, 4)},
                               {"c", sample::random_value(random, 4)}});
    const auto read =
        decode_checkpoint(encode_checkpoint(checkpoint, blobs.sink()), blobs.source());
    ASSERT_TRUE(read.ok()) << to_string(read.error());
    ASSERT_TRUE(sample::identical(read->cells, checkpoint.cells));
  }
}

TEST(CheckpointCodec, a_missing_blob_is_named) {
  sample::Blobs blobs;
  const std::string bytes = encode_checkpoint(sample::checkpoint(), blobs.sink());
  const auto read = decode_checkpoint(bytes, sample::Blobs().source());
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, Code::blob_missing);
}

} // namespace
} // namespace skein::schemas
