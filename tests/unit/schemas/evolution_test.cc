#include <gtest/gtest.h>

#include "evolution/newer_generated.h"
#include "evolution/older_generated.h"
#include "schemas/codec.h"
#include "unit/schemas/sample.h"

/// An older and a newer version of the envelope against this one, each way.
namespace skein::schemas {
namespace {

namespace older = evolution::older;
namespace newer = evolution::newer;

std::string take(flatbuffers::FlatBufferBuilder& builder) {
  return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
}

std::string older_bytes() {
  flatbuffers::FlatBufferBuilder b;
  const older::Fold fold({11, 12}, {13, 14});
  const auto run = b.CreateString("run-1");
  const auto output = older::CreateJson(b, b.CreateString("{\"n\":1}"));
  const auto payload = older::CreateStepSucceeded(b, 3, 0, output).Union();
  older::FinishEnvelopeBuffer(
      b, older::CreateEnvelope(b, run, 41, 1000, older::Payload::step_succeeded, payload, &fold));
  return take(b);
}

/// What both versions of the bytes say, in the words of this version.
Entry expected() {
  return {RunId{"run-1"}, Seq{41},
          flow::Succeeded{Instant{1000}, flow::Place{.step = 3}, 1, object({{"n", 1}})},
          Digest{11, 12}, Digest{13, 14}};
}

std::string newer_bytes(newer::Payload type) {
  flatbuffers::FlatBufferBuilder b;
  const newer::Fold fold({11, 12}, {13, 14});
  const newer::Hash signature;
  const auto run = b.CreateString("run-1");
  const auto region = b.CreateString("eu");
  const auto output = newer::CreateJson(b, b.CreateString("{\"n\":1}"), nullptr, false, region);
  const auto artifacts = b.CreateVector(&output, 1);
  const auto payload = type == newer::Payload::novelty
                           ? newer::CreateNovelty(b, region).Union()
                           : newer::CreateStepSucceeded(b, 3, 0, output, 900, artifacts).Union();
  newer::EnvelopeBuilder envelope(b);
  envelope.add_run_id(run);
  envelope.add_sequence(41);
  envelope.add_time(1000);
  envelope.add_payload_type(type);
  envelope.add_payload(payload);
  envelope.add_fold(&fold);
  envelope.add_region(region);
  envelope.add_priority(9);
  envelope.add_signature(&signature);
  newer::FinishEnvelopeBuffer(b, envelope.Finish());
  return take(b);
}

std::string our_bytes() {
  return encode_entry(expected(), [](const ContentHash&, std::string_view) {});
}

template <class Envelope>
const Envelope* opened(const std::string& bytes) {
  flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  return verifier.VerifyBuffer<Envelope>("SKEV") ? flatbuffers::GetRoot<Envelope>(bytes.data())
                                                 : nullptr;
}

TEST(Evolution, bytes_of_an_older_version_are_read) {
  const auto read = decode_entry(older_bytes(), {});
  ASSERT_TRUE(read.ok()) << to_string(read.error());
  EXPECT_TRUE(sample::identical(*read, expected()));
}

TEST(Evolution, bytes_of_a_newer_version_are_read_without_what_is_new) {
  const auto read = decode_entry(newer_bytes(newer::Payload::step_succeeded), {});
  ASSERT_TRUE(read.ok()) << to_string(read.error());
  EXPECT_TRUE(sample::identical(*read, expected()));
}

TEST(Evolution, a_payload_of_a_newer_version_is_refused_by_name) {
  const auto read = decode_entry(newer_bytes(newer::Payload::novelty), {});
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, Code::wire_version);
  EXPECT_FALSE(read.error().hint.empty());
}

TEST(Evolution, our_bytes_are_read_by_an_older_version) {
  const std::string bytes = our_bytes();
  const auto* envelope = opened<older::Envelope>(bytes);
  ASSERT_NE(envelope, nullptr);
  EXPECT_EQ(envelope->run_id()->str(), "run-1");
  ASSERT_EQ(envelope->payload_type(), older::Payload::step_succeeded);
  EXPECT_EQ(envelope->payload_as_step_succeeded()->output()->text()->str(), "{\"n\":1}");
}

TEST(Evolution, our_bytes_are_read_by_a_newer_version) {
  const std::string bytes = our_bytes();
  const auto* envelope = opened<newer::Envelope>(bytes);
  ASSERT_NE(envelope, nullptr);
  EXPECT_EQ(envelope->sequence(), 41u);
  EXPECT_EQ(envelope->region(), nullptr);
  ASSERT_EQ(envelope->payload_type(), newer::Payload::step_succeeded);
  EXPECT_EQ(envelope->payload_as_step_succeeded()->tokens(), 0u);
}

TEST(Evolution, a_schema_version_that_older_readers_would_misunderstand_is_refused) {
  flatbuffers::FlatBufferBuilder b;
  newer::EnvelopeBuilder envelope(b);
  envelope.add_schema_version(2);
  newer::FinishEnvelopeBuffer(b, envelope.Finish());
  const auto read = decode_entry(take(b), {});
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, Code::wire_version);
}

} // namespace
} // namespace skein::schemas
