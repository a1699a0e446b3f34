#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/ids.h"
#include "core/base/instant.h"

/// Keys of the database, compared byte by byte: numbers big-endian, texts ended by a NUL so that
/// their order is kept. Every key begins with its partition and its table (docs/formats.md).
namespace skein::storage {

/// What a row is; the byte after the partition.
enum class Table : char {
  log = 'l',              ///< index
  journal = 'j',          ///< run seq
  record = 'r',           ///< run
  checkpoint = 'c',       ///< run seq
  timer = 't',            ///< due run timer
  wait = 'w',             ///< run what name
  dedupe = 'd',           ///< run hash of the sender's id
  outbox = 'o',           ///< index position
  index = 'i',            ///< see rocks_index.h
  blob_use = 'b',         ///< run hash
  retired = 'x',          ///< run
  orphan = 'q',           ///< hash of a blob that a sweep has to look at
  resource = 's',         ///< kind name revision
  resource_hash = 'h',    ///< hash kind name revision
  leader = 'e',           ///<
  meta = 'm',             ///< name
  arriving_content = 'a', ///< hash; of a partition on its way, see rocks_copies.h
};

/// Rows that belong to the node and not to a partition.
inline constexpr std::uint16_t kNodeRows = 0xffff;

/// Builds one key after another in one buffer.
class Key {
 public:
  Key() = default;
  Key(PartitionId partition, Table table) { start(partition.get(), table); }
  Key(std::uint16_t partition, Table table) { start(partition, table); }

  Key& start(std::uint16_t partition, Table table);
  Key& byte(std::uint8_t value);
  Key& u32(std::uint32_t value);
  Key& u64(std::uint64_t value);
  Key& bytes(std::string_view value); ///< as they are: only of a fixed length, or last
  Key& text(std::string_view value);  ///< REQUIRES: no NUL in it
  Key& due(Instant at);               ///< earliest first
  Key& newest(Instant at);            ///< latest first

  std::string_view view() const { return bytes_; }
  operator std::string_view() const { return bytes_; } // NOLINT: a key is its bytes
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// Takes a key apart. Every part is absent where the bytes do not hold it.
class KeyReader {
 public:
  explicit KeyReader(std::string_view bytes) : rest_(bytes) {}

  std::optional<std::uint8_t> byte();
  std::optional<std::uint32_t> u32();
  std::optional<std::uint64_t> u64();
  std::optional<std::string_view> text();
  std::optional<std::string_view> bytes(std::size_t count);
  std::optional<Instant> due();
  std::string_view rest() const { return rest_; }

 private:
  std::optional<std::uint64_t> number(std::size_t width);
  std::string_view rest_;
};

/// What follows partition and table.
inline constexpr std::size_t kKeyHead = 3;

/// The least key above all that begin with `prefix`. REQUIRES: not all of its bytes are 0xff.
std::string after_all(std::string_view prefix);

/// Whether a run id can be part of a key: 1 to 128 bytes, no NUL.
bool fits_key(const RunId& run);

} // namespace skein::storage
