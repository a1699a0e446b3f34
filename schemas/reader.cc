#include "schemas/reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/value/utf8.h"
#include "schemas/value_text.h"

namespace skein::schemas {
namespace {

constexpr std::size_t kMaxId = 256;
/// Root offset, identifier and the smallest table.
constexpr std::size_t kMinBytes = 16;

std::string_view view(const flatbuffers::String* text) { return {text->c_str(), text->size()}; }

bool is_aligned(std::string_view bytes) {
  return reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(std::uint64_t) == 0;
}

bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

} // namespace

Frame::Frame(std::string_view bytes)
    : copy_(is_aligned(bytes) ? std::string_view() : bytes),
      begin_(
          reinterpret_cast<const std::uint8_t*>(is_aligned(bytes) ? bytes.data() : copy_.data())),
      size_(bytes.size()) {}

std::optional<Error> refuse_frame(const Frame& frame, const Format& format) {
  if (frame.size() > format.max_bytes) {
    return Error{Code::wire_limit,
                 std::string(format.name) + " of " + std::to_string(frame.size()) +
                     " bytes is over the limit of " + std::to_string(format.max_bytes)};
  }
  if (frame.size() < kMinBytes) {
    return damaged(format, std::to_string(frame.size()) + " bytes are too few");
  }
  if (std::memcmp(frame.begin() + 4, format.identifier, 4) != 0) {
    return damaged(format, "the identifier is not " + std::string(format.identifier));
  }
  return std::nullopt;
}

Error damaged(const Format& format, std::string_view why) {
  return Error{Code::wire_invalid,
               std::string(format.name) + " cannot be read: " + std::string(why)};
}

Error too_new(const Format& format, std::uint32_t version) {
  return Error{Code::wire_version,
               std::string(format.name) + " has format " + std::to_string(version) +
                   ", which this version does not know",
               "a newer Skein wrote it: upgrade this node"};
}

void Reader::fail(std::string_view why) {
  if (!error_) {
    error_ = damaged(format_, why);
  }
}

void Reader::fail(Error error) {
  if (!error_) {
    error_ = std::move(error);
  }
}

std::string Reader::text(const flatbuffers::String* text) {
  if (text == nullptr) {
    return {};
  }
  if (!valid_utf8(view(text))) {
    fail("a text is not UTF-8");
    return {};
  }
  return std::string(view(text));
}

RunId Reader::run(const flatbuffers::String* text) {
  if (text == nullptr || text->size() == 0 || text->size() > kMaxId || !is_visible(view(text))) {
    fail("the run id is not 1 to 256 visible characters");
    return {};
  }
  return RunId{std::string(view(text))};
}

std::string Reader::blob(const ContentHash& hash) {
  if (blobs_ == nullptr || !*blobs_) {
    fail("a value was expected inline");
    return {};
  }
  auto text = (*blobs_)(hash);
  if (!text) {
    fail(std::move(text).error());
    return {};
  }
  if (content_hash(*text) != hash) {
    fail(Error{Code::hash_mismatch, "the contents kept as " + to_string(hash) + " are others"});
    return {};
  }
  return *std::move(text);
}

Value Reader::value(std::string_view text, bool tagged) {
  auto value = parse_value(text, tagged);
  if (!value) {
    fail(std::move(value).error());
    return {};
  }
  return *std::move(value);
}

Value Reader::json(const wire::Json* json) {
  if (json == nullptr || error_) {
    return {};
  }
  if (json->text() != nullptr) {
    return value(view(json->text()), json->tagged());
  }
  if (json->hash() == nullptr) {
    fail("a value has neither text nor hash");
    return {};
  }
  const std::string text = blob(from_wire(json->hash()));
  return error_ ? Value() : value(text, json->tagged());
}

flow::Failure Reader::failure(const wire::Failure* failure) {
  if (failure == nullptr) {
    return {};
  }
  return {text(failure->code()), text(failure->message()), text(failure->hint()),
          text(failure->step()), failure->retryable()};
}

flow::Place Reader::place(std::uint16_t step, const flatbuffers::Vector<std::uint32_t>* items) {
  flow::Place place;
  place.step = step;
  if (items == nullptr) {
    return place;
  }
  if (items->size() > flow::kMaxNesting) {
    fail("a place is nested too deep");
    return place;
  }
  place.depth = static_cast<std::uint8_t>(items->size());
  std::copy(items->begin(), items->end(), place.items.begin());
  return place;
}

ContentHash from_wire(const wire::Hash* hash) {
  ContentHash read;
  if (hash != nullptr) {
    std::copy(hash->bytes()->begin(), hash->bytes()->end(), read.bytes.begin());
  }
  return read;
}

} // namespace skein::schemas
