#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace skein::flow {

/// How deep for_each may be nested.
inline constexpr std::size_t kMaxNesting = 6;

/// A step of a definition, by its position in Definition::steps.
using StepIndex = std::uint16_t;

/// One execution of one step: which step, and which item of each for_each around it, outermost
/// first.
struct Place {
  StepIndex step = 0;
  std::uint8_t depth = 0;
  std::array<std::uint32_t, kMaxNesting> items{};

  std::span<const std::uint32_t> path() const { return {items.data(), depth}; }
  auto operator<=>(const Place&) const = default;
  bool operator==(const Place& other) const {
    using Words = std::array<std::uint64_t, kMaxNesting / 2>;
    const auto a = std::bit_cast<Words>(items);
    const auto b = std::bit_cast<Words>(other.items);
    return step == other.step && depth == other.depth && a[0] == b[0] && a[1] == b[1] &&
           a[2] == b[2];
  }
};

/// The same place one for_each deeper. REQUIRES: depth < kMaxNesting.
Place inside(const Place& place, std::uint32_t item);

/// Another step of the same frame or of one around it. REQUIRES: depth <= place.depth.
Place around(const Place& place, StepIndex step, std::uint8_t depth);

/// "" at the top, "[3]" in the fourth item, "[3][0]" deeper.
std::string path_text(const Place& place);

/// "0" at the top, "3" in the fourth item, "3.0" deeper: the last part of an effect key.
std::string iteration_text(const Place& place);

} // namespace skein::flow
