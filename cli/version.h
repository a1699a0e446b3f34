#pragma once

#include <string>

namespace skein::cli {

/// What this binary is, for people: "skein 0.1.0 (36c9f380a1b2, RelWithDebInfo)". The commit is
/// left out where the sources were not a git checkout; it ends in "-dirty" where files had been
/// changed.
std::string version_line();

/// The same for programs: {"version":…,"commit":…,"build_type":…}, one line, no line end.
std::string version_json();

} // namespace skein::cli
