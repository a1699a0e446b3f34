#include "schemas/writer.h"

#include <algorithm>

#include "core/value/utf8.h"
#include "schemas/value_text.h"

namespace skein::schemas {
namespace {

/// A builder or a text larger than this gives its memory back after use.
constexpr std::size_t kKept = 1u << 20;

Builder& thread_builder() {
  thread_local Builder builder(4096);
  return builder;
}

std::string& thread_text() {
  thread_local std::string text;
  return text;
}

} // namespace

Writer::Writer(const BlobSink* blobs) : out_(thread_builder()), blobs_(blobs) { out_.Clear(); }

TextOffset Writer::text(std::string_view text) {
  return text.empty() ? TextOffset() : required_text(text);
}

TextOffset Writer::required_text(std::string_view text) {
  return valid_utf8(text) ? out_.CreateString(text.data(), text.size())
                          : out_.CreateString(clean_utf8(text));
}

Offset<wire::Json> Writer::json(const Value& value) {
  if (value.is_null()) {
    return {};
  }
  std::string& text = thread_text();
  text.clear();
  const bool tagged = append_value(text, value);
  if (!valid_utf8(text)) {
    text = clean_utf8(text);
  }
  if (blobs_ == nullptr || text.size() <= kInlineLimit) {
    const TextOffset held = out_.CreateString(text.data(), text.size());
    return wire::CreateJson(out_, held, nullptr, tagged);
  }
  const ContentHash hash = content_hash(text);
  (*blobs_)(hash, text);
  if (text.capacity() > kKept) {
    text = std::string();
  }
  const wire::Hash held = to_wire(hash);
  return wire::CreateJson(out_, 0, &held, tagged);
}

Offset<wire::Failure> Writer::failure(const flow::Failure& failure) {
  const TextOffset code = text(failure.code);
  const TextOffset message = text(failure.message);
  const TextOffset hint = text(failure.hint);
  const TextOffset step = text(failure.step);
  return wire::CreateFailure(out_, code, message, hint, step, failure.retryable);
}

Offset<flatbuffers::Vector<std::uint32_t>> Writer::numbers(std::span<const std::uint32_t> numbers) {
  return numbers.empty() ? 0 : out_.CreateVector(numbers.data(), numbers.size());
}

std::string Writer::take() {
  std::string bytes(reinterpret_cast<const char*>(out_.GetBufferPointer()), out_.GetSize());
  if (bytes.size() > kKept) {
    out_.Reset();
  }
  return bytes;
}

wire::Hash to_wire(const ContentHash& hash) {
  return wire::Hash(flatbuffers::span<const std::uint8_t, 32>(hash.bytes.data(), 32));
}

const wire::Hash* or_absent(const wire::Hash& hash) {
  const auto* bytes = hash.bytes();
  return std::all_of(bytes->begin(), bytes->end(), [](std::uint8_t b) { return b == 0; }) ? nullptr
                                                                                          : &hash;
}

} // namespace skein::schemas
