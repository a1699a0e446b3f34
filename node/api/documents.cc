#include "node/api/documents.h"

#include <algorithm>

#include "node/resources/kinds.h"
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

CheckedDocument check(const Service& service, const Document& document, bool lenient) {
  return check_document(document, &service.node.tools(), lenient);
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
    CheckedDocument checked = check(service, document, lenient);
    const bool valid = !checked.name.empty();
    all.push_back(
        {std::move(checked.kind), std::move(checked.name), std::move(checked.findings), valid});
  }
  return all;
}

Result<std::vector<Applied>> apply_documents(const Service& service, std::string_view text,
                                             bool lenient) {
  const auto documents = read(text);
  if (!documents) {
    return documents.error();
  }
  std::vector<CheckedDocument> all;
  for (const Document& document : *documents) {
    all.push_back(check(service, document, lenient));
    if (all.back().name.empty()) {
      return std::ranges::find(all.back().findings, false, &flow::Finding::warning)->error;
    }
  }
  Store& store = service.node.store();
  std::vector<Applied> applied;
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto before = store.resource(all[i].kind, all[i].name);
    auto after = store.apply_resource(all[i].kind, all[i].name,
                                      flow::canonical_text((*documents)[i]), SystemClock().now());
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
