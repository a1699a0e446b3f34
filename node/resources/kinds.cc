#include "node/resources/kinds.h"

#include <algorithm>

#include "core/flow/loader.h"
#include "core/trigger/loader.h"

namespace skein::node {

const std::vector<std::string>& known_kinds() {
  static const std::vector<std::string> kinds{"Flow", "Trigger"};
  return kinds;
}

std::string kind_of(const Document& document) {
  const skein::Node* kind = document.root.find("kind");
  const std::string said =
      kind != nullptr && kind->scalar.is(Kind::string) ? std::string(kind->scalar.as_string()) : "";
  return std::ranges::find(known_kinds(), said) != known_kinds().end() ? said : "Flow";
}

CheckedDocument check_document(const Document& document, const ToolBox* tools, bool lenient) {
  CheckedDocument checked{kind_of(document), "", {}};
  if (checked.kind == "Trigger") {
    auto loaded = trigger::load(document, lenient);
    checked.name = loaded.definition ? loaded.definition->name : "";
    checked.findings = std::move(loaded.findings);
    return checked;
  }
  flow::LoadOptions options;
  options.lenient = lenient;
  options.tools = tools;
  auto loaded = flow::load(document, options);
  checked.name = loaded.definition ? loaded.definition->name : "";
  checked.findings = std::move(loaded.findings);
  return checked;
}

CheckedDocument check_document(const Document& document, const Settings& settings, bool lenient,
                               flow::KnowsFlow knows_flow) {
  if (kind_of(document) != "Flow") {
    return check_document(document, static_cast<const ToolBox*>(nullptr), lenient);
  }
  auto loaded = check_flow(document, settings, lenient, std::move(knows_flow));
  return {"Flow", loaded.definition ? loaded.definition->name : "", std::move(loaded.findings)};
}

Result<ResourceRow> apply_document(Store& store, const Document& document, Instant at,
                                   const ToolBox* tools, bool lenient) {
  const CheckedDocument checked = check_document(document, tools, lenient);
  if (checked.name.empty()) {
    return std::ranges::find(checked.findings, false, &flow::Finding::warning)->error;
  }
  return store.apply_resource(checked.kind, checked.name, flow::canonical_text(document), at);
}

} // namespace skein::node
