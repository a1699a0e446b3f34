#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace skein {

/// The candidate that a mistyped name most likely meant, if one is near enough (a third of its
/// letters wrong, and at least one right). Case, '-' and '_' do not count. Source:
/// Damerau-Levenshtein distance, optimal string alignment.
std::optional<std::string_view> nearest(std::string_view name,
                                        std::span<const std::string_view> candidates);

/// " (did you mean \"retry\"?)", or "" where nothing is near.
std::string did_you_mean(std::string_view name, std::span<const std::string_view> candidates);

/// For a hint: "keys here: a, b", or "" where a near name was suggested or there is none to list.
std::string listed(std::string_view what, std::string_view name,
                   std::span<const std::string_view> candidates);

} // namespace skein
