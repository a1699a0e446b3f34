#include <cassert>
#include <map>

#include "core/value/json.h"
#include "gateway/routes.h"

namespace skein::gateway {
namespace {

Value schema_of_type(const std::string& type) { return object({{"type", type}}); }

Value parameter(const std::string& name, const char* in, const std::string& summary,
                const std::string& type, bool required) {
  return object({{"name", name},
                 {"in", in},
                 {"required", required},
                 {"description", summary},
                 {"schema", schema_of_type(type)}});
}

Value parameters_of(const Route& route) {
  std::vector<Value> all;
  for (std::size_t at = route.path.find('{'); at != std::string::npos;
       at = route.path.find('{', at + 1)) {
    const std::string name = route.path.substr(at + 1, route.path.find('}', at) - at - 1);
    all.push_back(parameter(name, "path", "which " + name, "string", true));
  }
  for (const Parameter& asked : route.query) {
    all.push_back(parameter(asked.name, "query", asked.summary, asked.type, false));
  }
  return Value::of_list(std::move(all));
}

Value content(const std::string& type, const Value& schema) {
  return object({{type, object({{"schema", schema}})}});
}

Value refused(const char* description) {
  return object(
      {{"description", description},
       {"content", content("application/json", object({{"$ref", "#/components/schemas/Error"}}))}});
}

Value responses_of(const Route& route) {
  const Value schema =
      route.type == "application/json" ? Value::of_map({}) : schema_of_type("string");
  std::vector<MapEntry> responses{
      {"200", object({{"description", route.answers}, {"content", content(route.type, schema)}})},
      {"default", refused("what was asked for is refused, or failed")}};
  if (!route.open) {
    responses.emplace_back("401", refused("the token is missing or wrong"));
  }
  return Value::of_map(std::move(responses));
}

Value operation_of(const Route& route) {
  std::vector<MapEntry> fields{{"operationId", route.name},
                               {"summary", route.summary},
                               {"parameters", parameters_of(route)},
                               {"responses", responses_of(route)}};
  if (!route.body.empty()) {
    const auto schema = parse_json(route.body);
    assert(schema.ok());
    fields.emplace_back("requestBody", object({{"required", true},
                                               {"content", content("application/json", *schema)}}));
  }
  if (route.open) {
    fields.emplace_back("security", Value::of_list({}));
  }
  return Value::of_map(std::move(fields));
}

std::string lower(std::string_view name) {
  std::string text(name);
  for (char& c : text) {
    c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

Value error_schema() {
  const Value text = schema_of_type("string");
  const Value fields = object({{"code", text}, {"name", text}, {"message", text}, {"hint", text}});
  return object(
      {{"type", "object"},
       {"required", Value::of_list({"error"})},
       {"properties", object({{"error", object({{"type", "object"},
                                                {"required", Value::of_list({"code", "message"})},
                                                {"properties", fields}})}})}});
}

} // namespace

Value openapi(const Routes& routes, const std::string& title, const std::string& version) {
  std::map<std::string, std::vector<MapEntry>> paths;
  for (const Route& route : routes.all()) {
    paths[route.path].emplace_back(lower(name_of(route.method)), operation_of(route));
  }
  std::vector<MapEntry> items;
  for (auto& [path, operations] : paths) {
    items.emplace_back(path, Value::of_map(std::move(operations)));
  }
  const Value bearer = object({{"type", "http"}, {"scheme", "bearer"}});
  return object({{"openapi", "3.1.0"},
                 {"info", object({{"title", title}, {"version", version}})},
                 {"paths", Value::of_map(std::move(items))},
                 {"security", Value::of_list({object({{"token", Value::of_list({})}})})},
                 {"components", object({{"securitySchemes", object({{"token", bearer}})},
                                        {"schemas", object({{"Error", error_schema()}})}})}});
}

} // namespace skein::gateway
