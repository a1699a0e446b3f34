#include "schemas/log_codec.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "schemas/reader.h"
#include "schemas/wire/log_generated.h"
#include "schemas/writer.h"

namespace skein::schemas {
namespace {

constexpr Format kFormat{"SKLB", "log batch", 512u << 20};
constexpr std::uint16_t kVersion = 1;
constexpr flatbuffers::Verifier::Options kLimits{.max_depth = 16, .max_tables = 1u << 20};

using Blobs = std::map<ContentHash, std::string>;

std::string_view view(const flatbuffers::Vector<std::uint8_t>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The parts of one append that are encoded on their own, before the batch that carries them.
struct Rows {
  std::uint32_t entry = 0;
  const Append* append = nullptr;
  std::string record;
  std::string checkpoint;
  std::vector<std::string> outbox;
};

bool has_rows(const Append& append) {
  return append.record || append.checkpoint || !append.arm.empty() || !append.disarm.empty() ||
         !append.open.empty() || !append.close.empty() || !append.outbox.empty();
}

Rows rows_of(const Append& append, std::uint32_t entry, const BlobSink& sink) {
  Rows rows{entry, &append, {}, {}, {}};
  if (append.record) {
    rows.record = encode_record(*append.record, sink);
  }
  if (append.checkpoint) {
    rows.checkpoint = encode_checkpoint(*append.checkpoint, sink);
  }
  for (const OutboxRow& row : append.outbox) {
    rows.outbox.push_back(encode_outbox(row));
  }
  return rows;
}

using BytesOffset = Offset<flatbuffers::Vector<std::uint8_t>>;

BytesOffset bytes(Builder& out, std::string_view bytes) {
  return bytes.empty()
             ? BytesOffset()
             : out.CreateVector(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

Offset<flatbuffers::Vector<const wire::TimerRef*>> timers(Builder& out,
                                                          const std::vector<TimerRow>& rows) {
  std::vector<wire::TimerRef> refs;
  refs.reserve(rows.size());
  for (const TimerRow& row : rows) {
    refs.emplace_back(row.timer, row.due.ms);
  }
  return refs.empty() ? Offset<flatbuffers::Vector<const wire::TimerRef*>>()
                      : out.CreateVectorOfStructs(refs);
}

Offset<flatbuffers::Vector<Offset<wire::WaitRef>>> waits(Writer& writer,
                                                         const std::vector<WaitRow>& rows) {
  std::vector<Offset<wire::WaitRef>> refs;
  refs.reserve(rows.size());
  for (const WaitRow& row : rows) {
    const TextOffset name = writer.required_text(row.name);
    refs.push_back(wire::CreateWaitRef(writer.out(), static_cast<std::uint8_t>(row.what), name));
  }
  return refs.empty() ? Offset<flatbuffers::Vector<Offset<wire::WaitRef>>>()
                      : writer.out().CreateVector(refs);
}

template <class Range>
Offset<flatbuffers::Vector<Offset<wire::Bytes>>> pieces(Builder& out, const Range& range) {
  std::vector<Offset<wire::Bytes>> refs;
  for (const std::string_view piece : range) {
    refs.push_back(wire::CreateBytes(out, bytes(out, piece)));
  }
  return refs.empty() ? Offset<flatbuffers::Vector<Offset<wire::Bytes>>>() : out.CreateVector(refs);
}

Offset<wire::LogRows> write(Writer& writer, const Rows& rows) {
  Builder& out = writer.out();
  const BytesOffset record = bytes(out, rows.record);
  const auto arm = timers(out, rows.append->arm);
  const auto disarm = timers(out, rows.append->disarm);
  const auto open = waits(writer, rows.append->open);
  const auto close = waits(writer, rows.append->close);
  const auto outbox = pieces(out, rows.outbox);
  const BytesOffset checkpoint = bytes(out, rows.checkpoint);
  return wire::CreateLogRows(out, rows.entry, record, arm, disarm, open, close, outbox, checkpoint);
}

std::string encode(const BatchHeader& header, const std::string& entries,
                   const std::vector<std::uint32_t>& ends, const std::vector<Rows>& rows,
                   const Blobs& blobs) {
  const std::string head = encode_batch(header);
  Writer writer(nullptr);
  Builder& out = writer.out();
  std::vector<Offset<wire::LogRows>> row_refs;
  row_refs.reserve(rows.size());
  for (const Rows& row : rows) {
    row_refs.push_back(write(writer, row));
  }
  std::vector<std::string_view> contents;
  contents.reserve(blobs.size());
  for (const auto& [hash, content] : blobs) {
    contents.push_back(content);
  }
  const auto blob_refs = pieces(out, contents);
  const auto rows_at = row_refs.empty() ? Offset<flatbuffers::Vector<Offset<wire::LogRows>>>()
                                        : out.CreateVector(row_refs);
  const auto ends_at = out.CreateVector(ends);
  const auto entries_at =
      out.CreateVector(reinterpret_cast<const std::uint8_t*>(entries.data()), entries.size());
  const BytesOffset header_at = bytes(out, head);
  return writer.finish(
      wire::CreateLogBatch(out, header_at, entries_at, ends_at, rows_at, blob_refs),
      wire::LogBatchIdentifier());
}

Seal seal_of(const BatchHeader& header) {
  return {header.incarnation, header.node, header.first, header.previous, header.hash};
}

Result<const wire::LogBatch*> open_log(const Frame& frame) {
  if (auto refused = refuse_frame(frame, kFormat)) {
    return *std::move(refused);
  }
  flatbuffers::Verifier verifier(frame.begin(), frame.size(), kLimits);
  if (!verifier.VerifyBuffer<wire::LogBatch>(kFormat.identifier)) {
    return damaged(kFormat, "an offset, a length or a nesting is out of bounds");
  }
  const auto* batch = flatbuffers::GetRoot<wire::LogBatch>(frame.begin());
  if (batch->schema_version() > kVersion) {
    return too_new(kFormat, batch->schema_version());
  }
  return batch;
}

/// Reads what came with one header.
class Opening {
 public:
  Opening(const wire::LogBatch& bytes, const BatchHeader& header) : bytes_(bytes), header_(header) {
    if (bytes.blobs() != nullptr) {
      for (const wire::Bytes* blob : *bytes.blobs()) {
        std::string content(blob->bytes() == nullptr ? std::string_view() : view(*blob->bytes()));
        const ContentHash hash = content_hash(content);
        blobs_.emplace(hash, std::move(content));
      }
    }
    source_ = [this](const ContentHash& hash) -> Result<std::string> {
      const auto blob = blobs_.find(hash);
      return blob != blobs_.end()
                 ? Result<std::string>(blob->second)
                 : Result<std::string>(Error{Code::blob_missing,
                                             "the batch refers to a content that it does not carry",
                                             "run: skein doctor"});
    };
  }

  Result<std::vector<Append>> appends() {
    std::vector<Append> appends(header_.entries.size());
    if (auto read = read_entries(appends); !read) {
      return read.error();
    }
    for (std::size_t i = 0; bytes_.rows() != nullptr && i < bytes_.rows()->size(); ++i) {
      const wire::LogRows* const rows = bytes_.rows()->Get(static_cast<unsigned>(i));
      if (rows->entry() >= appends.size()) {
        return damaged(kFormat, "rows of an entry that is not there");
      }
      if (auto read = read_rows(*rows, appends[rows->entry()]); !read) {
        return read.error();
      }
    }
    return appends;
  }
  /// Of the appends that were read.
  std::vector<EncodedEntry> take_encoded() { return std::move(encoded_); }

 private:
  Result<void> read_entries(std::vector<Append>& appends) {
    const std::string_view all = view(*bytes_.entries());
    if (bytes_.ends()->size() != appends.size()) {
      return damaged(kFormat, "it has not as many entries as its header names");
    }
    std::size_t begin = 0;
    encoded_.reserve(appends.size());
    for (std::size_t i = 0; i < appends.size(); ++i) {
      const std::size_t end = bytes_.ends()->Get(static_cast<unsigned>(i));
      if (end < begin || end > all.size()) {
        return damaged(kFormat, "an entry is out of bounds");
      }
      if (auto read = read_entry(all.substr(begin, end - begin), header_.entries[i], appends[i]);
          !read) {
        return read;
      }
      begin = end;
    }
    return {};
  }

  Result<void> read_entry(std::string_view bytes, const EntryRef& named, Append& append) {
    if (content_hash(bytes) != named.hash) {
      return Error{Code::hash_mismatch,
                   "entry " + std::to_string(named.seq.get()) + " of run " + named.run.get() +
                       " is not the one that its batch names",
                   "run: skein doctor"};
    }
    EncodedEntry& encoded = encoded_.emplace_back(EncodedEntry{std::string(bytes), named.hash, {}});
    auto entry = decode_entry(bytes, [&](const ContentHash& hash) {
      auto content = source_(hash);
      if (content) {
        encoded.blobs.emplace_back(hash, *content);
      }
      return content;
    });
    if (!entry) {
      return entry.error();
    }
    if (entry->run != named.run || entry->seq != named.seq) {
      return damaged(kFormat, "an entry is of another run than its header says");
    }
    append.entry = std::move(*entry);
    return {};
  }

  Result<void> read_rows(const wire::LogRows& rows, Append& append) {
    const RunId& run = append.entry.run;
    Reader read(kFormat, nullptr);
    read_timers(rows.arm(), run, append.arm, read);
    read_timers(rows.disarm(), run, append.disarm, read);
    read_waits(rows.open(), run, append.open, read);
    read_waits(rows.close(), run, append.close, read);
    if (read.error()) {
      return *read.error();
    }
    if (rows.record() != nullptr) {
      auto record = decode_record(view(*rows.record()), source_);
      if (!record) {
        return record.error();
      }
      append.record = std::move(*record);
    }
    if (rows.checkpoint() != nullptr) {
      auto checkpoint = decode_checkpoint(view(*rows.checkpoint()), source_);
      if (!checkpoint) {
        return checkpoint.error();
      }
      append.checkpoint = std::move(*checkpoint);
    }
    return read_outbox(rows, append);
  }

  static Result<void> read_outbox(const wire::LogRows& rows, Append& append) {
    for (unsigned i = 0; rows.outbox() != nullptr && i < rows.outbox()->size(); ++i) {
      const auto* bytes = rows.outbox()->Get(i)->bytes();
      auto row = decode_outbox(bytes == nullptr ? std::string_view() : view(*bytes));
      if (!row) {
        return row.error();
      }
      append.outbox.push_back(std::move(*row));
    }
    return {};
  }

  static void read_timers(const flatbuffers::Vector<const wire::TimerRef*>* refs, const RunId& run,
                          std::vector<TimerRow>& rows, Reader& read) {
    for (unsigned i = 0; read.has(refs) && i < refs->size(); ++i) {
      rows.push_back({run, refs->Get(i)->timer(), Instant{refs->Get(i)->due()}});
    }
  }

  static void read_waits(const flatbuffers::Vector<Offset<wire::WaitRef>>* refs, const RunId& run,
                         std::vector<WaitRow>& rows, Reader& read) {
    for (unsigned i = 0; refs != nullptr && i < refs->size(); ++i) {
      rows.push_back({run, read.one_of(refs->Get(i)->what(), WaitRow::What::approval),
                      read.text(refs->Get(i)->name())});
    }
  }

  const wire::LogBatch& bytes_;
  const BatchHeader& header_;
  Blobs blobs_;
  BlobSource source_;
  std::vector<EncodedEntry> encoded_;
};

} // namespace

Sealed seal(const Batch& batch, const Chain& chain) {
  Blobs blobs;
  const BlobSink sink = [&](const ContentHash& hash, std::string_view content) {
    blobs.try_emplace(hash, content);
  };
  BatchHeader header;
  header.incarnation = chain.incarnation;
  header.partition = batch.partition;
  header.epoch = batch.epoch;
  header.node = chain.node;
  header.first = LogIndex(chain.last.get() + 1);
  header.at = batch.at;
  header.previous = chain.hash;
  std::string entries;
  std::vector<std::uint32_t> ends;
  std::vector<Rows> rows;
  std::vector<EncodedEntry> encoded;
  encoded.reserve(batch.appends.size());
  for (const Append& append : batch.appends) {
    EncodedEntry& entry = encoded.emplace_back();
    entry.bytes =
        encode_entry(append.entry, [&](const ContentHash& hash, std::string_view content) {
          sink(hash, content);
          entry.blobs.emplace_back(hash, content);
        });
    entry.hash = content_hash(entry.bytes);
    header.entries.push_back({append.entry.run, append.entry.seq, entry.hash});
    entries += entry.bytes;
    if (has_rows(append)) {
      rows.push_back(rows_of(append, static_cast<std::uint32_t>(ends.size()), sink));
    }
    ends.push_back(static_cast<std::uint32_t>(entries.size()));
  }
  header.hash = hash_of(header);
  return {seal_of(header), encode(header, entries, ends, rows, blobs), std::move(encoded)};
}

Result<Claimed> claimed_by(std::string_view bytes) {
  const Frame frame(bytes);
  const auto opened = open_log(frame);
  if (!opened) {
    return opened.error();
  }
  const auto header = decode_batch(view(*(*opened)->header()));
  if (!header) {
    return header.error();
  }
  return Claimed{header->partition, header->epoch, header->at, header->entries.size(),
                 seal_of(*header)};
}

Result<Batch> open_batch(std::string_view bytes) {
  const Frame frame(bytes);
  const auto opened = open_log(frame);
  if (!opened) {
    return opened.error();
  }
  const auto header = decode_batch(view(*(*opened)->header()));
  if (!header) {
    return header.error();
  }
  Opening opening(**opened, *header);
  auto appends = opening.appends();
  if (!appends) {
    return appends.error();
  }
  Batch batch;
  batch.partition = header->partition;
  batch.epoch = header->epoch;
  batch.at = header->at;
  batch.appends = std::move(*appends);
  batch.seal = seal_of(*header);
  batch.encoded = opening.take_encoded();
  return batch;
}

} // namespace skein::schemas
