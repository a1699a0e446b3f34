#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/hash.h"
#include "core/base/ids.h"
#include "core/base/instant.h"
#include "core/base/result.h"
#include "core/ports/store.h"
#include "core/run/run.h"

/// Bytes of everything that is kept or sent. FlatBuffers with a file identifier each; verified with
/// depth, table and size limits before a field is read, so any bytes may be given to a decoder.
///
/// Errors of every decoder: wire_invalid, wire_limit, wire_version (made by a newer format),
/// blob_missing, hash_mismatch (a blob has other contents than its name). Values keep their kind
/// (see docs/formats.md). Text that is not UTF-8 is written with U+FFFD, so what is written can be
/// read. Equal things give equal bytes. Thread-safety: any thread.
namespace skein::schemas {

/// Payloads whose JSON is longer are kept once under their content hash and referred to.
inline constexpr std::size_t kInlineLimit = 32u << 10;

/// Takes a large payload; called while something that refers to it is encoded.
/// REQUIRES: it does not encode anything itself.
using BlobSink = std::function<void(const ContentHash&, std::string_view)>;
/// Gives it back.
using BlobSource = std::function<Result<std::string>(const ContentHash&)>;

/// An entry as an Envelope: schema version, id, kind, run id, sequence, time, causation … and the
/// event as payload.
std::string encode_entry(const Entry& entry, const BlobSink& blobs);
Result<Entry> decode_entry(std::string_view bytes, const BlobSource& blobs);
/// Only whether the bytes may be read: the first part of decode_entry.
Result<void> verify_entry(std::string_view bytes);

/// One entry as its batch names it; the entry's bytes are kept under its run, so that retention of
/// a run does not break the chain.
struct EntryRef {
  RunId run;
  Seq seq;
  ContentHash hash; ///< of the entry's bytes
  bool operator==(const EntryRef&) const = default;
};

/// What proves a batch of a partition's log, wherever it comes from.
struct BatchHeader {
  std::uint32_t format = 1;
  std::uint64_t incarnation = 0; ///< of the log; changes when history is rebuilt by force
  PartitionId partition;
  Epoch epoch;
  NodeId node;
  LogIndex first; ///< of the first entry
  Instant at;
  ContentHash previous; ///< hash of the batch before; zero for the first
  std::vector<EntryRef> entries;
  ContentHash hash; ///< of all the above; see hash_of
  bool operator==(const BatchHeader&) const = default;
};

/// SHA-256 over the fields in a fixed byte order (docs/formats.md), independent of FlatBuffers'
/// layout.
ContentHash hash_of(const BatchHeader& header);

/// REQUIRES: header.hash == hash_of(header); decode_batch refuses anything else.
std::string encode_batch(const BatchHeader& header);
/// Errors: also hash_mismatch, where the bytes do not add up to their own hash.
Result<BatchHeader> decode_batch(std::string_view bytes);

std::string encode_record(const RunRecord& record, const BlobSink& blobs);
Result<RunRecord> decode_record(std::string_view bytes, const BlobSource& blobs);

/// REQUIRES: cells are null or a map with string keys. Each cell is a text or, over kInlineLimit, a
/// blob of its own, so an unchanged large cell is kept once.
std::string encode_checkpoint(const Checkpoint& checkpoint, const BlobSink& blobs);
Result<Checkpoint> decode_checkpoint(std::string_view bytes, const BlobSource& blobs);
Result<CheckpointMark> decode_checkpoint_mark(std::string_view bytes);

std::string encode_outbox(const OutboxRow& row);
Result<OutboxRow> decode_outbox(std::string_view bytes);

std::string encode_resource(const ResourceRow& row);
Result<ResourceRow> decode_resource(std::string_view bytes);

} // namespace skein::schemas
