#include "storage/random_word.h"
#include "storage/rocks_parts.h"

namespace skein::storage {
namespace {

/// Of the keys and of what they hold; see docs/formats.md.
constexpr std::uint32_t kFormat = 1;

Key meta(std::string_view name) {
  Key key(kNodeRows, Table::meta);
  key.bytes(name);
  return key;
}

Result<Identity> make(RocksDatabase& database) {
  const Identity identity{NodeId(random_word()), random_word()};
  rocksdb::WriteBatch batch;
  rocksdb::ColumnFamilyHandle* const family = database.family(Table::meta);
  batch.Put(family, slice(meta("node")), Key().u64(identity.node.get()).take());
  batch.Put(family, slice(meta("incarnation")), Key().u64(identity.incarnation).take());
  batch.Put(family, slice(meta("format")), Key().u32(kFormat).take());
  auto written = database.write(batch);
  return written ? Result<Identity>(identity) : Result<Identity>(written.error());
}

Result<std::uint64_t> word(const RocksDatabase& database, std::string_view name) {
  auto bytes = database.get(Table::meta, meta(name));
  if (!bytes) {
    return bytes.error();
  }
  const auto value = *bytes ? KeyReader(**bytes).u64() : std::nullopt;
  return value ? Result<std::uint64_t>(*value)
               : Result<std::uint64_t>(Error{Code::storage_corrupt,
                                             "the data directory has no " + std::string(name),
                                             "run: skein doctor"});
}

} // namespace

Result<Identity> identify(RocksDatabase& database) {
  auto bytes = database.get(Table::meta, meta("format"));
  if (!bytes) {
    return bytes.error();
  }
  if (!*bytes) {
    return make(database);
  }
  const std::uint32_t format = KeyReader(**bytes).u32().value_or(0);
  if (format > kFormat) {
    return Error{Code::wire_version,
                 "the data directory has format " + std::to_string(format) +
                     ", this program knows up to " + std::to_string(kFormat),
                 "use the newer skein that wrote it"};
  }
  auto node = word(database, "node");
  auto incarnation = word(database, "incarnation");
  if (!node || !incarnation) {
    return node ? incarnation.error() : node.error();
  }
  return Identity{NodeId(*node), *incarnation};
}

} // namespace skein::storage
