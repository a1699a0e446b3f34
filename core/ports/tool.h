#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.h"
#include "core/base/instant.h"
#include "core/base/result.h"
#include "core/value/value.h"

namespace skein {

/// What may happen when an effect runs again after a crash.
enum class EffectClass : std::uint8_t {
  pure,       ///< touches nothing outside: run again freely; needs no committed intent
  idempotent, ///< running twice is the same as once
  keyed,      ///< the other side drops repeats of the same key
  verify,     ///< has a probe that tells whether it happened
  unsafe,     ///< unknown: a started effect without a result is in doubt
  llm,        ///< a paid call: may run again, its cost counts
};

std::string_view name_of(EffectClass effect_class);
std::optional<EffectClass> parse_effect_class(std::string_view name);

/// One execution of a tool, as a step asks for it.
struct ToolCall {
  std::string tool;
  Value input;
  RunId run;
  std::string step;          ///< step id
  std::uint32_t attempt = 1; ///< 1, 2, …
  std::string key;           ///< "run/step/iteration": the same for every attempt, node and replay
  std::optional<Instant> deadline; ///< by the wall clock; the tool must give up by then
};

/// Line of output while a tool runs; lost in a crash, shown by `run logs`.
struct ToolLog {
  std::string level;
  std::string message;
  Value fields;
};

using ToolResult = Result<Value>;
using ToolDone = std::function<void(ToolResult)>;

/// A running call that can be asked to stop.
class ToolHandle {
 public:
  virtual ~ToolHandle() = default;
  /// Asks the call to end soon; its result still arrives (step_cancelled, or what it had reached).
  /// Thread-safety: any thread, any number of times.
  virtual void cancel() = 0;
};

/// What a tool is, for people, validation and effect dispatch.
struct ToolDescription {
  std::string name;
  std::string summary;                            ///< one line
  EffectClass effect_class = EffectClass::unsafe; ///< where the call does not tell more
  Value input_schema;                             ///< JSON Schema 2020-12
  Value output_schema;
};

/// Something a step can do.
///
/// Errors (in results): tool_input_invalid, tool_failed, tool_unavailable, tool_timeout,
/// tool_denied, tool_output_limit, step_cancelled, http_* of the http tool, and file_missing.
/// Thread-safety: any thread.
class Tool {
 public:
  virtual ~Tool() = default;
  virtual const ToolDescription& description() const = 0;
  /// The class of this very call: an http GET is idempotent, a POST is not.
  virtual EffectClass effect_class(const Value& input) const {
    (void)input;
    return description().effect_class;
  }
  /// Checks an input (constant parts of a flow at validate time, everything before a call).
  virtual Result<void> check(const Value& input) const = 0;
  /// Runs at once on the caller's thread where it takes no longer than microseconds (json,
  /// transform); otherwise nothing, and start() is the way.
  virtual std::optional<ToolResult> run_inline(const ToolCall& call) {
    (void)call;
    return std::nullopt;
  }
  /// Starts the call; `done` is called exactly once, from any thread, possibly before start
  /// returns.
  virtual std::unique_ptr<ToolHandle> start(const ToolCall& call, ToolDone done) = 0;
  /// For class verify: the result of an earlier attempt with this key, or nothing where it did not
  /// happen.
  virtual Result<std::optional<Value>> probe(const ToolCall& call) {
    (void)call;
    return std::optional<Value>();
  }
};

/// The tools of a node by name.
/// Thread-safety: any thread.
class ToolBox {
 public:
  virtual ~ToolBox() = default;
  /// Null where there is none of that name.
  virtual Tool* find(std::string_view name) const = 0;
  virtual std::vector<std::string_view> names() const = 0; ///< sorted
};

} // namespace skein
