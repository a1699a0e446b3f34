#include "storage/layout/rocks_key.h"

#include <cassert>

namespace skein::storage {
namespace {

constexpr std::uint64_t kSign = 1ull << 63;
constexpr std::size_t kLongestRunId = 128;

void append(std::string& out, std::uint64_t value, std::size_t width) {
  char digits[8];
  for (std::size_t i = 0; i < width; ++i) {
    digits[i] = static_cast<char>(value >> (8 * (width - 1 - i)));
  }
  out.append(digits, width);
}

std::uint64_t ordered(Instant at) { return static_cast<std::uint64_t>(at.ms) ^ kSign; }

} // namespace

Key& Key::start(std::uint16_t partition, Table table) {
  bytes_.clear();
  append(bytes_, partition, 2);
  bytes_.push_back(static_cast<char>(table));
  return *this;
}

Key& Key::byte(std::uint8_t value) {
  bytes_.push_back(static_cast<char>(value));
  return *this;
}

Key& Key::u32(std::uint32_t value) {
  append(bytes_, value, 4);
  return *this;
}

Key& Key::u64(std::uint64_t value) {
  append(bytes_, value, 8);
  return *this;
}

Key& Key::bytes(std::string_view value) {
  bytes_.append(value);
  return *this;
}

Key& Key::text(std::string_view value) {
  assert(value.find('\0') == std::string_view::npos);
  bytes_.append(value);
  bytes_.push_back('\0');
  return *this;
}

Key& Key::due(Instant at) { return u64(ordered(at)); }
Key& Key::newest(Instant at) { return u64(~ordered(at)); }

std::optional<std::uint64_t> KeyReader::number(std::size_t width) {
  const auto digits = bytes(width);
  if (!digits) {
    return std::nullopt;
  }
  std::uint64_t value = 0;
  for (const char digit : *digits) {
    value = value << 8 | static_cast<std::uint8_t>(digit);
  }
  return value;
}

std::optional<std::uint8_t> KeyReader::byte() {
  const auto value = number(1);
  return value ? std::optional(static_cast<std::uint8_t>(*value)) : std::nullopt;
}

std::optional<std::uint32_t> KeyReader::u32() {
  const auto value = number(4);
  return value ? std::optional(static_cast<std::uint32_t>(*value)) : std::nullopt;
}

std::optional<std::uint64_t> KeyReader::u64() { return number(8); }

std::optional<Instant> KeyReader::due() {
  const auto value = u64();
  return value ? std::optional(Instant{static_cast<std::int64_t>(*value ^ kSign)}) : std::nullopt;
}

std::optional<std::string_view> KeyReader::text() {
  const std::size_t end = rest_.find('\0');
  if (end == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view value = rest_.substr(0, end);
  rest_.remove_prefix(end + 1);
  return value;
}

std::optional<std::string_view> KeyReader::bytes(std::size_t count) {
  if (rest_.size() < count) {
    return std::nullopt;
  }
  const std::string_view value = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return value;
}

std::string after_all(std::string_view prefix) {
  std::string next(prefix);
  while (!next.empty() && next.back() == '\xff') {
    next.pop_back();
  }
  assert(!next.empty());
  ++next.back();
  return next;
}

bool fits_key(const RunId& run) {
  const std::string& id = run.get();
  return !id.empty() && id.size() <= kLongestRunId && id.find('\0') == std::string::npos;
}

} // namespace skein::storage
