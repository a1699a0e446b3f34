#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/flow/event.h"
#include "schemas/codec.h"
#include "schemas/wire/types_generated.h"

namespace skein::schemas {

/// One kind of root: how it is told apart and how large it may be.
struct Format {
  const char* identifier; ///< four letters at offset 4
  std::string_view name;  ///< for messages: "journal entry"
  std::size_t max_bytes;
};

/// Bytes at an address where every field is aligned; copied only where they are not already.
class Frame {
 public:
  explicit Frame(std::string_view bytes);
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;

  const std::uint8_t* begin() const { return begin_; }
  std::size_t size() const { return size_; }

 private:
  std::string copy_;
  const std::uint8_t* begin_;
  std::size_t size_;
};

inline constexpr flatbuffers::Verifier::Options kVerifierLimits{.max_depth = 16,
                                                                .max_tables = 4096};

std::optional<Error> refuse_frame(const Frame& frame, const Format& format);
Error damaged(const Format& format, std::string_view why);
Error too_new(const Format& format, std::uint32_t version);

/// The root, once nothing in it points outside the bytes. It lives as long as the frame.
template <class T>
Result<const T*> open(const Frame& frame, const Format& format) {
  if (auto refused = refuse_frame(frame, format)) {
    return *std::move(refused);
  }
  flatbuffers::Verifier verifier(frame.begin(), frame.size(), kVerifierLimits);
  if (!verifier.VerifyBuffer<T>(format.identifier)) {
    return damaged(format, "an offset, a length or a nesting is out of bounds");
  }
  return flatbuffers::GetRoot<T>(frame.begin());
}

/// Reads fields of a verified root and checks what they mean. The first problem is kept, so a
/// caller reads everything and asks once.
class Reader {
 public:
  /// `blobs` may be null where every value is inline.
  Reader(const Format& format, const BlobSource* blobs) : format_(format), blobs_(blobs) {}

  const std::optional<Error>& error() const { return error_; }
  void fail(std::string_view why);
  void fail(Error error);

  /// Whether there are structs to look at. The verifier does not look whether they lie as they
  /// must, and a flipped bit may move them.
  template <class T>
  bool has(const flatbuffers::Vector<const T*>* structs) {
    if (structs == nullptr || structs->size() == 0) {
      return false;
    }
    if (reinterpret_cast<std::uintptr_t>(structs->Data()) % alignof(T) != 0) {
      fail("its structs are not where they must be");
    }
    return !error_;
  }

  std::string text(const flatbuffers::String* text);
  /// 1 to 256 visible ASCII characters.
  RunId run(const flatbuffers::String* text);
  Value json(const wire::Json* json);
  /// A large text from the blobs, checked against its hash.
  std::string blob(const ContentHash& hash);
  Value value(std::string_view text, bool tagged);
  flow::Failure failure(const wire::Failure* failure);
  flow::Place place(std::uint16_t step, const flatbuffers::Vector<std::uint32_t>* items);

  /// A value of an enumeration. REQUIRES: its values are 0 … last.
  template <class E>
  E one_of(std::uint8_t number, E last) {
    if (number > static_cast<std::uint8_t>(last)) {
      fail("an enumeration holds a number that it has no name for");
      return E{};
    }
    return static_cast<E>(number);
  }

 private:
  const Format& format_;
  const BlobSource* blobs_;
  std::optional<Error> error_;
};

/// Zero where absent.
ContentHash from_wire(const wire::Hash* hash);

} // namespace skein::schemas
