#include "core/flow/digest.h"

#include <cstring>

#include "core/flow/effect.h"

namespace skein::flow {

void DigestWriter::grow(std::size_t size) { bytes_.resize(2 * (used_ + size) + 256); }

namespace {

/// No value lays out longer than this for each unit of its weight: a kind and a length or a number,
/// or 16 bytes of text.
constexpr std::size_t kBytesPerWeight = 24;
/// What is heavier is laid out part by part, so that the room for it is what it takes.
constexpr std::uint32_t kLaidAtOnce = 4'096;

char* lay_word(char* out, std::uint64_t word) {
  std::memcpy(out, &word, sizeof word);
  return out + sizeof word;
}

// Keys are mostly short: two copies of a fixed size, which may overlap, cost less than one call.
template <class Word>
void copy_ends(char* out, std::string_view text) {
  Word first;
  Word last;
  std::memcpy(&first, text.data(), sizeof first);
  std::memcpy(&last, text.data() + text.size() - sizeof last, sizeof last);
  std::memcpy(out, &first, sizeof first);
  std::memcpy(out + text.size() - sizeof last, &last, sizeof last);
}

char* lay_text(char* out, std::string_view text) {
  out = lay_word(out, text.size());
  if (text.size() > 16) {
    std::memcpy(out, text.data(), text.size());
  } else if (text.size() >= 8) {
    copy_ends<std::uint64_t>(out, text);
  } else if (text.size() >= 4) {
    copy_ends<std::uint32_t>(out, text);
  } else {
    for (std::size_t i = 0; i < text.size(); ++i) {
      out[i] = text[i];
    }
  }
  return out + text.size();
}

// REQUIRES: room for kBytesPerWeight times the value's weight.
char* lay(char* out, const Value& value) {
  *out++ = static_cast<char>(value.kind());
  switch (value.kind()) {
    case Kind::null:
      return out;
    case Kind::boolean:
      *out++ = value.as_bool() ? 1 : 0;
      return out;
    case Kind::integer:
    case Kind::uinteger:
    case Kind::real:
      return lay_word(out, value.as_uint());
    case Kind::string:
    case Kind::bytes:
    case Kind::type:
      return lay_text(out, value.as_string());
    case Kind::list:
      out = lay_word(out, value.as_list().size());
      for (const Value& item : value.as_list()) {
        out = lay(out, item);
      }
      return out;
    case Kind::map:
      out = lay_word(out, value.as_map().size());
      for (const auto& [key, item] : value.as_map()) {
        out = lay(lay(out, key), item);
      }
      return out;
    case Kind::timestamp:
    case Kind::duration:
      out = lay_word(out, static_cast<std::uint64_t>(value.seconds()));
      return lay_word(out, static_cast<std::uint64_t>(value.nanos()));
    case Kind::optional:
      return lay(out, value.optional_value() != nullptr ? *value.optional_value() : Value());
  }
  return out;
}

} // namespace

DigestWriter& DigestWriter::put(const Value& value) {
  if (value.weight() > kLaidAtOnce) {
    return put_large(value);
  }
  char* const from = room(std::size_t{value.weight()} * kBytesPerWeight);
  used_ -= static_cast<std::size_t>(from + std::size_t{value.weight()} * kBytesPerWeight -
                                    lay(from, value));
  return *this;
}

// The same layout. What is this heavy is a text, a list, a map, or an optional of one of them.
DigestWriter& DigestWriter::put_large(const Value& value) {
  put_byte(static_cast<std::uint8_t>(value.kind()));
  if (value.is(Kind::list)) {
    put(std::uint64_t{value.as_list().size()});
    for (const Value& item : value.as_list()) {
      put(item);
    }
  } else if (value.is(Kind::map)) {
    put(std::uint64_t{value.as_map().size()});
    for (const auto& [key, item] : value.as_map()) {
      put(key).put(item);
    }
  } else if (value.is(Kind::optional)) {
    put(*value.optional_value());
  } else {
    put(value.as_string());
  }
  return *this;
}

DigestWriter& DigestWriter::put(const Failure& failure) {
  return put(failure.code)
      .put(failure.message)
      .put(failure.hint)
      .put(failure.step)
      .put(std::uint64_t{failure.retryable});
}

Digest digest_of(const Value& value) {
  thread_local DigestWriter writer;
  writer.clear();
  return writer.put(value).finish();
}

namespace {

std::uint64_t word_of(Instant at) { return static_cast<std::uint64_t>(at.ms); }

void put(DigestWriter& out, const Dispatch& e) { out.put(e.place).put(e.attempt).put(e.input); }
void put(DigestWriter& out, const Execute& e) { out.put(e.place).put(e.attempt); }
void put(DigestWriter& out, const Abandon& e) { out.put(e.place).put(e.attempt); }
void put(DigestWriter& out, const ArmTimer& e) { out.put(e.timer).put(word_of(e.due)); }
void put(DigestWriter& out, const DisarmTimer& e) { out.put(e.timer).put(word_of(e.due)); }
void put(DigestWriter& out, const OpenWait& e) {
  out.put(static_cast<std::uint64_t>(e.what)).put(e.name);
}
void put(DigestWriter& out, const CloseWait& e) {
  out.put(static_cast<std::uint64_t>(e.what)).put(e.name);
}
void put(DigestWriter& out, const Emit& e) { out.put(e.id).put(e.type).put(e.event); }
void put(DigestWriter&, const Proceed&) {}
void put(DigestWriter& out, const Show& e) {
  out.put(static_cast<std::uint64_t>(e.state)).put(e.reason).put(e.waiting_for);
}
void put(DigestWriter& out, const Finish& e) {
  out.put(static_cast<std::uint64_t>(e.state)).put(e.output_digest);
  out.put(std::uint64_t{e.failure.has_value()});
  if (e.failure) {
    out.put(*e.failure);
  }
  if (!e.parent.empty()) {
    out.put(e.parent);
  }
}
void put(DigestWriter& out, const StartChild& e) {
  out.put(e.child.get()).put(e.flow).put(to_string(e.revision)).put(e.input).put(e.labels);
  out.put(std::uint64_t{e.depth});
}
void put(DigestWriter& out, const CancelChild& e) { out.put(e.child.get()); }

} // namespace

Digest digest_of(const Effects& effects) {
  thread_local DigestWriter writer;
  writer.clear();
  for (const Effect& effect : effects) {
    writer.put(std::uint64_t{effect.index()});
    std::visit([](const auto& e) { put(writer, e); }, effect);
  }
  return writer.finish();
}

} // namespace skein::flow
