#include "tools/values/value_tools.h"

#include <string>

#include "core/schema/schema.h"
#include "core/value/json.h"
#include "tools/arguments.h"
#include "tools/values/patch.h"

namespace skein::tools {
namespace {

constexpr Card kJsonCard{"json", "Reads, points into, merges, compares and validates JSON",
                         EffectClass::pure,
                         R"({
      "type": "object",
      "properties": {
        "op": {"enum": ["parse", "pointer", "merge", "diff", "validate"]},
        "text": {"type": "string", "description": "parse: what to read"},
        "value": {"description": "pointer, merge, validate: the document"},
        "pointer": {"type": "string"},
        "default": {"description": "pointer: what to give where there is nothing"},
        "patch": {"description": "merge: RFC 7396"},
        "from": true, "to": true,
        "schema": {"type": ["object", "boolean"], "description": "validate: JSON Schema 2020-12"}
      },
      "required": ["op"],
      "allOf": [
        {"if": {"properties": {"op": {"const": "parse"}}},
         "then": {"required": ["text"]}},
        {"if": {"properties": {"op": {"const": "pointer"}}},
         "then": {"required": ["value", "pointer"]}},
        {"if": {"properties": {"op": {"const": "merge"}}},
         "then": {"required": ["value", "patch"]}},
        {"if": {"properties": {"op": {"const": "diff"}}},
         "then": {"required": ["from", "to"]}},
        {"if": {"properties": {"op": {"const": "validate"}}},
         "then": {"required": ["value", "schema"]}}
      ],
      "additionalProperties": false
    })",
                         "true"};

constexpr Card kTransformCard{"transform",
                              "Gives back its input, with the expressions in it filled",
                              EffectClass::pure, "true", "true"};

constexpr Card kLogCard{"log", "Says something to whoever watches the run", EffectClass::idempotent,
                        R"({
      "type": "object",
      "properties": {
        "message": {"type": ["string", "number", "boolean"]},
        "level": {"enum": ["debug", "info", "warning", "error"]},
        "fields": {"type": "object"}
      },
      "required": ["message"],
      "additionalProperties": false
    })",
                        R"({"type": "null"})"};

ToolResult parse(const Value& input) {
  auto value = parse_json(*text_at(input, "text"));
  return value
             ? std::move(*value)
             : ToolResult(Error{Code::tool_failed, "the text is no JSON: " + value.error().detail});
}

ToolResult point(const Value& input) {
  const std::string_view pointer = *text_at(input, "pointer");
  const auto found = at_pointer(*input.find("value"), pointer);
  if (!found) {
    return found.error();
  }
  if (*found != nullptr) {
    return **found;
  }
  if (const Value* otherwise = input.find("default")) {
    return *otherwise;
  }
  return Error{Code::tool_failed, "there is nothing at " + std::string(pointer),
               "give a `default` for where there is nothing"};
}

ToolResult validate(const Value& input) {
  const auto schema = schema::Schema::compile(*input.find("schema"));
  if (!schema) {
    return schema.error();
  }
  const auto violations = schema->violations(*input.find("value"));
  if (!violations) {
    return violations.error();
  }
  std::vector<Value> errors;
  for (const schema::Violation& violation : *violations) {
    errors.push_back(object({{"pointer", violation.pointer}, {"reason", violation.reason}}));
  }
  return object({{"valid", violations->empty()}, {"errors", Value::of_list(std::move(errors))}});
}

} // namespace

JsonTool::JsonTool() : InlineTool(kJsonCard) {}

ToolResult JsonTool::run(const ToolCall& call) {
  const Value& input = call.input;
  const std::string_view op = *text_at(input, "op");
  if (op == "parse") {
    return parse(input);
  }
  if (op == "pointer") {
    return point(input);
  }
  if (op == "merge") {
    return merge_patch(*input.find("value"), *input.find("patch"));
  }
  if (op == "diff") {
    return diff_patch(*input.find("from"), *input.find("to"));
  }
  return validate(input);
}

TransformTool::TransformTool() : InlineTool(kTransformCard) {}

Result<void> TransformTool::check(const Value& input) const {
  (void)input;
  return {};
}

ToolResult TransformTool::run(const ToolCall& call) { return call.input; }

LogTool::LogTool(const ToolSettings& settings) : InlineTool(kLogCard), settings_(settings) {}

ToolResult LogTool::run(const ToolCall& call) {
  if (settings_.log) {
    const Value* fields = call.input.find("fields");
    settings_.log(call, ToolLog{std::string(text_at(call.input, "level").value_or("info")),
                                plain_text(*call.input.find("message")),
                                fields != nullptr ? *fields : Value()});
  }
  return Value();
}

} // namespace skein::tools
