#include <algorithm>
#include <filesystem>
#include <mutex>
#include <unordered_map>

#include "core/flow/loader.h"
#include "core/schema/defaults.h"
#include "core/schema/schema.h"
#include "node/node.h"
#include "node/tool_settings.h"
#include "schemas/yaml.h"
#include "tools/tool_box.h"

namespace skein::node {
namespace {

struct Cache {
  std::mutex mutex;
  std::unordered_map<std::string, flow::DefinitionPtr> by_revision;
};

Cache& cache() {
  static Cache instance;
  return instance;
}

Error first_error(const flow::Loaded& loaded) {
  return std::ranges::find(loaded.findings, false, &flow::Finding::warning)->error;
}

Result<flow::DefinitionPtr> read_definition(const ResourceRow& row) {
  schemas::YamlLimits limits;
  limits.max_bytes =
      16u << 20; // canonical text of what was accepted: longer than its source may be
  limits.max_nodes = 1'000'000;
  const auto documents = schemas::read_yaml(row.content, "flow " + row.name, limits);
  if (!documents) {
    return documents.error();
  }
  flow::LoadOptions options;
  options.lenient = true; // it was accepted once
  flow::Loaded loaded = flow::load(documents->front(), options);
  return loaded.definition ? Result<flow::DefinitionPtr>(loaded.definition) : first_error(loaded);
}

} // namespace

Result<flow::DefinitionPtr> definition_of(const Store& store, const ContentHash& revision) {
  const std::string key = to_string(revision);
  {
    const std::lock_guard lock(cache().mutex);
    const auto found = cache().by_revision.find(key);
    if (found != cache().by_revision.end()) {
      return found->second;
    }
  }
  const auto row = store.resource_by_hash(revision);
  if (!row) {
    return row.error();
  }
  auto definition = read_definition(*row);
  if (definition) {
    const std::lock_guard lock(cache().mutex);
    cache().by_revision[key] = *definition;
  }
  return definition;
}

std::vector<std::string> default_roots() {
  std::error_code gone;
  const auto here = std::filesystem::current_path(gone);
  return gone ? std::vector<std::string>() : std::vector<std::string>{here.string()};
}

flow::Loaded check_flow(const Document& document, const Settings& settings, bool lenient,
                        flow::KnowsFlow knows_flow) {
  const auto tools = tools::make_tool_box(tool_settings(settings));
  flow::LoadOptions options;
  options.lenient = lenient;
  options.tools = tools.get();
  options.knows_flow = std::move(knows_flow);
  return flow::load(document, options);
}

Result<void> check_input(const flow::Definition& definition, const Value& input) {
  if (!definition.input_schema) {
    return {};
  }
  const auto schema = schema::Schema::compile(*definition.input_schema);
  return schema ? schema->check(complete_input(definition, input)) : schema.error();
}

Value complete_input(const flow::Definition& definition, const Value& input) {
  return definition.input_schema ? schema::with_defaults(*definition.input_schema, input) : input;
}

Result<flow::DefinitionPtr> apply_flow(Store& store, const Document& document, Instant at,
                                       const ToolBox* tools, bool lenient) {
  flow::LoadOptions options;
  options.lenient = lenient;
  options.tools = tools;
  flow::Loaded loaded = flow::load(document, options);
  if (!loaded.definition) {
    return first_error(loaded);
  }
  const auto row =
      store.apply_resource("Flow", loaded.definition->name, flow::canonical_text(document), at);
  if (!row) {
    return row.error();
  }
  return loaded.definition;
}

} // namespace skein::node
