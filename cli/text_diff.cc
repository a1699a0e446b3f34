#include "cli/text_diff.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace skein::cli {
namespace {

constexpr std::size_t kContext = 3;
constexpr std::size_t kMostCells = 4'000'000;

using Lines = std::vector<std::string_view>;

Lines lines_of(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

struct Edit {
  char mark; // ' ', '-' or '+'
  std::string_view line;
};

// Lengths of the longest common subsequences of the rests; one row and column more than the lines.
std::vector<std::uint32_t> lengths(const Lines& a, const Lines& b) {
  const std::size_t width = b.size() + 1;
  std::vector<std::uint32_t> cells((a.size() + 1) * width, 0);
  for (std::size_t i = a.size(); i-- > 0;) {
    for (std::size_t j = b.size(); j-- > 0;) {
      cells[i * width + j] = a[i] == b[j]
                                 ? cells[(i + 1) * width + j + 1] + 1
                                 : std::max(cells[(i + 1) * width + j], cells[i * width + j + 1]);
    }
  }
  return cells;
}

std::vector<Edit> edits_of(const Lines& a, const Lines& b) {
  std::vector<Edit> edits;
  const bool large = (a.size() + 1) * (b.size() + 1) > kMostCells;
  const auto cells = large ? std::vector<std::uint32_t>() : lengths(a, b);
  const std::size_t width = b.size() + 1;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() || j < b.size()) {
    if (!large && i < a.size() && j < b.size() && a[i] == b[j]) {
      edits.push_back({' ', a[i++]});
      ++j;
    } else if (i < a.size() &&
               (large || j == b.size() || cells[(i + 1) * width + j] >= cells[i * width + j + 1])) {
      edits.push_back({'-', a[i++]});
    } else {
      edits.push_back({'+', b[j++]});
    }
  }
  return edits;
}

} // namespace

std::string text_diff(std::string_view before, std::string_view after) {
  const auto edits = edits_of(lines_of(before), lines_of(after));
  std::vector<bool> shown(edits.size(), false);
  for (std::size_t i = 0; i < edits.size(); ++i) {
    if (edits[i].mark != ' ') {
      const std::size_t from = i - std::min(i, kContext);
      std::fill(
          shown.begin() + static_cast<std::ptrdiff_t>(from),
          shown.begin() + static_cast<std::ptrdiff_t>(std::min(i + kContext + 1, edits.size())),
          true);
    }
  }
  std::string out;
  for (std::size_t i = 0; i < edits.size(); ++i) {
    if (shown[i]) {
      out += std::string(1, edits[i].mark) + std::string(edits[i].line) + "\n";
    } else if (i > 0 && shown[i - 1]) {
      out += "...\n";
    }
  }
  return out.ends_with("...\n") ? out.substr(0, out.size() - 4) : out;
}

} // namespace skein::cli
