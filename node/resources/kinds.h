#pragma once

#include <string>
#include <vector>

#include "node/node.h"

namespace skein::node {

/// The kinds that this version stores, as `kind:` names them.
const std::vector<std::string>& known_kinds();

/// What a document says that it is, as far as it says so: for files of several kinds. "Flow" where
/// it names no kind that is known, so that its loader says what is wrong.
std::string kind_of(const Document& document);

/// A document of any kind, checked as a node of these tools reads it.
struct CheckedDocument {
  std::string kind;
  std::string name; ///< "" where a finding is an error
  std::vector<flow::Finding> findings;
};
CheckedDocument check_document(const Document& document, const ToolBox* tools,
                               bool lenient = false);

/// The same with the tools of a node of these settings, which starts nothing.
CheckedDocument check_document(const Document& document, const Settings& settings,
                               bool lenient = false, flow::KnowsFlow knows_flow = {});

/// Checks it and stores a new revision where it changed.
/// Errors: the first that the loader finds, storage_*.
Result<ResourceRow> apply_document(Store& store, const Document& document, Instant at,
                                   const ToolBox* tools, bool lenient = false);

} // namespace skein::node
