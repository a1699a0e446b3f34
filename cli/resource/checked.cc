#include "cli/resource/checked.h"

#include <cstdio>

namespace skein::cli {

flow::DefinitionPtr checked(const Context& context, const Document& document, bool lenient) {
  const auto settings = context.settings();
  if (!settings) {
    complain(settings.error());
    return nullptr;
  }
  flow::Loaded loaded = node::check_flow(document, *settings, lenient);
  for (const flow::Finding& finding : loaded.findings) {
    if (!finding.warning) {
      complain(finding.error);
    } else if (!context.quiet) {
      std::fprintf(stderr, "warning: %s\n", harmless(to_string(finding.error)).c_str());
    }
  }
  return loaded.definition;
}

} // namespace skein::cli
