#include <gtest/gtest.h>

#include "schemas/codec.h"
#include "unit/schemas/sample.h"

namespace skein::schemas {
namespace {

void expect_same(const RunRecord& a, const RunRecord& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.definition, b.definition);
  EXPECT_EQ(a.revision, b.revision);
  EXPECT_EQ(a.state, b.state);
  EXPECT_EQ(a.reason, b.reason);
  EXPECT_EQ(a.waiting_for, b.waiting_for);
  EXPECT_EQ(a.parent, b.parent);
  EXPECT_TRUE(sample::identical(a.labels, b.labels));
  EXPECT_TRUE(sample::identical(a.output, b.output));
  EXPECT_EQ(a.failure, b.failure);
  EXPECT_EQ(a.created_at, b.created_at);
  EXPECT_EQ(a.updated_at, b.updated_at);
  EXPECT_EQ(a.steps, b.steps);
}

TEST(RecordCodec, a_record_comes_back_with_every_field) {
  sample::Blobs blobs;
  const auto read = decode_record(encode_record(sample::record(), blobs.sink()), blobs.source());
  ASSERT_TRUE(read.ok()) << to_string(read.error());
  expect_same(*read, sample::record());
}

TEST(RecordCodec, an_almost_empty_record_comes_back) {
  sample::Blobs blobs;
  RunRecord record;
  record.id = RunId{"r"};
  record.kind = "agent";
  const auto read = decode_record(encode_record(record, blobs.sink()), blobs.source());
  ASSERT_TRUE(read.ok()) << to_string(read.error());
  expect_same(*read, record);
}

TEST(RecordCodec, every_state_comes_back) {
  sample::Blobs blobs;
  for (int state = 0; state <= static_cast<int>(RunState::cancelled); ++state) {
    RunRecord record = sample::record();
    record.state = static_cast<RunState>(state);
    const auto read = decode_record(encode_record(record, blobs.sink()), blobs.source());
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read->state, record.state);
  }
}

TEST(RecordCodec, a_state_without_a_name_is_refused) {
  sample::Blobs blobs;
  RunRecord record = sample::record();
  record.state = static_cast<RunState>(7);
  const auto read = decode_record(encode_record(record, blobs.sink()), blobs.source());
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, Code::wire_invalid);
}

TEST(RecordCodec, a_run_id_that_is_empty_or_holds_spaces_is_refused) {
  sample::Blobs blobs;
  for (const char* id : {"", "a b", "a\n", "\xC3\xA9"}) {
    RunRecord record = sample::record();
    record.id = RunId{id};
    const auto read = decode_record(encode_record(record, blobs.sink()), blobs.source());
    ASSERT_FALSE(read.ok()) << id;
    EXPECT_EQ(read.error().code, Code::wire_invalid);
  }
}

TEST(RowCodec, an_outbox_row_comes_back) {
  const OutboxRow row = sample::outbox();
  const auto read = decode_outbox(encode_outbox(row));
  ASSERT_TRUE(read.ok()) << to_string(read.error());
  EXPECT_EQ(read->id, row.id);
  EXPECT_EQ(read->destination, row.destination);
  EXPECT_TRUE(sample::identical(read->message, row.message));
}

TEST(RowCodec, a_large_message_stays_in_its_outbox_row) {
  OutboxRow row = sample::outbox();
  row.message = std::string(10 * kInlineLimit, 'x');
  const auto read = decode_outbox(encode_outbox(row));
  ASSERT_TRUE(read.ok()) << to_string(read.error());
  EXPECT_TRUE(sample::identical(read->message, row.message));
}

TEST(RowCodec, a_resource_comes_back) {
  const ResourceRow row = sample::resource();
  const auto read = decode_resource(encode_resource(row));
  ASSERT_TRUE(read.ok()) << to_string(read.error());
  EXPECT_EQ(read->kind, row.kind);
  EXPECT_EQ(read->name, row.name);
  EXPECT_EQ(read->revision, row.revision);
  EXPECT_EQ(read->hash, row.hash);
  EXPECT_EQ(read->content, row.content);
  EXPECT_EQ(read->applied_at, row.applied_at);
  EXPECT_EQ(read->deleted, row.deleted);
}

} // namespace
} // namespace skein::schemas
