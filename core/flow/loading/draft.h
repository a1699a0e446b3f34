#pragma once

#include <string>
#include <vector>

#include "core/flow/definition.h"
#include "core/flow/loading/reader.h"

namespace skein::flow::loading {

/// A definition while it is being made, with the nodes that its steps come from.
///
///   outline ──► edges and graph checks ──► expressions and settings
struct Draft {
  Definition definition;
  std::vector<At> nodes;                 ///< by StepIndex
  std::vector<std::string> kinds;        ///< by StepIndex: "tool", "for_each", …
  std::vector<std::vector<bool>> before; ///< before[a][b]: b has ended whenever a begins
};

/// Which steps, blocks and scopes there are; kinds hold only their blocks.
void outline(Reader& reader, const At& spec, Draft& draft);

/// Edges from `needs`, from the order of steps and from `goto`; unknown ids, cycles and unreachable
/// steps.
void connect(Reader& reader, Draft& draft);

/// What each step does, with its expressions compiled.
void fill(Reader& reader, const At& spec, const LoadOptions& options, Draft& draft);

} // namespace skein::flow::loading
