#include "storage/rocks_resources.h"

#include <algorithm>
#include <cctype>

#include "core/base/nearest.h"
#include "schemas/codec.h"

namespace skein::storage {
namespace {

std::string_view bytes_of(const ContentHash& hash) {
  return {reinterpret_cast<const char*>(hash.bytes.data()), hash.bytes.size()};
}

Key of_kind(std::string_view kind) { return Key(kNodeRows, Table::resource).text(kind); }
Key of_name(std::string_view kind, std::string_view name) { return of_kind(kind).text(name); }

Result<ResourceRow> decoded(std::string_view bytes) { return schemas::decode_resource(bytes); }

// "flow" of "Flow", as commands and messages name it.
std::string noun_of(std::string_view kind) {
  std::string noun(kind);
  std::transform(noun.begin(), noun.end(), noun.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return noun;
}

Result<void> check_names(std::string_view kind, std::string_view name) {
  if (kind.empty() || name.empty() || kind.find('\0') != kind.npos ||
      name.find('\0') != name.npos) {
    return Error{Code::resource_value_invalid, "kind and name of a resource are not empty texts",
                 ""};
  }
  return {};
}

} // namespace

Result<ResourceRow> RocksResources::apply(std::string_view kind, std::string_view name,
                                          std::string_view content, Instant at) {
  if (auto names = check_names(kind, name); !names) {
    return names.error();
  }
  const std::lock_guard lock(writing_);
  auto last = newest(kind, name);
  if (!last) {
    return last.error();
  }
  const ContentHash hash = content_hash(content);
  if (*last && !(*last)->deleted && (*last)->hash == hash) {
    return std::move(**last);
  }
  const std::uint64_t revision = *last ? (*last)->revision + 1 : 1;
  return write(ResourceRow{std::string(kind), std::string(name), revision, hash,
                           std::string(content), at, false});
}

Result<ResourceRow> RocksResources::remove(std::string_view kind, std::string_view name,
                                           Instant at) {
  const std::lock_guard lock(writing_);
  auto last = newest(kind, name);
  if (!last) {
    return last.error();
  }
  if (!*last || (*last)->deleted) {
    return unknown(kind, name);
  }
  return write(ResourceRow{std::string(kind), std::string(name), (*last)->revision + 1,
                           content_hash(""), "", at, true});
}

Result<ResourceRow> RocksResources::write(ResourceRow row) {
  const std::string bytes = schemas::encode_resource(row);
  rocksdb::ColumnFamilyHandle* const family = database_.family(Table::resource);
  rocksdb::WriteBatch batch;
  batch.Put(family, slice(of_name(row.kind, row.name).u64(row.revision)), bytes);
  if (!row.deleted) {
    Key by(kNodeRows, Table::resource_hash);
    by.bytes(bytes_of(row.hash)).text(row.kind).text(row.name).u64(row.revision);
    batch.Put(family, slice(by), {});
  }
  auto written = database_.write(batch);
  ++writes_; // once it can be read
  return written ? Result<ResourceRow>(std::move(row)) : Result<ResourceRow>(written.error());
}

Result<std::optional<ResourceRow>> RocksResources::newest(std::string_view kind,
                                                          std::string_view name) const {
  Scan scan(database_, Table::resource, of_name(kind, name));
  scan.last();
  if (!scan.valid()) {
    auto ended = scan.status();
    return ended ? Result<std::optional<ResourceRow>>(std::optional<ResourceRow>())
                 : Result<std::optional<ResourceRow>>(ended.error());
  }
  auto row = decoded(scan.value());
  return row ? Result<std::optional<ResourceRow>>(std::optional(std::move(*row)))
             : Result<std::optional<ResourceRow>>(row.error());
}

Result<ResourceRow> RocksResources::get(std::string_view kind, std::string_view name,
                                        std::optional<std::uint64_t> revision) const {
  if (!revision) {
    auto last = newest(kind, name);
    if (!last) {
      return last.error();
    }
    return *last && !(*last)->deleted ? Result<ResourceRow>(std::move(**last))
                                      : Result<ResourceRow>(unknown(kind, name));
  }
  auto bytes = database_.get(Table::resource, of_name(kind, name).u64(*revision));
  if (!bytes) {
    return bytes.error();
  }
  if (!*bytes) {
    return Error{
        Code::resource_unknown,
        noun_of(kind) + " " + std::string(name) + " has no revision " + std::to_string(*revision),
        "see `skein " + noun_of(kind) + " history " + std::string(name) + "`"};
  }
  return decoded(**bytes);
}

Result<ResourceRow> RocksResources::by_hash(const ContentHash& hash) const {
  Scan scan(database_, Table::resource_hash,
            Key(kNodeRows, Table::resource_hash).bytes(bytes_of(hash)));
  scan.first();
  if (!scan.valid()) {
    auto ended = scan.status();
    return ended ? Result<ResourceRow>(Error{Code::resource_unknown,
                                             "no resource has content " + to_string(hash), ""})
                 : Result<ResourceRow>(ended.error());
  }
  auto bytes = database_.get(Table::resource, Key(kNodeRows, Table::resource).bytes(scan.suffix()));
  if (!bytes) {
    return bytes.error();
  }
  return *bytes ? decoded(**bytes)
                : Result<ResourceRow>(
                      Error{Code::storage_corrupt,
                            "the resource with content " + to_string(hash) + " is missing",
                            "run: skein doctor"});
}

Result<std::vector<ResourceRow>> RocksResources::list(std::string_view kind) const {
  std::vector<ResourceRow> rows;
  Scan scan(database_, Table::resource, of_kind(kind));
  scan.first();
  while (scan.valid()) {
    const auto name = KeyReader(scan.suffix()).text();
    if (!name) {
      return Error{Code::storage_corrupt, "a key of a resource has no name", "run: skein doctor"};
    }
    const std::string prefix = of_name(kind, *name).take();
    auto last = newest(kind, *name);
    if (!last) {
      return last.error();
    }
    if (*last && !(*last)->deleted) {
      rows.push_back(std::move(**last));
    }
    scan.seek(after_all(prefix));
  }
  auto ended = scan.status();
  return ended ? Result<std::vector<ResourceRow>>(std::move(rows))
               : Result<std::vector<ResourceRow>>(ended.error());
}

Result<std::vector<ResourceRow>> RocksResources::history(std::string_view kind,
                                                         std::string_view name) const {
  std::vector<ResourceRow> rows;
  Scan scan(database_, Table::resource, of_name(kind, name));
  for (scan.first(); scan.valid(); scan.next()) {
    auto row = decoded(scan.value());
    if (!row) {
      return row.error();
    }
    rows.push_back(std::move(*row));
  }
  auto ended = scan.status();
  if (!ended) {
    return ended.error();
  }
  return rows.empty() ? Result<std::vector<ResourceRow>>(unknown(kind, name))
                      : Result<std::vector<ResourceRow>>(std::move(rows));
}

Error RocksResources::unknown(std::string_view kind, std::string_view name) const {
  std::vector<ResourceRow> rows;
  if (auto known = list(kind)) {
    rows = std::move(*known);
  }
  std::vector<std::string_view> names;
  for (const ResourceRow& row : rows) {
    names.push_back(row.name);
  }
  return {
      Code::resource_unknown,
      "there is no " + noun_of(kind) + " \"" + std::string(name) + "\"" + did_you_mean(name, names),
      "see `skein get " + noun_of(kind) + "`"};
}

} // namespace skein::storage
