#include "schemas/codec.h"
#include "schemas/reader.h"
#include "schemas/wire/record_generated.h"
#include "schemas/writer.h"

namespace skein::schemas {
namespace {

constexpr Format kFormat{"SKRR", "run record", 16u << 20};
constexpr std::uint16_t kVersion = 1;
constexpr std::string_view kUsualKind = "flow";

RunRecord record_of(const wire::Record& kept, Reader& read) {
  RunRecord record;
  record.id = read.run(kept.run_id());
  record.kind = kept.kind() == nullptr ? std::string(kUsualKind) : read.text(kept.kind());
  record.definition = read.text(kept.definition());
  record.revision = from_wire(kept.revision());
  record.state = read.one_of(kept.state(), RunState::cancelled);
  record.reason = read.text(kept.reason());
  record.waiting_for = read.text(kept.waiting_for());
  record.parent = read.text(kept.parent());
  record.labels = read.json(kept.labels());
  record.output = read.json(kept.output());
  if (kept.failure() != nullptr) {
    record.failure = read.failure(kept.failure());
  }
  record.created_at = Instant{kept.created_at()};
  record.updated_at = Instant{kept.updated_at()};
  record.steps = kept.steps();
  return record;
}

} // namespace

std::string encode_record(const RunRecord& record, const BlobSink& blobs) {
  Writer w(&blobs);
  const TextOffset id = w.required_text(record.id.get());
  const TextOffset kind = record.kind == kUsualKind ? TextOffset() : w.required_text(record.kind);
  const TextOffset definition = w.text(record.definition);
  const TextOffset waiting_for = w.text(record.waiting_for);
  const TextOffset reason = w.text(record.reason);
  const TextOffset parent = w.text(record.parent);
  const auto labels = w.json(record.labels);
  const auto output = w.json(record.output);
  const auto failure = record.failure ? w.failure(*record.failure) : Offset<wire::Failure>();
  const wire::Hash revision = to_wire(record.revision);
  return w.finish(wire::CreateRecord(w.out(), id, kind, definition, or_absent(revision),
                                     static_cast<std::uint8_t>(record.state), record.created_at.ms,
                                     record.updated_at.ms, waiting_for, reason, parent, labels,
                                     output, failure, record.steps),
                  wire::RecordIdentifier());
}

Result<RunRecord> decode_record(std::string_view bytes, const BlobSource& blobs) {
  const Frame frame(bytes);
  const auto opened = open<wire::Record>(frame, kFormat);
  if (!opened) {
    return opened.error();
  }
  if ((*opened)->schema_version() > kVersion) {
    return too_new(kFormat, (*opened)->schema_version());
  }
  Reader read(kFormat, &blobs);
  RunRecord record = record_of(**opened, read);
  if (read.error()) {
    return *read.error();
  }
  return record;
}

} // namespace skein::schemas
