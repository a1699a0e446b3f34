#pragma once

#include "node/node.h"
#include "tools/settings.h"

namespace skein::node {

/// What the tools of a node are told. REQUIRES: the data directory is there, or it cannot be told
/// which directory is kept from them.
tools::ToolSettings tool_settings(const Settings& settings);

} // namespace skein::node
