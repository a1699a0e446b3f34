#include "core/schema/schema.h"

#include <algorithm>

#include "core/schema/program.h"

namespace skein::schema {

std::string to_string(std::span<const Violation> violations) {
  constexpr std::size_t kShown = 3;
  std::string out;
  for (std::size_t i = 0; i < std::min(kShown, violations.size()); ++i) {
    const Violation& v = violations[i];
    out += i == 0 ? "" : "; ";
    out += v.pointer.empty() ? "the whole value " : "at " + v.pointer + ": ";
    out += v.reason;
  }
  return violations.size() > kShown ? out + "; …" : out;
}

Result<Schema> Schema::compile(const Value& document, const Options& options) {
  auto program = compile_program(document, options);
  if (!program) {
    return program.error();
  }
  return Schema(std::move(*program));
}

Result<std::vector<Violation>> Schema::violations(const Value& value) const {
  return run_program(*program_, value);
}

Result<void> Schema::check(const Value& value) const {
  const auto found = violations(value);
  if (!found) {
    return found.error();
  }
  if (!found->empty()) {
    return Error{Code::schema_violation, to_string(*found)};
  }
  return {};
}

} // namespace skein::schema
