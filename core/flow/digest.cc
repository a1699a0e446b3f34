#include "core/flow/digest.h"

#include <bit>

#include "core/flow/effect.h"

namespace skein::flow {

void DigestWriter::grow(std::size_t size) { bytes_.resize(2 * (used_ + size) + 256); }

DigestWriter& DigestWriter::put(const Value& value) {
  put_byte(static_cast<std::uint8_t>(value.kind()));
  switch (value.kind()) {
    case Kind::null:
      break;
    case Kind::boolean:
      put_byte(value.as_bool() ? 1 : 0);
      break;
    case Kind::integer:
    case Kind::uinteger:
      put(value.as_uint());
      break;
    case Kind::real:
      put(std::bit_cast<std::uint64_t>(value.as_double()));
      break;
    case Kind::string:
    case Kind::bytes:
    case Kind::type:
      put(value.as_string());
      break;
    case Kind::list:
      put(std::uint64_t{value.as_list().size()});
      for (const Value& item : value.as_list()) {
        put(item);
      }
      break;
    case Kind::map:
      put(std::uint64_t{value.as_map().size()});
      for (const auto& [key, item] : value.as_map()) {
        put(key).put(item);
      }
      break;
    case Kind::timestamp:
    case Kind::duration:
      put(static_cast<std::uint64_t>(value.seconds()));
      put(static_cast<std::uint64_t>(value.nanos()));
      break;
    case Kind::optional:
      put(value.optional_value() != nullptr ? *value.optional_value() : Value());
      break;
  }
  return *this;
}

DigestWriter& DigestWriter::put(const Place& place) {
  put(std::uint64_t{place.step} << 8 | place.depth);
  for (const std::uint32_t item : place.path()) {
    put(std::uint64_t{item});
  }
  return *this;
}

DigestWriter& DigestWriter::put(const Digest& digest) { return put(digest.low).put(digest.high); }

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
  out.put(static_cast<std::uint64_t>(e.state)).put(e.output);
  out.put(std::uint64_t{e.failure.has_value()});
  if (e.failure) {
    out.put(*e.failure);
  }
}

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
