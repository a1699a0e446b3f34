#pragma once

#include <algorithm>
#include <tuple>

#include "core/ports/store.h"

/// Which runs a list shows, and in what order.
namespace skein::test {

inline bool newer(const RunRecord& a, const RunRecord& b) {
  return std::tie(b.created_at, a.id) < std::tie(a.created_at, b.id);
}

inline bool shows(const RunFilter& filter, const RunRecord& record) {
  const auto has = [&](const std::pair<std::string, std::string>& wanted) {
    const Value* const label = record.labels.find(std::string_view(wanted.first));
    return label != nullptr && *label == Value(wanted.second);
  };
  return (!filter.state || record.state == *filter.state) &&
         (filter.definition.empty() || record.definition == filter.definition) &&
         std::all_of(filter.labels.begin(), filter.labels.end(), has);
}

} // namespace skein::test
