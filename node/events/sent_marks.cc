#include "node/events/sent_marks.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>
#include <vector>

namespace skein::node {

LogIndex SentMarks::before(PartitionId partition) const {
  const std::lock_guard lock(mutex_);
  const auto found = before_.find(partition);
  return found == before_.end() ? LogIndex() : found->second;
}

void SentMarks::delivered(PartitionId partition, LogIndex before) {
  const std::lock_guard lock(mutex_);
  LogIndex& known = before_[partition];
  news_ = news_ || before > known;
  known = std::max(known, before);
}

std::optional<Value> SentMarks::news() {
  const std::lock_guard lock(mutex_);
  if (!std::exchange(news_, false)) {
    return {};
  }
  std::vector<MapEntry> sent;
  for (const auto& [partition, before] : before_) {
    sent.emplace_back(std::to_string(partition.get()), static_cast<std::int64_t>(before.get()));
  }
  return object({{"sent", Value::of_map(std::move(sent))}, {"log", std::to_string(log_)}});
}

void SentMarks::learn(const Value& kept) {
  const Value* log = kept.find("log");
  const Value* sent = kept.find("sent");
  if (log == nullptr || sent == nullptr || !sent->is(Kind::map) || !log->is(Kind::string) ||
      log->as_string() != std::to_string(log_)) {
    return;
  }
  const std::lock_guard lock(mutex_);
  for (const MapEntry& entry : sent->as_map()) {
    const std::string name(entry.first.as_string());
    std::uint16_t partition = kPartitions;
    std::from_chars(name.data(), name.data() + name.size(), partition);
    if (partition < kPartitions && entry.second.is(Kind::integer)) {
      LogIndex& known = before_[PartitionId(partition)];
      known = std::max(known, LogIndex(static_cast<std::uint64_t>(entry.second.as_int())));
    }
  }
}

} // namespace skein::node
