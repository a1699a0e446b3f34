#include "node/cluster/pieces.h"

#include <algorithm>
#include <utility>

namespace skein::node {
namespace {

constexpr std::size_t kMost = 1'024; ///< batches whose parts are not all there
constexpr std::size_t kMostBytes = 256u << 20;

} // namespace

std::optional<std::string> Pieces::add(std::uint64_t sequence, schemas::LogPart&& part) {
  if (part.parts == 1) {
    return std::move(part.bytes);
  }
  while (kept_.size() >= kMost || (bytes_ > kMostBytes && kept_.size() > 1)) {
    drop_oldest(); // of leaders that fell between two parts
  }
  const std::tuple key{part.partition, part.batch};
  Kept& kept = kept_[key];
  if (kept.parts.size() != part.parts) {
    bytes_ -= kept.bytes;
    kept = {sequence, std::vector<std::string>(part.parts), part.parts, 0};
  }
  std::string& place = kept.parts[part.part];
  kept.missing -= place.empty() ? 1 : 0;
  kept.bytes += part.bytes.size() - place.size();
  bytes_ += part.bytes.size() - place.size();
  place = std::move(part.bytes);
  if (kept.missing > 0) {
    return std::nullopt;
  }
  std::string whole;
  for (const std::string& piece : kept.parts) {
    whole += piece;
  }
  bytes_ -= kept.bytes;
  kept_.erase(key);
  return whole;
}

void Pieces::drop_oldest() {
  const auto oldest = std::min_element(
      kept_.begin(), kept_.end(),
      [](const auto& a, const auto& b) { return a.second.first < b.second.first; });
  bytes_ -= oldest->second.bytes;
  kept_.erase(oldest);
}

void Pieces::clear() {
  kept_.clear();
  bytes_ = 0;
}

std::uint64_t Pieces::safe(std::uint64_t sequence) const {
  for (const auto& [key, kept] : kept_) {
    sequence = std::min(sequence, kept.first - 1);
  }
  return sequence;
}

} // namespace skein::node
