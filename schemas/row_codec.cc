#include "schemas/codec.h"
#include "schemas/reader.h"
#include "schemas/wire/outbox_generated.h"
#include "schemas/wire/resource_generated.h"
#include "schemas/writer.h"

namespace skein::schemas {
namespace {

constexpr Format kOutbox{"SKOB", "outbox row", 128u << 20};
constexpr Format kResource{"SKRS", "resource", 16u << 20};
constexpr std::uint16_t kVersion = 1;

} // namespace

std::string encode_outbox(const OutboxRow& row) {
  Writer w(nullptr);
  const TextOffset id = w.required_text(row.id);
  const TextOffset destination = w.required_text(row.destination);
  const auto message = w.json(row.message);
  return w.finish(wire::CreateOutbox(w.out(), id, destination, message, kVersion,
                                     static_cast<std::uint8_t>(row.what)),
                  wire::OutboxIdentifier());
}

Result<OutboxRow> decode_outbox(std::string_view bytes) {
  const Frame frame(bytes);
  const auto opened = open<wire::Outbox>(frame, kOutbox);
  if (!opened) {
    return opened.error();
  }
  const wire::Outbox& kept = **opened;
  if (kept.schema_version() > kVersion) {
    return too_new(kOutbox, kept.schema_version());
  }
  Reader read(kOutbox, nullptr);
  OutboxRow row{read.text(kept.id()), read.text(kept.destination()), read.json(kept.message()),
                read.one_of(kept.what(), OutboxRow::What::child_end)};
  if (read.error()) {
    return *read.error();
  }
  return row;
}

std::string encode_resource(const ResourceRow& row) {
  Writer w(nullptr);
  const TextOffset kind = w.required_text(row.kind);
  const TextOffset name = w.required_text(row.name);
  const TextOffset content = w.text(row.content);
  const wire::Hash hash = to_wire(row.hash);
  return w.finish(wire::CreateResource(w.out(), kind, name, row.revision, or_absent(hash), content,
                                       row.applied_at.ms, row.deleted),
                  wire::ResourceIdentifier());
}

Result<ResourceRow> decode_resource(std::string_view bytes) {
  const Frame frame(bytes);
  const auto opened = open<wire::Resource>(frame, kResource);
  if (!opened) {
    return opened.error();
  }
  const wire::Resource& kept = **opened;
  if (kept.schema_version() > kVersion) {
    return too_new(kResource, kept.schema_version());
  }
  Reader read(kResource, nullptr);
  ResourceRow row{read.text(kept.kind()), read.text(kept.name()),    kept.revision(),
                  from_wire(kept.hash()), read.text(kept.content()), Instant{kept.applied_at()},
                  kept.deleted()};
  if (read.error()) {
    return *read.error();
  }
  return row;
}

} // namespace skein::schemas
