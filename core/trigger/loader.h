#pragma once

#include <string>
#include <vector>

#include "core/flow/loading/reader.h"
#include "core/trigger/definition.h"

namespace skein::trigger {

/// What loading a Trigger came to: a definition if and only if no finding is an error.
struct Loaded {
  DefinitionPtr definition;
  std::vector<flow::Finding> findings;
};

/// Reads a Trigger resource as strictly as a flow. `lenient`: unknown keys are warnings.
Loaded load(const Document& document, bool lenient = false);

/// Reads `on:` of a flow: what its own triggers would be.
std::vector<Definition> read_on(flow::loading::Reader& reader, const flow::loading::At& on,
                                const std::string& flow);

/// The triggers that a flow, which loaded without a finding, has of its own.
std::vector<DefinitionPtr> triggers_of(const Document& flow);

} // namespace skein::trigger
