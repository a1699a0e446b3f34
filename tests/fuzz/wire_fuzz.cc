#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "schemas/codec.h"

namespace {

using namespace skein;          // NOLINT
using namespace skein::schemas; // NOLINT

const BlobSink kNoSink = [](const ContentHash&, std::string_view) {};
const BlobSource kNoSource = [](const ContentHash&) -> Result<std::string> {
  return Error{Code::blob_missing, "no blobs here"};
};

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

} // namespace

/// What a decoder accepts can be written, and reads the same: then its bytes are stable.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  if (const auto entry = decode_entry(text, kNoSource)) {
    const std::string again = encode_entry(*entry, kNoSink);
    const auto read = decode_entry(again, kNoSource);
    require(read && encode_entry(*read, kNoSink) == again);
  }
  if (const auto record = decode_record(text, kNoSource)) {
    require(decode_record(encode_record(*record, kNoSink), kNoSource).ok());
  }
  if (const auto checkpoint = decode_checkpoint(text, kNoSource)) {
    require(decode_checkpoint(encode_checkpoint(*checkpoint, kNoSink), kNoSource).ok());
  }
  if (const auto batch = decode_batch(text)) {
    const auto read = decode_batch(encode_batch(*batch));
    require(read && *read == *batch);
  }
  if (const auto row = decode_outbox(text)) {
    require(decode_outbox(encode_outbox(*row)).ok());
  }
  if (const auto row = decode_resource(text)) {
    require(decode_resource(encode_resource(*row)).ok());
  }
  return 0;
}
