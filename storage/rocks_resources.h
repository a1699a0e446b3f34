#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "core/ports/store.h"
#include "storage/rocks_database.h"

namespace skein::storage {

/// Resources with every revision: rows by (kind, name, revision), and by content hash.
/// Thread-safety: any thread.
class RocksResources {
 public:
  explicit RocksResources(RocksDatabase& database) : database_(database) {}

  // As in Store.
  Result<ResourceRow> apply(std::string_view kind, std::string_view name, std::string_view content,
                            Instant at);
  Result<ResourceRow> remove(std::string_view kind, std::string_view name, Instant at);
  Result<ResourceRow> get(std::string_view kind, std::string_view name,
                          std::optional<std::uint64_t> revision) const;
  Result<ResourceRow> by_hash(const ContentHash& hash) const;
  Result<std::vector<ResourceRow>> list(std::string_view kind) const;
  /// How often something was written since the start.
  std::uint64_t writes() const { return writes_.load(); }
  Result<std::vector<ResourceRow>> history(std::string_view kind, std::string_view name) const;

 private:
  Result<std::optional<ResourceRow>> newest(std::string_view kind, std::string_view name) const;
  Result<ResourceRow> write(ResourceRow row);
  Error unknown(std::string_view kind, std::string_view name) const;

  RocksDatabase& database_;
  std::mutex writing_;
  std::atomic<std::uint64_t> writes_ = 0;
};

} // namespace skein::storage
