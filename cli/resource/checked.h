#pragma once

#include "cli/context.h"
#include "core/flow/definition.h"
#include "core/resources/document.h"
#include "node/resources/kinds.h"

namespace skein::cli {

/// The flow of a document, read as a node reads it, with the tools that it names; every finding is
/// told on standard error. Null where one is an error: the exit code is then kWrongUsage.
flow::DefinitionPtr checked(const Context& context, const Document& document, bool lenient);
/// A document of any kind, in the same way. Its name is empty where one is an error.
node::CheckedDocument checked_document(const Context& context, const Document& document,
                                       bool lenient, flow::KnowsFlow knows_flow = {});

} // namespace skein::cli
