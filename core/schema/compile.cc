#include <algorithm>
#include <array>
#include <deque>
#include <span>

#include "core/schema/compiler.h"
#include "core/schema/numbers.h"
#include "core/schema/uri.h"
#include "core/value/json.h"

namespace skein::schema {
namespace {

std::string child(const std::string& pointer, std::string_view token) {
  return pointer + "/" + escape_token(token);
}

Error wrong(const std::string& pointer, const std::string& reason) {
  return Error{Code::schema_invalid,
               "the schema" + (pointer.empty() ? std::string() : " at " + pointer) + " " + reason};
}

constexpr std::array<std::pair<std::string_view, std::uint8_t>, 7> kTypes{{
    {"null", kNullType},
    {"boolean", kBooleanType},
    {"integer", kIntegerType},
    {"number", kNumberType},
    {"string", kStringType},
    {"array", kArrayType},
    {"object", kObjectType},
}};

} // namespace

void Compiler::fail(const std::string& pointer, const std::string& reason) {
  if (!error_) {
    error_ = wrong(pointer, reason);
  }
}

Result<std::shared_ptr<const Program>> Compiler::compile() {
  program_->resources.push_back(Resource{});
  walk(document_, "", 0, 0);
  while (!error_ && !pending_.empty()) {
    const Pending next = pending_.front();
    pending_.pop_front();
    resolve(next);
  }
  if (error_) {
    return *error_;
  }
  return std::shared_ptr<const Program>(std::move(program_));
}

NodeIndex Compiler::walk(const Value& schema, const std::string& pointer, ResourceIndex resource,
                         std::size_t depth) {
  if (const auto known = by_pointer_.find(pointer); known != by_pointer_.end()) {
    return known->second;
  }
  const auto index = static_cast<NodeIndex>(program_->nodes.size());
  by_pointer_.emplace(pointer, index);
  program_->nodes.emplace_back();
  if (error_ || depth > kMaxDepth) {
    fail(pointer, "is nested more than " + std::to_string(kMaxDepth) + " levels deep");
    return index;
  }
  Node node;
  node.pointer = pointer;
  node.resource = resource;
  if (schema.is(Kind::boolean)) {
    node.constant = schema.as_bool();
  } else if (schema.is(Kind::map)) {
    At at{schema, pointer, resource, depth, node, index};
    read_identity(at);
    read_general(at);
    read_numbers(at);
    read_text(at);
    read_array(at);
    read_object(at);
    read_applicators(at);
  } else {
    fail(pointer, "must be an object or a boolean, is " + std::string(name_of(schema.kind())));
  }
  program_->nodes[index] = std::move(node);
  return index;
}

void Compiler::read_identity(At& at) {
  if (const auto id = text_of(at, "$id")) {
    const std::string uri = resolve_uri(program_->resources[at.resource].uri, *id);
    if (at.pointer.empty()) {
      program_->resources[0].uri = uri;
    } else {
      program_->resources.push_back(Resource{uri, at.pointer, {}, {}});
      at.resource = static_cast<ResourceIndex>(program_->resources.size() - 1);
      at.node.resource = at.resource;
    }
  }
  Resource& resource = program_->resources[at.resource];
  if (const auto anchor = text_of(at, "$anchor")) {
    if (!resource.anchors.emplace(*anchor, at.index).second) {
      fail(at.pointer, "repeats the $anchor \"" + std::string(*anchor) + "\"");
    }
  }
  if (const auto anchor = text_of(at, "$dynamicAnchor")) {
    resource.anchors.emplace(*anchor, at.index);
    resource.dynamic_anchors.emplace(*anchor, at.index);
  }
  if (const auto ref = text_of(at, "$ref")) {
    pending_.push_back({at.index, std::string(*ref), at.resource, false});
  }
  if (const auto ref = text_of(at, "$dynamicRef")) {
    pending_.push_back({at.index, std::string(*ref), at.resource, true});
  }
  children_by_name(at, "$defs");
}

void Compiler::read_general(At& at) {
  if (const Value* type = at.schema.find("type")) {
    const std::span<const Value> list =
        type->is(Kind::list) ? type->as_list() : std::span<const Value>(type, 1);
    for (const Value& name : list) {
      const auto* known = std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& row) {
        return name.is(Kind::string) && row.first == name.as_string();
      });
      if (known == kTypes.end()) {
        return fail(child(at.pointer, "type"), "names no type: " + to_json(name));
      }
      at.node.types |= known->second;
    }
  }
  if (const Value* only = at.schema.find("const")) {
    at.node.only = *only;
  }
  if (const Value* choices = at.schema.find("enum")) {
    if (!choices->is(Kind::list)) {
      return fail(child(at.pointer, "enum"), "must be a list");
    }
    at.node.choices.emplace(choices->as_list().begin(), choices->as_list().end());
  }
}

