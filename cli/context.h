#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/run/run.h"
#include "core/value/value.h"
#include "node/node.h"

namespace skein::cli {

// What a process answers with; docs/cli.md.
inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kWrongUsage = 2;
inline constexpr int kUnreachable = 3;
inline constexpr int kWaiting = 4;
inline constexpr int kInterrupted = 130;

enum class Format { text, json, yaml, wide, name };

/// What the global flags said.
struct Context {
  std::filesystem::path data; ///< --data, SKEIN_DATA, or ~/.local/share/skein
  Format format = Format::text;
  bool quiet = false;
  std::string user; ///< who approves, cancels, …: $USER

  Result<std::unique_ptr<node::Node>> open(bool recover = false) const;
};

/// Prints "error: SKnnnn: …" with its hint to standard error and answers the exit code that fits.
int complain(const Error& error);

/// The shape of a run that programs rely on.
Result<Value> to_value(const Store& store, const RunRecord& record);
/// In the format asked for: JSON or YAML to standard output.
void print_value(const Context& context, const Value& value);
/// YAML as people write it.
std::string to_yaml(const Value& value);
/// Columns that line up, the first row as a heading.
std::string table(const std::vector<std::vector<std::string>>& rows);
/// Without control characters, so that what a run says cannot drive a terminal.
std::string harmless(std::string_view text);

/// "a=1", "a.b=x": JSON where it reads as JSON, text otherwise, into one map.
Result<Value> fields_of(const std::vector<std::string>& words);
/// -i JSON, -i k=v …, or the file that --input-file names.
Result<Value> input_of(const std::vector<std::string>& words, const std::string& file);
Result<std::string> read_file(const std::string& file);

/// Stays with a run until it ends or waits for a person, prints what came of it.
int follow(const Context& context, node::Node& node, const RunId& run);

} // namespace skein::cli
