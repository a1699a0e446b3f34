#include "cli/resource/checked.h"

#include <cstdio>

namespace skein::cli {
namespace {

void tell(const Context& context, const std::vector<flow::Finding>& findings) {
  for (const flow::Finding& finding : findings) {
    if (!finding.warning) {
      complain(finding.error);
    } else if (!context.quiet) {
      std::fprintf(stderr, "warning: %s\n", harmless(to_string(finding.error)).c_str());
    }
  }
}

} // namespace

node::CheckedDocument checked_document(const Context& context, const Document& document,
                                       bool lenient, flow::KnowsFlow knows_flow) {
  const auto settings = context.settings();
  if (!settings) {
    complain(settings.error());
    return {};
  }
  node::CheckedDocument checked =
      node::check_document(document, *settings, lenient, std::move(knows_flow));
  tell(context, checked.findings);
  return checked;
}

flow::DefinitionPtr checked(const Context& context, const Document& document, bool lenient) {
  const auto settings = context.settings();
  if (!settings) {
    complain(settings.error());
    return nullptr;
  }
  flow::Loaded loaded = node::check_flow(document, *settings, lenient);
  tell(context, loaded.findings);
  return loaded.definition;
}

} // namespace skein::cli
