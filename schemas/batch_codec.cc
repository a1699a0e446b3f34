#include <concepts>
#include <vector>

#include "schemas/codec.h"
#include "schemas/reader.h"
#include "schemas/wire/batch_generated.h"
#include "schemas/writer.h"

namespace skein::schemas {
namespace {

constexpr Format kFormat{"SKBT", "batch", 16u << 20};
constexpr std::uint32_t kVersion = 1;

void put(std::string& out, std::unsigned_integral auto number) {
  for (int shift = 8 * (static_cast<int>(sizeof number) - 1); shift >= 0; shift -= 8) {
    out += static_cast<char>((number >> shift) & 0xFF);
  }
}

void put(std::string& out, const ContentHash& hash) {
  out.append(reinterpret_cast<const char*>(hash.bytes.data()), hash.bytes.size());
}

/// Run ids once each while they repeat, and the references that point at them.
struct Refs {
  std::vector<TextOffset> runs;
  std::vector<wire::EntryRef> entries;
};

Refs write_refs(Writer& writer, const std::vector<EntryRef>& entries) {
  Refs refs;
  refs.entries.reserve(entries.size());
  const RunId* last = nullptr;
  for (const EntryRef& entry : entries) {
    if (last == nullptr || *last != entry.run) {
      refs.runs.push_back(writer.required_text(entry.run.get()));
      last = &entry.run;
    }
    refs.entries.emplace_back(entry.seq.get(), to_wire(entry.hash),
                              static_cast<std::uint32_t>(refs.runs.size() - 1));
  }
  return refs;
}

std::vector<EntryRef> read_refs(const wire::Batch& batch, Reader& read) {
  std::vector<EntryRef> refs;
  if (!read.has(batch.entries())) {
    return refs;
  }
  const std::size_t runs = batch.runs() == nullptr ? 0 : batch.runs()->size();
  refs.reserve(batch.entries()->size());
  for (const wire::EntryRef* entry : *batch.entries()) {
    if (entry->run() >= runs) {
      read.fail("an entry names a run that is not there");
      break;
    }
    refs.push_back({read.run(batch.runs()->Get(entry->run())), Seq{entry->sequence()},
                    from_wire(&entry->hash())});
  }
  return refs;
}

} // namespace

ContentHash hash_of(const BatchHeader& header) {
  std::string fields = "SKBT";
  fields.reserve(128 + header.entries.size() * 80);
  put(fields, header.format);
  put(fields, header.incarnation);
  put(fields, header.partition.get());
  put(fields, header.epoch.get());
  put(fields, header.node.get());
  put(fields, header.first.get());
  put(fields, static_cast<std::uint64_t>(header.at.ms));
  put(fields, header.previous);
  put(fields, static_cast<std::uint32_t>(header.entries.size()));
  for (const EntryRef& entry : header.entries) {
    put(fields, static_cast<std::uint32_t>(entry.run.get().size()));
    fields += entry.run.get();
    put(fields, entry.seq.get());
    put(fields, entry.hash);
  }
  return content_hash(fields);
}

std::string encode_batch(const BatchHeader& header) {
  Writer writer(nullptr);
  Builder& out = writer.out();
  const Refs refs = write_refs(writer, header.entries);
  const auto runs = out.CreateVector(refs.runs);
  const auto entries = out.CreateVectorOfStructs(refs.entries);
  const wire::Hash previous = to_wire(header.previous);
  const wire::Hash hash = to_wire(header.hash);
  return writer.finish(
      wire::CreateBatch(out, header.format, header.incarnation, header.partition.get(),
                        header.epoch.get(), header.node.get(), header.first.get(), header.at.ms,
                        or_absent(previous), runs, entries, &hash),
      wire::BatchIdentifier());
}

Result<BatchHeader> decode_batch(std::string_view bytes) {
  const Frame frame(bytes);
  const auto opened = open<wire::Batch>(frame, kFormat);
  if (!opened) {
    return opened.error();
  }
  const wire::Batch& batch = **opened;
  if (batch.format() > kVersion) {
    return too_new(kFormat, batch.format());
  }
  Reader read(kFormat, nullptr);
  BatchHeader header{
      batch.format(),         batch.incarnation(),         PartitionId{batch.partition()},
      Epoch{batch.epoch()},   NodeId{batch.node()},        LogIndex{batch.first()},
      Instant{batch.at()},    from_wire(batch.previous()), read_refs(batch, read),
      from_wire(batch.hash())};
  if (read.error()) {
    return *read.error();
  }
  if (hash_of(header) != header.hash) {
    return Error{Code::hash_mismatch,
                 "batch " + std::to_string(header.first.get()) + " of partition " +
                     std::to_string(header.partition.get()) + " does not match its own hash",
                 "run `skein doctor` to find what is damaged"};
  }
  return header;
}

} // namespace skein::schemas
