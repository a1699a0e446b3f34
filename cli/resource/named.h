#pragma once

#include <functional>

#include "cli/commands.h"

namespace skein::cli {

/// One of the kinds that this version knows.
struct KindRow {
  const char* kind;   ///< "Flow"
  const char* name;   ///< "flow"
  const char* plural; ///< "flows"
  const char* version;
  const char* summary;
};
const std::vector<KindRow>& kinds();
/// By its name or its plural.
const KindRow& kind_called(const std::string& name);

using ResourceAct = std::function<int(const Context&, const KindRow&, const std::string& name)>;

/// A command on one resource (or all, where the name may be left out): `get KIND NAME`, or `flow
/// get NAME` below a noun.
CLI::App& add_on_resource(CLI::App& app, Chosen& chosen, Noun noun, const char* name,
                          const char* summary, bool named, ResourceAct act);

/// The resource. Errors: resource_unknown, with the nearest known name.
Result<ResourceRow> resource_of(const Store& store, const KindRow& kind, const std::string& name,
                                std::optional<std::uint64_t> revision = {});

} // namespace skein::cli
