#include <algorithm>
#include <cctype>

#include "node/api/asked.h"
#include "node/api/documents.h"
#include "node/api/service.h"
#include "node/api/shapes.h"
#include "node/resources/kinds.h"
#include "node/system_clock.h"

namespace skein::node {
namespace {

using gateway::Method;
using gateway::Request;
using gateway::Response;

// "flow", "flows" and "Flow" are the same kind.
std::string without_plural(std::string kind) {
  std::ranges::transform(kind, kind.begin(), [](unsigned char c) { return std::tolower(c); });
  if (kind.ends_with('s')) {
    kind.pop_back();
  }
  return kind;
}

Result<std::string> kind_in(const Request& request) {
  const std::string& kind = request.parameter("kind");
  for (const std::string& known : known_kinds()) {
    if (without_plural(known) == without_plural(kind)) {
      return known;
    }
  }
  return Error{Code::resource_kind_unknown, "there is no kind \"" + kind + "\"",
               "kinds of this version: flow, trigger"};
}

Response rows(const Request& request, const Result<std::vector<ResourceRow>>& found) {
  if (!found) {
    return gateway::refuse(found.error());
  }
  FrameWriter frames;
  std::vector<Value> items;
  for (const ResourceRow& row : *found) {
    if (wants_frames(request)) {
      frames.add(row);
    } else {
      items.push_back(to_value(row));
    }
  }
  return wants_frames(request)
             ? answer(std::move(frames))
             : gateway::answer(object({{"items", Value::of_list(std::move(items))}}));
}

Response row(const Request& request, const Result<ResourceRow>& found) {
  if (!found) {
    return gateway::refuse(found.error());
  }
  if (!wants_frames(request)) {
    return gateway::answer(to_value(*found));
  }
  FrameWriter frames;
  frames.add(*found);
  return answer(std::move(frames));
}

Response list(const Service& service, const Request& request) {
  const auto kind = kind_in(request);
  return kind ? rows(request, service.node.store().list_resources(*kind))
              : gateway::refuse(kind.error());
}

Response revisions(const Service& service, const Request& request) {
  const auto kind = kind_in(request);
  return kind ? rows(request,
                     service.node.store().resource_history(*kind, request.parameter("name")))
              : gateway::refuse(kind.error());
}

Response one(const Service& service, const Request& request) {
  const auto kind = kind_in(request);
  const auto revision = number_in(request, "revision", 0);
  if (!kind || !revision) {
    return gateway::refuse(kind ? revision.error() : kind.error());
  }
  return row(request, resource_of(service.node.store(), *kind, request.parameter("name"),
                                  *revision > 0 ? std::optional(*revision) : std::nullopt));
}

// Who applies a trigger and publishes at once means the new one.
void put_in_force(const Service& service) {
  if (const auto events = service.bus != nullptr ? service.bus->events() : nullptr) {
    events->refresh();
  }
}

Response remove(const Service& service, const Request& request) {
  const auto kind = kind_in(request);
  if (!kind) {
    return gateway::refuse(kind.error());
  }
  const auto gone =
      service.node.store().delete_resource(*kind, request.parameter("name"), SystemClock().now());
  put_in_force(service);
  return row(request, gone);
}

Response by_hash(const Service& service, const Request& request) {
  const auto hash = parse_content_hash(request.parameter("hash"));
  return hash ? row(request, service.node.store().resource_by_hash(*hash))
              : gateway::refuse(Error{Code::request_invalid, "that is no hash: sha256:…"});
}

Response apply(const Service& service, const Request& request) {
  const auto lenient = flag_in(request, "lenient");
  const auto applied = lenient ? apply_documents(service, request.body, *lenient) : lenient.error();
  if (!applied) {
    return gateway::refuse(applied.error());
  }
  put_in_force(service);
  if (wants_frames(request)) {
    FrameWriter frames;
    for (const Applied& each : *applied) {
      frames.add(each.after);
    }
    return answer(std::move(frames));
  }
  std::vector<Value> items;
  for (const Applied& each : *applied) {
    items.push_back(object({{"kind", each.after.kind},
                            {"name", each.after.name},
                            {"revision", static_cast<std::int64_t>(each.after.revision)},
                            {"hash", to_string(each.after.hash)},
                            {"applied_at", to_string(each.after.applied_at)},
                            {"result", came_to(each)}}));
  }
  return gateway::answer(object({{"items", Value::of_list(std::move(items))}}));
}

Response validate(const Service& service, const Request& request) {
  const auto lenient = flag_in(request, "lenient");
  const auto checked = lenient ? check_documents(service, request.body, *lenient) : lenient.error();
  if (!checked) {
    return gateway::refuse(checked.error());
  }
  std::vector<Value> items;
  for (const Checked& each : *checked) {
    std::vector<Value> findings;
    for (const flow::Finding& finding : each.findings) {
      findings.push_back(object({{"code", to_string(finding.error.code)},
                                 {"warning", finding.warning},
                                 {"message", finding.error.detail},
                                 {"hint", finding.error.hint}}));
    }
    items.push_back(object({{"kind", each.kind},
                            {"name", each.name},
                            {"valid", each.valid},
                            {"findings", Value::of_list(std::move(findings))}}));
  }
  return gateway::answer(object({{"items", Value::of_list(std::move(items))}}));
}

constexpr const char* kDocument =
    R"({"type": "object", "description": "a resource, as JSON or YAML; several YAML documents too",
        "required": ["apiVersion", "kind", "metadata", "spec"]})";

template <class Handle>
auto with(Service& service, Handle handle) {
  return [&service, handle](const Request& request) { return handle(service, request); };
}

void add_writes(gateway::Routes& routes, Service& service) {
  const gateway::Parameter lenient{"lenient", "unknown keys are warnings", "boolean"};
  routes.add({.method = Method::post,
              .path = "/v1/resources",
              .name = "apply_resources",
              .summary = "Store new revisions: of all documents, or of none where one is wrong",
              .query = {lenient},
              .body = kDocument,
              .answers = "`items`: what each document came to",
              .handle = with(service, apply)});
  routes.add({.method = Method::post,
              .path = "/v1/validate",
              .name = "validate_resources",
              .summary = "Check documents and store nothing",
              .query = {lenient},
              .body = kDocument,
              .answers = "`items`: what was found in each document",
              .handle = with(service, validate)});
  routes.add({.method = Method::remove,
              .path = "/v1/resources/{kind}/{name}",
              .name = "delete_resource",
              .summary = "Delete a resource; runs in flight keep theirs",
              .answers = "the mark that took its place",
              .handle = with(service, remove)});
}

} // namespace

void add_resource_routes(gateway::Routes& routes, Service& service) {
  add_writes(routes, service);
  routes.add({.path = "/v1/resources/{kind}",
              .name = "list_resources",
              .summary = "Resources of a kind, by name",
              .answers = "`items`",
              .handle = with(service, list)});
  routes.add({.path = "/v1/resources/{kind}/{name}",
              .name = "get_resource",
              .summary = "One resource",
              .query = {{"revision", "this one rather than the newest", "integer"}},
              .answers = "the resource",
              .handle = with(service, one)});
  routes.add({.path = "/v1/resources/{kind}/{name}/revisions",
              .name = "get_revisions",
              .summary = "Every revision of a resource",
              .answers = "`items`",
              .handle = with(service, revisions)});
  routes.add({.path = "/v1/definitions/{hash}",
              .name = "get_definition",
              .summary = "A revision by its hash: what a run is pinned to",
              .answers = "the resource",
              .handle = with(service, by_hash)});
}

} // namespace skein::node
