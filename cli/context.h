#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "cli/output.h"
#include "core/base/result.h"
#include "core/run/run.h"
#include "core/value/value.h"
#include "node/api/shapes.h"
#include "node/node.h"
#include "node/remote/endpoint.h"

namespace skein::cli {

// What a process answers with; docs/cli.md.
inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kWrongUsage = 2;
inline constexpr int kUnreachable = 3;
inline constexpr int kWaiting = 4;
inline constexpr int kInterrupted = 130;

/// What the global flags said.
struct Context {
  std::filesystem::path data; ///< --data, SKEIN_DATA, the context's, or ~/.local/share/skein
  bool data_given = false;    ///< by --data
  std::string name;           ///< of the context that is gone by; "" for none
  std::string server;         ///< the context's node; "" where it is a data directory
  std::string token;
  std::optional<Error> trouble; ///< why it cannot be told which place is meant
  Format format = Format::text;
  bool quiet = false;
  bool colour = true;    ///< where there is a terminal
  std::string log_level; ///< "" where nothing is said
  std::string user;      ///< who approves, cancels, …: $USER

  bool structured() const { return format == Format::json || format == Format::yaml; }

  /// What a node would be told: the data directory, and what the environment lets tools do.
  /// Errors: usage_invalid.
  Result<node::Settings> settings() const;

  /// For commands that look at what is stored or change it, and do not stay: what is asked for
  /// becomes durable, but no timer fires and no attempt begins that the end of this process would
  /// cut off. The next process that stays goes on. A directory that is not there, or was never
  /// Skein's, is refused unless `make` is set and it is absent or empty.
  Result<std::unique_ptr<node::Node>> open(bool make = false) const;

  /// For commands that stay while runs go on. With `recover` all that are there do.
  Result<std::unique_ptr<node::Node>> open_to_work(bool recover = false) const;
  /// The same, and makes the directory.
  Result<std::unique_ptr<node::Node>> make_and_work() const;

  /// Where the node is: that of the context, or the one that has the data directory open.
  /// Errors: node_unreachable where there is none.
  Result<node::Endpoint> endpoint() const;
};

/// In the format that was asked for: JSON or YAML.
inline void print_value(const Context& context, const Value& value) {
  print_value(context.format, value);
}

/// The wall clock.
Instant now();

using node::caught_up;
using node::record_of;
using node::to_value;

} // namespace skein::cli
