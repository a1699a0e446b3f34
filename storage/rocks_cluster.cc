#include <utility>

#include "storage/rocks_parts.h"

// What a store does as one of several that hold the same log.
namespace skein::storage {
namespace {

Key meta(std::string_view name) {
  Key key(kNodeRows, Table::meta);
  key.bytes(name);
  return key;
}

} // namespace

Result<void> RocksStore::adopt(std::uint64_t incarnation) {
  if (incarnation == parts_->identity.incarnation) {
    return {};
  }
  for (std::uint16_t p = 0; p < kPartitions; ++p) {
    const auto tail = tail_of(PartitionId(p));
    if (!tail) {
      return tail.error();
    }
    if (tail->last.get() > 0) {
      return Error{Code::run_state_conflict,
                   "the data directory has runs of another log than the cluster's",
                   "join with an empty data directory, or form the cluster with this one first"};
    }
  }
  rocksdb::WriteBatch batch;
  batch.Put(parts_->database->family(Table::meta), slice(meta("incarnation")),
            Key().u64(incarnation).take());
  if (auto written = parts_->database->write(batch); !written) {
    return written;
  }
  const std::lock_guard lock(parts_->committing);
  parts_->identity.incarnation = incarnation;
  parts_->writer =
      std::make_unique<RocksWriter>(*parts_->database, parts_->identity.node, incarnation);
  return {};
}

Result<void> RocksStore::keep(std::string_view name, std::uint64_t number) {
  rocksdb::WriteBatch batch;
  batch.Put(parts_->database->family(Table::meta), slice(meta("kept/" + std::string(name))),
            Key().u64(number).take());
  return parts_->database->write(batch, false);
}

Result<std::optional<std::uint64_t>> RocksStore::kept(std::string_view name) const {
  auto row = parts_->database->get(Table::meta, meta("kept/" + std::string(name)));
  if (!row) {
    return row.error();
  }
  return *row ? KeyReader(**row).u64() : std::nullopt;
}

Result<std::map<std::string, std::uint64_t>> RocksStore::kept_under(std::string_view prefix) const {
  std::map<std::string, std::uint64_t> found;
  Scan scan(*parts_->database, Table::meta, meta("kept/" + std::string(prefix)));
  for (scan.first(); scan.valid(); scan.next()) {
    found[std::string(scan.suffix())] = KeyReader(scan.value()).u64().value_or(0);
  }
  auto ended = scan.status();
  return ended ? Result<std::map<std::string, std::uint64_t>>(std::move(found)) : ended.error();
}

Result<void> RocksStore::drop(std::string_view name) {
  rocksdb::WriteBatch batch;
  batch.Delete(parts_->database->family(Table::meta), slice(meta("kept/" + std::string(name))));
  return parts_->database->write(batch, false);
}

Result<std::unique_ptr<PartitionCopy>> RocksStore::copy(PartitionId partition) const {
  return parts_->copies->copy(partition);
}

Result<void> RocksStore::take_in(PartitionId partition, std::string_view bytes, bool first) {
  if (auto room = parts_->check_room(Room::begun_only); !room) {
    return room;
  }
  return parts_->copies->take_in(partition, bytes, first);
}

Result<bool> RocksStore::advance(PartitionId partition) {
  const std::lock_guard lock(parts_->committing);
  return parts_->copies->advance(partition, [&] { parts_->writer->forget_all(partition); });
}

void RocksStore::order_resources(ResourceOrder order) {
  const std::lock_guard lock(parts_->ordering);
  parts_->order = std::move(order);
}

Result<ResourceRow> RocksStore::write_resource(std::string_view kind, std::string_view name,
                                               std::optional<std::string_view> content,
                                               Instant at) {
  return content ? parts_->resources->apply(kind, name, *content, at)
                 : parts_->resources->remove(kind, name, at);
}

} // namespace skein::storage
