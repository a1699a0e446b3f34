#include "node/api/documents.h"

#include <algorithm>

#include "node/system_clock.h"
#include "schemas/yaml.h"

namespace skein::node {
namespace {

// What was accepted once comes back in canonical form, which may be longer than its source.
Result<std::vector<Document>> read(std::string_view text) {
  schemas::YamlLimits limits;
  limits.max_bytes = 8u << 20;
  limits.max_nodes = 1'000'000;
  auto documents = schemas::read_yaml(text, "request", limits);
  if (documents && documents->empty()) {
    return Error{Code::yaml_invalid, "there is no resource in the request",
                 "a resource has apiVersion, kind, metadata and spec"};
  }
  return documents;
}

flow::Loaded load(const Service& service, const Document& document, bool lenient) {
  flow::LoadOptions options;
  options.lenient = lenient;
  options.tools = &service.node.tools();
  return flow::load(document, options);
}

} // namespace

Result<std::vector<Checked>> check_documents(const Service& service, std::string_view text,
                                             bool lenient) {
  const auto documents = read(text);
  if (!documents) {
    return documents.error();
  }
  std::vector<Checked> all;
  for (const Document& document : *documents) {
    flow::Loaded loaded = load(service, document, lenient);
    all.push_back({loaded.definition ? loaded.definition->name : "", std::move(loaded.findings),
                   loaded.definition != nullptr});
  }
  return all;
}

Result<std::vector<Applied>> apply_documents(const Service& service, std::string_view text,
                                             bool lenient) {
  const auto documents = read(text);
  if (!documents) {
    return documents.error();
  }
  std::vector<std::string> names;
  for (const Document& document : *documents) {
    const flow::Loaded loaded = load(service, document, lenient);
    if (!loaded.definition) {
      return std::ranges::find(loaded.findings, false, &flow::Finding::warning)->error;
    }
    names.push_back(loaded.definition->name);
  }
  Store& store = service.node.store();
  std::vector<Applied> applied;
  for (std::size_t i = 0; i < names.size(); ++i) {
    auto before = store.resource("Flow", names[i]);
    auto after = store.apply_resource("Flow", names[i], flow::canonical_text((*documents)[i]),
                                      SystemClock().now());
    if (!after) {
      return after.error();
    }
    applied.push_back(
        {before ? std::optional(std::move(*before)) : std::nullopt, std::move(*after)});
  }
  return applied;
}

std::string_view came_to(const Applied& applied) {
  return !applied.before                                      ? "created"
         : applied.before->revision == applied.after.revision ? "unchanged"
                                                              : "changed";
}

} // namespace skein::node