void Compiler::read_numbers(At& at) {
  NumberRules rules;
  rules.minimum = number_of(at, "minimum");
  rules.maximum = number_of(at, "maximum");
  rules.exclusive_minimum = number_of(at, "exclusiveMinimum");
  rules.exclusive_maximum = number_of(at, "exclusiveMaximum");
  rules.multiple_of = number_of(at, "multipleOf");
  if (rules.multiple_of && !less(Value(0), *rules.multiple_of)) {
    fail(child(at.pointer, "multipleOf"), "must be above 0");
  }
  if (rules.minimum || rules.maximum || rules.exclusive_minimum || rules.exclusive_maximum ||
      rules.multiple_of) {
    at.node.number = std::move(rules);
  }
}

void Compiler::read_text(At& at) {
  StringRules rules;
  rules.min_length = count_of(at, "minLength");
  rules.max_length = count_of(at, "maxLength");
  if (const auto pattern = text_of(at, "pattern")) {
    rules.pattern = pattern_of(child(at.pointer, "pattern"), *pattern);
  }
  if (program_->options.assert_formats) {
    rules.format = text_of(at, "format").value_or("");
  }
  if (rules.min_length || rules.max_length || rules.pattern || !rules.format.empty()) {
    at.node.text = std::move(rules);
  }
}

void Compiler::read_array(At& at) {
  ArrayRules rules;
  rules.prefix_items = children(at, "prefixItems");
  rules.items = only_child(at, "items");
  rules.contains = only_child(at, "contains");
  rules.min_contains = count_of(at, "minContains");
  rules.max_contains = count_of(at, "maxContains");
  rules.min_items = count_of(at, "minItems");
  rules.max_items = count_of(at, "maxItems");
  if (const Value* unique = at.schema.find("uniqueItems")) {
    rules.unique = unique->is(Kind::boolean) && unique->as_bool();
  }
  if (!rules.prefix_items.empty() || rules.items != kNoNode || rules.contains != kNoNode ||
      rules.min_items || rules.max_items || rules.unique) {
    at.node.array = std::move(rules);
  }
}

void Compiler::read_object(At& at) {
  ObjectRules rules;
  rules.properties = children_by_name(at, "properties");
  for (auto& [text, node] : children_by_name(at, "patternProperties")) {
    rules.pattern_properties.emplace_back(pattern_of(child(at.pointer, "patternProperties"), text),
                                          node);
  }
  rules.additional = only_child(at, "additionalProperties");
  rules.names = only_child(at, "propertyNames");
  rules.required = names_of(child(at.pointer, "required"), at.schema.find("required"));
  if (const Value* dependent = at.schema.find("dependentRequired")) {
    for (const auto& [name, needed] :
         dependent->is(Kind::map) ? dependent->as_map() : std::span<const MapEntry>()) {
      rules.dependent_required.emplace_back(
          name.as_string(), names_of(child(at.pointer, "dependentRequired"), &needed));
    }
  }
  rules.dependent_schemas = children_by_name(at, "dependentSchemas");
  rules.min_properties = count_of(at, "minProperties");
  rules.max_properties = count_of(at, "maxProperties");
  if (!rules.properties.empty() || !rules.pattern_properties.empty() ||
      rules.additional != kNoNode || rules.names != kNoNode || !rules.required.empty() ||
      !rules.dependent_required.empty() || !rules.dependent_schemas.empty() ||
      rules.min_properties || rules.max_properties) {
    at.node.object = std::move(rules);
  }
}

