#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/value/value.h"

/// What the command prints: values and tables to standard output, everything else to standard
/// error.
namespace skein::cli {

enum class Format { text, json, yaml, wide, name };

/// Data, to standard output. A failed write is remembered, see finish_output.
void put(std::string_view text);
/// Flushes standard output. Answers the exit code: `code`, or kFailed with a message where the
/// output could not be written. A reader that went away (`| head -1`) is no failure.
int finish_output(int code);

/// Prints "error: SKnnnn: …" with its hint to standard error, or as JSON where errors_as_json said
/// so, and answers the exit code that fits.
int complain(const Error& error);
/// From here on errors are {"error":{"code":…,"message":…,"hint":…}}, one line each.
void errors_as_json(bool json);
bool errors_are_json();

/// JSON, or YAML where that is asked for, to standard output.
void print_value(Format format, const Value& value);
/// One of a stream: JSON on one line, or a YAML document. At once, for whoever reads along.
void print_next(Format format, const Value& value);
/// YAML as people write it.
std::string to_yaml(const Value& value);
/// Columns that line up, the first row as a heading.
std::string table(const std::vector<std::vector<std::string>>& rows);
/// Without control characters, so that what a run says cannot drive a terminal.
std::string harmless(std::string_view text);
/// On one line, cut to at most `columns` characters (not bytes).
std::string shortened(std::string_view text, std::size_t columns);
/// How many columns it takes, one for each character.
std::size_t columns_of(std::string_view text);

} // namespace skein::cli
