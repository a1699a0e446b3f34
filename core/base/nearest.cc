#include "core/base/nearest.h"

#include <algorithm>
#include <vector>

namespace skein {
namespace {

std::string folded(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c != '-' && c != '_') {
      out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
    }
  }
  return out;
}

std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::vector<std::size_t>> rows(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        rows[i][j] = i + j;
        continue;
      }
      const std::size_t change = rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      rows[i][j] = std::min({rows[i - 1][j] + 1, rows[i][j - 1] + 1, change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        rows[i][j] = std::min(rows[i][j], rows[i - 2][j - 2] + 1);
      }
    }
  }
  return rows[a.size()][b.size()];
}

} // namespace

std::optional<std::string_view> nearest(std::string_view name,
                                        std::span<const std::string_view> candidates) {
  constexpr std::size_t kLongestName = 64; // the table is quadratic in the name a user typed
  const std::string wanted = folded(name.substr(0, kLongestName));
  std::optional<std::string_view> best;
  std::size_t best_distance = std::max<std::size_t>(1, wanted.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    const std::size_t d = distance(wanted, folded(candidate));
    // One letter for another has nothing in common with it.
    if (d < best_distance && d < std::max(wanted.size(), candidate.size())) {
      best_distance = d;
      best = candidate;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view name, std::span<const std::string_view> candidates) {
  const auto best = nearest(name, candidates);
  return best ? " (did you mean \"" + std::string(*best) + "\"?)" : std::string();
}

std::string listed(std::string_view what, std::string_view name,
                   std::span<const std::string_view> candidates) {
  constexpr std::size_t kMost = 40; // beyond that nobody reads a list
  if (candidates.empty() || candidates.size() > kMost || nearest(name, candidates)) {
    return {};
  }
  std::string all(what);
  for (const std::string_view& candidate : candidates) {
    all += (&candidate == candidates.data() ? ": " : ", ") + std::string(candidate);
  }
  return all;
}

} // namespace skein
