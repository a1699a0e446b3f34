#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/flow/event.h"
#include "schemas/codec.h"
#include "schemas/wire/types_generated.h"

namespace skein::schemas {

using Builder = flatbuffers::FlatBufferBuilder;
template <class T>
using Offset = flatbuffers::Offset<T>;
using TextOffset = Offset<flatbuffers::String>;

/// Builds one root in the thread's builder, whose memory is kept for the next one.
/// REQUIRES: one at a time on a thread; a blob sink does not encode.
class Writer {
 public:
  /// `blobs` may be null where every value is kept inline.
  explicit Writer(const BlobSink* blobs);

  Builder& out() { return out_; }

  /// Absent where empty. Bytes that are not UTF-8 become U+FFFD, so what is written can be read.
  TextOffset text(std::string_view text);
  /// Present even where empty.
  TextOffset required_text(std::string_view text);
  /// Absent where null.
  Offset<wire::Json> json(const Value& value);
  Offset<wire::Failure> failure(const flow::Failure& failure);
  /// Absent where empty.
  Offset<flatbuffers::Vector<std::uint32_t>> numbers(std::span<const std::uint32_t> numbers);

  template <class T>
  std::string finish(Offset<T> root, const char* identifier) {
    out_.Finish(root, identifier);
    return take();
  }

 private:
  std::string take();

  Builder& out_;
  const BlobSink* blobs_;
};

wire::Hash to_wire(const ContentHash& hash);
/// Null where the hash is all zero, which reads back the same.
const wire::Hash* or_absent(const wire::Hash& hash);

} // namespace skein::schemas
