#include "node/api/frames.h"

#include <gtest/gtest.h>

#include "core/value/json.h"

namespace skein::node {
namespace {

Entry entry_with(const std::string& output) {
  return Entry{RunId("run-1"), Seq(3),
               flow::Succeeded{Instant{5}, flow::Place{2, 0, {}}, 1, Value(output)}, Digest{1, 2},
               Digest{3, 4}};
}

std::string all() {
  FrameWriter frames;
  RunRecord record;
  record.id = RunId("run-1");
  record.output = object({{"at", Value::of_bytes("\x01\xff")}});
  frames.add(record);
  frames.add(entry_with("small"));
  frames.add(entry_with(std::string(100'000, 'x')));
  frames.add(entry_with(std::string(100'000, 'x')));
  frames.add(Seq(9));
  return frames.take();
}

TEST(FramesTest, what_travels_arrives_whole_and_a_large_payload_goes_once) {
  const std::string bytes = all();
  EXPECT_LT(bytes.size(), 110'000u);
  std::vector<Framed> parts;
  const auto read = read_frames(bytes, [&](Framed&& part) {
    parts.push_back(std::move(part));
    return true;
  });
  ASSERT_TRUE(read.ok()) << to_string(read.error());
  ASSERT_EQ(parts.size(), 5u);
  EXPECT_TRUE(std::get<RunRecord>(parts[0]).output.find("at")->is(Kind::bytes));
  EXPECT_EQ(std::get<flow::Succeeded>(std::get<Entry>(parts[1]).event).output, Value("small"));
  EXPECT_EQ(std::get<flow::Succeeded>(std::get<Entry>(parts[3]).event).output.as_string().size(),
            100'000u);
  EXPECT_EQ(std::get<Seq>(parts[4]), Seq(9));
}

TEST(FramesTest, bytes_that_are_cut_or_changed_are_refused) {
  const std::string bytes = all();
  for (std::size_t length : {std::size_t{1}, std::size_t{4}, std::size_t{40}, bytes.size() - 1}) {
    EXPECT_FALSE(read_frames(bytes.substr(0, length), [](Framed&&) { return true; }).ok())
        << length;
  }
  std::string changed = bytes;
  changed[bytes.find(std::string(1'000, 'x')) + 500] = 'y';
  EXPECT_EQ(read_frames(changed, [](Framed&&) { return true; }).error().code, Code::hash_mismatch);
  EXPECT_EQ(read_frames("?\x01\x02\x03", [](Framed&&) { return true; }).error().code,
            Code::wire_invalid);
}

TEST(FramesTest, another_kind_of_part_than_asked_for_is_refused) {
  FrameWriter frames;
  frames.add(Seq(1));
  EXPECT_EQ(all_of<Entry>(frames.take()).error().code, Code::wire_invalid);
}

} // namespace
} // namespace skein::node
