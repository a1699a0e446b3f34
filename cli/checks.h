#pragma once

#include <CLI/CLI.hpp>

/// What the parser refuses before a command begins.
namespace skein::cli {

/// Refuses "": what an unset variable of a script leaves.
CLI::Validator not_empty();

/// A whole number from 1 on.
CLI::Validator from_one();

} // namespace skein::cli
