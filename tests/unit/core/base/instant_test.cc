#include "core/base/instant.h"

#include <gtest/gtest.h>

namespace skein {
namespace {

TEST(Instant, is_written_with_milliseconds_in_utc) {
  EXPECT_EQ(to_string(Instant{0}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(to_string(Instant{1795251600123}), "2026-11-21T09:00:00.123Z");
}

TEST(Instant, is_read_with_any_offset) {
  EXPECT_EQ(parse_instant("2026-11-21T10:00:00+01:00")->ms,
            parse_instant("2026-11-21T09:00:00Z")->ms);
  EXPECT_EQ(parse_instant("2026-11-21T09:00:00.123Z")->ms % 1000, 123);
}

TEST(Instant, is_refused_with_a_hint_where_it_is_no_time) {
  for (const char* text : {"", "tomorrow", "2026-13-01T00:00:00Z", "2026-11-21T09:00:00Zx"}) {
    const auto at = parse_instant(text);
    ASSERT_FALSE(at.ok()) << text;
    EXPECT_EQ(at.error().code, Code::resource_value_invalid);
    EXPECT_FALSE(at.error().hint.empty());
  }
}

TEST(Millis, reads_sums_of_units_and_writes_them_back) {
  for (const char* text : {"0s", "250ms", "10s", "5m", "2h", "7d", "1h30m", "1d2h3m4s5ms"}) {
    const auto span = parse_millis(text);
    ASSERT_TRUE(span.ok()) << text;
    EXPECT_EQ(to_string(*span), text);
  }
}

TEST(Millis, refuses_what_is_no_duration) {
  for (const char* text : {"", "5", "s", "-5s", "5x", "5m1h", "1s1s", "99999999999999d", "5 s"}) {
    EXPECT_FALSE(parse_millis(text).ok()) << text;
  }
}

} // namespace
} // namespace skein
