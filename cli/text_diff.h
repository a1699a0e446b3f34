#pragma once

#include <string>
#include <string_view>

namespace skein::cli {

/// Lines that differ, with three lines around them, as `diff -u` writes them; "" where none does.
/// Source: the longest common subsequence by dynamic programming; above four million cells the
/// middle is shown as replaced.
std::string text_diff(std::string_view before, std::string_view after);

} // namespace skein::cli
