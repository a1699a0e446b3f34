#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/value/value.h"

/// JSON Schema 2020-12: what a value must look like.
namespace skein::schema {

struct Program; // the compiled document

struct Options {
  bool assert_formats = false;        ///< otherwise `format` is an annotation, as the draft says
  std::size_t max_depth = 200;        ///< of schemas within schemas while a value is checked
  std::uint64_t max_work = 1'000'000; ///< schema objects visited for one value
  std::size_t max_violations = 8;     ///< reported; the rest is not looked for
};

/// One reason why a value does not match.
struct Violation {
  std::string pointer; ///< JSON pointer into the value; "" is the whole value
  std::string reason;  ///< follows the pointer in a sentence: "must be integer, is string"
  std::string keyword; ///< JSON pointer into the schema
  bool operator==(const Violation&) const = default;
};

/// "at /with/timeout: must be string, is int; …", at most three of them.
std::string to_string(std::span<const Violation> violations);

/// One compiled schema document.
///
/// All of core, applicator, unevaluated and validation: $ref, $dynamicRef, $anchor, $id and $defs
/// within the document. Nothing is ever fetched: a reference that leaves the document is refused.
/// Regular expressions are RE2's: no look-around and no back-references, and linear time.
/// Timestamps, durations and bytes count as strings, as JSON writes them.
/// Thread-safety: any thread. Source: json-schema.org/draft/2020-12.
class Schema {
 public:
  /// Errors: schema_invalid; detail says where by a JSON pointer.
  static Result<Schema> compile(const Value& document, const Options& options = {});

  /// Empty where the value matches.
  /// Errors: schema_limit (too deep, too much work).
  Result<std::vector<Violation>> violations(const Value& value) const;

  /// Errors: schema_violation, schema_limit.
  Result<void> check(const Value& value) const;

 private:
  explicit Schema(std::shared_ptr<const Program> program) : program_(std::move(program)) {}
  std::shared_ptr<const Program> program_;
};

} // namespace skein::schema
