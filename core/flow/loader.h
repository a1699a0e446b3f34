#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/flow/definition.h"
#include "core/ports/tool.h"
#include "core/resources/document.h"

namespace skein::flow {

/// One complaint about a file, at its place.
struct Finding {
  Error error; ///< detail starts with "FILE:LINE:COLUMN: PATH: "
  Mark mark;
  bool warning = false;
};

/// Whether there is, or will be, a flow of this name.
using KnowsFlow = std::function<bool(std::string_view)>;

struct LoadOptions {
  bool lenient =
      false; ///< unknown keys are warnings; what can only fail once it runs is no finding
  const ToolBox* tools =
      nullptr; ///< where given: unknown tools and wrong constant inputs are findings
  /// Where given: flows that steps name and it does not know are warnings.
  KnowsFlow knows_flow = {};
};

/// What loading a document came to: a definition if and only if no finding is an error.
struct Loaded {
  DefinitionPtr definition;
  std::vector<Finding> findings; ///< all of them, in the file's order
};

/// Reads a Flow resource, strictly: unknown keys, wrong types, bad expressions, unknown steps,
/// cycles, unreachable steps, and references to steps that cannot have run are all found here, with
/// their places.
///
/// How a file becomes a graph:
/// - A step without `needs` follows the step above it in its list; `needs: []` starts at once;
/// `needs: [a, b]` joins.
/// - The target of a `goto` (of a switch or of on_error) without `needs` is reached by these only.
/// - Branches of `parallel` share the scope of the flow; the body of a `for_each` has its own, once
/// per item.
Loaded load(const Document& document, const LoadOptions& options = {});

/// Canonical JSON of the document: what storage keeps and what the revision is the hash of.
std::string canonical_text(const Document& document);

} // namespace skein::flow
