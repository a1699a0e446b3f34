#pragma once

#include <algorithm>
#include <cctype>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/ports/store.h"

namespace skein::test {

/// The resources of a store without a disk: every revision of every name.
class MemoryResources : public Store {
 public:
  Result<void> admits() const override {
    return has_room ? Result<void>() : Error{Code::storage_full, "there is no room for more"};
  }
  bool has_room = true;

  Result<ResourceRow> apply_resource(std::string_view kind, std::string_view name,
                                     std::string_view content, Instant when) override {
    const std::lock_guard lock(mutex_);
    auto& revisions = resources_[{std::string(kind), std::string(name)}];
    const ContentHash hash = content_hash(content);
    if (revisions.empty() || revisions.back().deleted || revisions.back().hash != hash) {
      revisions.push_back(ResourceRow{std::string(kind), std::string(name), revisions.size() + 1,
                                      hash, std::string(content), when, false});
    }
    return revisions.back();
  }

  Result<ResourceRow> delete_resource(std::string_view kind, std::string_view name,
                                      Instant when) override {
    const std::lock_guard lock(mutex_);
    const auto it = resources_.find({std::string(kind), std::string(name)});
    if (it == resources_.end() || it->second.back().deleted) {
      return unknown(kind, name);
    }
    it->second.push_back(ResourceRow{std::string(kind), std::string(name), it->second.size() + 1,
                                     content_hash(""), "", when, true});
    return it->second.back();
  }

  Result<ResourceRow> resource(std::string_view kind, std::string_view name,
                               std::optional<std::uint64_t> revision = {}) const override {
    const std::lock_guard lock(mutex_);
    const auto it = resources_.find({std::string(kind), std::string(name)});
    if (it == resources_.end()) {
      return unknown(kind, name);
    }
    const auto& revisions = it->second;
    if (!revision) {
      return revisions.back().deleted ? Result<ResourceRow>(unknown(kind, name))
                                      : Result<ResourceRow>(revisions.back());
    }
    return *revision == 0 || *revision > revisions.size()
               ? Result<ResourceRow>(unknown(kind, name))
               : Result<ResourceRow>(revisions[*revision - 1]);
  }

  Result<ResourceRow> resource_by_hash(const ContentHash& hash) const override {
    const std::lock_guard lock(mutex_);
    for (const auto& [names, revisions] : resources_) {
      for (const ResourceRow& row : revisions) {
        if (!row.deleted && row.hash == hash) {
          return row;
        }
      }
    }
    return Error{Code::resource_unknown, "no resource has content " + to_string(hash), ""};
  }

  Result<std::vector<ResourceRow>> list_resources(std::string_view kind) const override {
    const std::lock_guard lock(mutex_);
    std::vector<ResourceRow> rows;
    for (const auto& [names, revisions] : resources_) {
      if (names.first == kind && !revisions.back().deleted) {
        rows.push_back(revisions.back());
      }
    }
    return rows;
  }

  Result<std::vector<ResourceRow>> resource_history(std::string_view kind,
                                                    std::string_view name) const override {
    const std::lock_guard lock(mutex_);
    const auto it = resources_.find({std::string(kind), std::string(name)});
    return it == resources_.end() ? Result<std::vector<ResourceRow>>(unknown(kind, name))
                                  : Result<std::vector<ResourceRow>>(it->second);
  }

 protected:
  mutable std::mutex mutex_;

 private:
  static Error unknown(std::string_view kind, std::string_view name) {
    std::string noun(kind);
    std::transform(noun.begin(), noun.end(), noun.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return {Code::resource_unknown, "there is no " + noun + " \"" + std::string(name) + "\"",
            "see `skein get " + noun + "`"};
  }

  std::map<std::pair<std::string, std::string>, std::vector<ResourceRow>> resources_;
};

} // namespace skein::test