void Compiler::read_applicators(At& at) {
  at.node.all_of = children(at, "allOf");
  at.node.any_of = children(at, "anyOf");
  at.node.one_of = children(at, "oneOf");
  at.node.negated = only_child(at, "not");
  at.node.condition = only_child(at, "if");
  at.node.consequence = only_child(at, "then");
  at.node.alternative = only_child(at, "else");
  at.node.unevaluated_items = only_child(at, "unevaluatedItems");
  at.node.unevaluated_properties = only_child(at, "unevaluatedProperties");
}

NodeIndex Compiler::only_child(const At& at, std::string_view keyword) {
  const Value* found = at.schema.find(keyword);
  return found == nullptr ? kNoNode
                          : walk(*found, child(at.pointer, keyword), at.resource, at.depth + 1);
}

std::vector<NodeIndex> Compiler::children(const At& at, std::string_view keyword) {
  std::vector<NodeIndex> out;
  const Value* found = at.schema.find(keyword);
  if (found == nullptr) {
    return out;
  }
  const std::string pointer = child(at.pointer, keyword);
  if (!found->is(Kind::list) || found->as_list().empty()) {
    fail(pointer, "must be a list of schemas that is not empty");
    return out;
  }
  for (const Value& item : found->as_list()) {
    out.push_back(
        walk(item, child(pointer, std::to_string(out.size())), at.resource, at.depth + 1));
  }
  return out;
}

std::vector<std::pair<std::string, NodeIndex>> Compiler::children_by_name(
    const At& at, std::string_view keyword) {
  std::vector<std::pair<std::string, NodeIndex>> out;
  const Value* found = at.schema.find(keyword);
  if (found == nullptr) {
    return out;
  }
  const std::string pointer = child(at.pointer, keyword);
  if (!found->is(Kind::map)) {
    fail(pointer, "must be an object of schemas");
    return out;
  }
  for (const auto& [name, item] : found->as_map()) {
    if (!name.is(Kind::string)) {
      fail(pointer, "must have strings as keys");
      return out;
    }
    out.emplace_back(name.as_string(),
                     walk(item, child(pointer, name.as_string()), at.resource, at.depth + 1));
  }
  return out;
}

Count Compiler::count_of(const At& at, std::string_view keyword) {
  const Value* found = at.schema.find(keyword);
  if (found == nullptr) {
    return std::nullopt;
  }
  const Count count = to_count(*found);
  if (!count) {
    fail(child(at.pointer, keyword),
         "must be a whole number that is not negative, is " + to_json(*found));
  }
  return count;
}

std::optional<Value> Compiler::number_of(const At& at, std::string_view keyword) {
  const Value* found = at.schema.find(keyword);
  if (found == nullptr) {
    return std::nullopt;
  }
  if (!is_number(*found)) {
    fail(child(at.pointer, keyword), "must be a number, is " + to_json(*found));
    return std::nullopt;
  }
  return *found;
}

std::optional<std::string_view> Compiler::text_of(const At& at, std::string_view keyword) {
  const Value* found = at.schema.find(keyword);
  if (found == nullptr) {
    return std::nullopt;
  }
  if (!found->is(Kind::string)) {
    fail(child(at.pointer, keyword), "must be a string, is " + to_json(*found));
    return std::nullopt;
  }
  return found->as_string();
}

std::vector<std::string> Compiler::names_of(const std::string& pointer, const Value* list) {
  std::vector<std::string> out;
  if (list == nullptr) {
    return out;
  }
  for (const Value& name : list->is(Kind::list) ? list->as_list() : std::span<const Value>()) {
    if (name.is(Kind::string)) {
      out.emplace_back(name.as_string());
    }
  }
  if (!list->is(Kind::list) || out.size() != list->as_list().size()) {
    fail(pointer, "must be a list of strings");
  }
  return out;
}

Pattern Compiler::pattern_of(const std::string& pointer, std::string_view text) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMaxPatternMemory);
  Pattern out{std::string(text),
              std::make_shared<re2::RE2>(re2::StringPiece(text.data(), text.size()), options)};
  if (!out.regex->ok()) {
    fail(pointer, "is no regular expression that RE2 reads: " + out.regex->error());
  }
  return out;
}

Result<std::shared_ptr<const Program>> compile_program(const Value& document,
                                                       const Options& options) {
  return Compiler(document, options).compile();
}

} // namespace skein::schema
