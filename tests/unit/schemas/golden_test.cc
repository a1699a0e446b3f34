#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "schemas/codec.h"
#include "unit/schemas/sample.h"

/// Bytes that were written once must be read for ever, and must not change by accident.
/// `SKEIN_BLESS=1 test_schemas --gtest_filter=Golden.*` writes them anew after a change on purpose.
namespace skein::schemas {
namespace {

std::string hex_of(std::string_view bytes) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    text += kHex[byte >> 4];
    text += kHex[byte & 0xF];
    text += i % 16 == 15 ? '\n' : ' ';
  }
  return text + "\n";
}

std::string read_file(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string bytes_of(const std::string& hex) {
  std::istringstream in(hex);
  std::string bytes;
  for (unsigned byte = 0; in >> std::hex >> byte;) {
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

/// The bytes that are kept under the name, after comparing what is written today with them.
std::string expect_golden(const std::string& name, const std::string& written) {
  const std::string path = std::string(SKEIN_GOLDEN) + "/wire/" + name + ".hex";
  if (std::getenv("SKEIN_BLESS") != nullptr) {
    std::ofstream(path) << hex_of(written);
  }
  const std::string kept = read_file(path);
  EXPECT_EQ(hex_of(written), kept) << name << ": the bytes have changed";
  return bytes_of(kept);
}

TEST(Golden, entries_keep_their_bytes_and_are_read) {
  sample::Blobs blobs;
  for (const Entry& entry : sample::every_entry()) {
    std::string name = "entry_" + std::string(flow::kind_of(entry.event));
    std::replace(name.begin(), name.end(), '.', '_');
    const auto read =
        decode_entry(expect_golden(name, encode_entry(entry, blobs.sink())), blobs.source());
    ASSERT_TRUE(read.ok()) << name << ": " << to_string(read.error());
    EXPECT_TRUE(sample::identical(*read, entry)) << name;
  }
}

TEST(Golden, batches_keep_their_bytes_and_are_read) {
  const auto read = decode_batch(expect_golden("batch", encode_batch(sample::batch())));
  ASSERT_TRUE(read.ok()) << to_string(read.error());
  EXPECT_EQ(*read, sample::batch());
}

TEST(Golden, records_checkpoints_and_rows_keep_their_bytes_and_are_read) {
  sample::Blobs blobs;
  EXPECT_TRUE(decode_record(expect_golden("record", encode_record(sample::record(), blobs.sink())),
                            blobs.source())
                  .ok());
  const std::string checkpoint = encode_checkpoint(sample::checkpoint(), blobs.sink());
  EXPECT_TRUE(decode_checkpoint(expect_golden("checkpoint", checkpoint), blobs.source()).ok());
  EXPECT_TRUE(decode_outbox(expect_golden("outbox", encode_outbox(sample::outbox()))).ok());
  EXPECT_TRUE(decode_resource(expect_golden("resource", encode_resource(sample::resource()))).ok());
}

} // namespace
} // namespace skein::schemas
