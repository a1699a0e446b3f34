#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <optional>

#include "schemas/codec.h"
#include "unit/schemas/sample.h"

namespace skein::schemas {
namespace {

using Refusal = std::optional<Error>;

/// One kind of bytes: an example, and how it is read.
struct Subject {
  std::string name;
  std::string bytes;
  std::function<Refusal(std::string_view)> read;
};

template <class T>
Refusal refusal(const Result<T>& result) {
  return result ? Refusal() : result.error();
}

std::vector<Subject> subjects() {
  static sample::Blobs blobs;
  const BlobSource source = blobs.source();
  std::vector<Subject> all;
  for (const Entry& entry : sample::every_entry()) {
    all.push_back({std::string(flow::kind_of(entry.event)), encode_entry(entry, blobs.sink()),
                   [source](auto bytes) { return refusal(decode_entry(bytes, source)); }});
  }
  all.push_back({"record", encode_record(sample::record(), blobs.sink()),
                 [source](auto bytes) { return refusal(decode_record(bytes, source)); }});
  all.push_back({"checkpoint", encode_checkpoint(sample::checkpoint(), blobs.sink()),
                 [source](auto bytes) { return refusal(decode_checkpoint(bytes, source)); }});
  all.push_back({"batch", encode_batch(sample::batch()),
                 [](auto bytes) { return refusal(decode_batch(bytes)); }});
  all.push_back({"outbox", encode_outbox(sample::outbox()),
                 [](auto bytes) { return refusal(decode_outbox(bytes)); }});
  all.push_back({"resource", encode_resource(sample::resource()),
                 [](auto bytes) { return refusal(decode_resource(bytes)); }});
  return all;
}

/// Reads from a block of exactly this size, so a read past the end is seen by a sanitizer.
Refusal read_tight(const Subject& subject, std::string_view bytes) {
  const std::vector<char> tight(bytes.begin(), bytes.end());
  return subject.read({tight.data(), tight.size()});
}

/// What may be missing at the end: it fills the last word up and is never read.
bool is_padding(std::string_view rest) {
  return rest.size() < 4 && rest.find_first_not_of('\0') == std::string_view::npos;
}

bool is_wire_error(const Refusal& refused) {
  return refused && (refused->code == Code::wire_invalid || refused->code == Code::wire_limit ||
                     refused->code == Code::wire_version || refused->code == Code::hash_mismatch ||
                     refused->code == Code::blob_missing);
}

TEST(HostileBytes, bytes_cut_off_at_any_offset_are_refused) {
  for (const Subject& subject : subjects()) {
    ASSERT_FALSE(subject.read(subject.bytes)) << subject.name;
    for (std::size_t size = 0; size < subject.bytes.size(); ++size) {
      const Refusal refused = read_tight(subject, subject.bytes.substr(0, size));
      ASSERT_TRUE(is_wire_error(refused) || is_padding(subject.bytes.substr(size)))
          << subject.name << " cut at " << size;
    }
  }
}

TEST(HostileBytes, every_single_flipped_bit_is_refused_or_read) {
  for (const Subject& subject : subjects()) {
    for (std::size_t bit = 0; bit < subject.bytes.size() * 8; ++bit) {
      std::string damaged = subject.bytes;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
      const Refusal refused = read_tight(subject, damaged);
      ASSERT_TRUE(!refused || is_wire_error(refused)) << to_string(*refused);
    }
  }
}

TEST(HostileBytes, a_hundred_thousand_random_damages_are_refused_or_read) {
  std::mt19937_64 random(1202);
  const std::vector<Subject> all = subjects();
  for (int round = 0; round < 100'000; ++round) {
    const Subject& subject = all[random() % all.size()];
    std::string damaged = subject.bytes;
    for (std::uint64_t n = 1 + random() % 6; n > 0; --n) {
      damaged[random() % damaged.size()] = static_cast<char>(random());
    }
    const Refusal refused = read_tight(subject, damaged);
    ASSERT_TRUE(!refused || is_wire_error(refused)) << to_string(*refused);
  }
}

TEST(HostileBytes, offsets_and_lengths_set_to_extremes_are_refused_or_read) {
  for (const Subject& subject : subjects()) {
    for (const std::uint32_t extreme : {0u, 1u, 0x7FFFFFFFu, 0x80000000u, 0xFFFFFFFFu}) {
      for (std::size_t i = 0; i + 4 <= subject.bytes.size(); i += 2) {
        std::string damaged = subject.bytes;
        std::memcpy(damaged.data() + i, &extreme, 4);
        const Refusal refused = read_tight(subject, damaged);
        ASSERT_TRUE(!refused || is_wire_error(refused)) << to_string(*refused);
      }
    }
  }
}

TEST(HostileBytes, a_table_whose_vtable_lies_outside_is_refused) {
  for (const Subject& subject : subjects()) {
    std::uint32_t root = 0;
    std::memcpy(&root, subject.bytes.data(), 4);
    for (const std::int32_t offset : {-0x7FFFFFFF, 0x7FFFFFFF, 1, -1'000'000, 1'000'000}) {
      std::string damaged = subject.bytes;
      std::memcpy(damaged.data() + root, &offset, 4);
      ASSERT_TRUE(is_wire_error(read_tight(subject, damaged))) << subject.name << offset;
    }
  }
}

TEST(HostileBytes, no_kind_is_read_as_another) {
  const std::vector<Subject> all = subjects();
  for (const Subject& subject : all) {
    for (const Subject& other : all) {
      if (subject.bytes.substr(4, 4) != other.bytes.substr(4, 4)) {
        const Refusal refused = subject.read(other.bytes);
        ASSERT_TRUE(refused) << subject.name << " read " << other.name;
        EXPECT_EQ(refused->code, Code::wire_invalid);
      }
    }
  }
}

TEST(HostileBytes, bytes_at_an_odd_address_are_read) {
  for (const Subject& subject : subjects()) {
    for (std::size_t shift = 1; shift < 8; ++shift) {
      const std::string moved = std::string(shift, '#') + subject.bytes;
      EXPECT_FALSE(subject.read(std::string_view(moved).substr(shift))) << subject.name;
    }
  }
}

TEST(HostileBytes, text_that_is_not_utf8_is_refused) {
  const Subject entry = subjects()[9]; // run.cancel_asked: by, reason
  std::string damaged = entry.bytes;
  damaged[damaged.find("wrong file")] = '\xFF';
  const Refusal refused = entry.read(damaged);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->code, Code::wire_invalid);
}

TEST(HostileBytes, more_than_the_limit_is_refused_unread) {
  for (const Subject& subject : subjects()) {
    if (subject.name == "checkpoint" || subject.name == "outbox") {
      continue;
    }
    const Refusal refused = subject.read(subject.bytes + std::string((16u << 20) + 1, '\0'));
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->code, Code::wire_limit);
  }
}

} // namespace
} // namespace skein::schemas
