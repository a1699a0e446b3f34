#include "core/flow/loading/shapes.h"

#include <array>
#include <utility>

namespace skein::flow::loading {
namespace {

using expression::kAnyKind;
using expression::Kinds;
using expression::kNumbers;
using expression::only;

constexpr Kinds kNull = only(Kind::null);

Shape of(Kinds kinds) {
  Shape shape;
  shape.kinds = kinds;
  return shape;
}

Shape closed(Kinds kinds, std::vector<Shape::Member> members) {
  Shape shape = of(kinds);
  shape.members = std::move(members);
  shape.closed = true;
  return shape;
}

// A number of JSON is an int or a double by how it is written, not by its type.
Kinds kinds_of_type(const Value& type) {
  constexpr std::array<std::pair<std::string_view, Kinds>, 7> kTypes{
      {{"null", kNull},
       {"boolean", only(Kind::boolean)},
       {"integer", kNumbers},
       {"number", kNumbers},
       {"string", only(Kind::string)},
       {"array", only(Kind::list)},
       {"object", only(Kind::map)}}};
  for (const auto& [name, kinds] : kTypes) {
    if (type.is(Kind::string) && type.as_string() == name) {
      return kinds;
    }
  }
  return kAnyKind;
}

Kinds kinds_of_schema(const Value& schema) {
  const Value* type = schema.find("type");
  if (type == nullptr) {
    return kAnyKind;
  }
  if (!type->is(Kind::list)) {
    return kinds_of_type(*type);
  }
  Kinds kinds = 0;
  for (const Value& one : type->as_list()) {
    kinds |= kinds_of_type(one);
  }
  return kinds != 0 ? kinds : kAnyKind;
}

bool is_false(const Value* value) {
  return value != nullptr && value->is(Kind::boolean) && !value->as_bool();
}

Shape output_of_tool(const Draft& draft, const Step& step, const ToolBox* tools) {
  const At name = Reader::member(draft.nodes[step.index], "tool");
  const bool named = tools != nullptr && name.node->scalar.is(Kind::string);
  const Tool* tool = named ? tools->find(name.node->scalar.as_string()) : nullptr;
  return tool != nullptr ? shape_of_schema(tool->description().output_schema) : Shape();
}

Shape output_of_wait(const At& step) {
  const At wait = Reader::member(step, "wait");
  return Reader::member(wait, "signal") ? Shape() : of(kNull); // a signal brings what it likes
}

Shape output_of_parallel(const Step& step) {
  Shape shape = closed(only(Kind::map), {});
  if (const auto* parallel = std::get_if<ParallelStep>(&step.kind)) {
    for (const ParallelStep::Branch& branch : parallel->branches) {
      shape.members.push_back({branch.name, {}});
    }
    return shape;
  }
  return {};
}

Shape output_of_kind(const Draft& draft, const Step& step, const ToolBox* tools) {
  const std::string& kind = draft.kinds[step.index];
  if (kind == "tool") {
    return output_of_tool(draft, step, tools);
  }
  if (kind == "wait") {
    return output_of_wait(draft.nodes[step.index]);
  }
  if (kind == "parallel") {
    return output_of_parallel(step);
  }
  if (kind == "set") {
    return of(kNull);
  }
  if (kind == "switch") {
    return of(only(Kind::string));
  }
  if (kind == "for_each") {
    return of(only(Kind::list));
  }
  if (kind == "approval") {
    return closed(only(Kind::map), {{"approved", of(only(Kind::boolean))},
                                    {"auto", of(only(Kind::boolean))},
                                    {"by", of(only(Kind::list))},
                                    {"comment", of(only(Kind::string))}});
  }
  return kind == "emit" ? closed(only(Kind::map), {{"id", of(only(Kind::string))}}) : Shape();
}

// A rule may say what takes the place of the output.
bool may_be_replaced(const At& step) {
  const At rules = Reader::member(step, "on_error");
  for (std::size_t i = 0;
       rules && rules.node->shape == Node::Shape::list && i < rules.node->items.size(); ++i) {
    if (Reader::member(Reader::item(rules, i), "output")) {
      return true;
    }
  }
  return false;
}

} // namespace

Shape shape_of_schema(const Value& schema) {
  Shape shape;
  if (!schema.is(Kind::map)) {
    return shape;
  }
  shape.kinds = kinds_of_schema(schema);
  shape.closed =
      is_false(schema.find("additionalProperties")) && schema.find("patternProperties") == nullptr;
  if (const Value* properties = schema.find("properties");
      properties != nullptr && properties->is(Kind::map)) {
    for (const auto& [name, property] : properties->as_map()) {
      shape.members.push_back({std::string(name.as_string()), shape_of_schema(property)});
    }
  }
  // With prefixItems the first items are others.
  if (const Value* items = schema.find("items");
      items != nullptr && schema.find("prefixItems") == nullptr) {
    shape.items.push_back(shape_of_schema(*items));
  }
  return shape;
}

Shape shape_of_step(const Draft& draft, const Step& step, const ToolBox* tools) {
  Shape output;
  if (!may_be_replaced(draft.nodes[step.index])) {
    output = output_of_kind(draft, step, tools);
    output.kinds |= kNull; // of one that was skipped, or failed and was got over
  }
  Shape error = shape_of_failure();
  error.kinds |= kNull;
  return closed(only(Kind::map), {{"attempt", of(kNumbers)},
                                  {"error", std::move(error)},
                                  {"output", std::move(output)},
                                  {"status", of(only(Kind::string))}});
}

Shape shape_of_failure() {
  const Shape text = of(only(Kind::string));
  return closed(only(Kind::map), {{"code", text},
                                  {"hint", text},
                                  {"message", text},
                                  {"retryable", of(only(Kind::boolean))},
                                  {"step", text}});
}

Shape shape_of_run() {
  return closed(only(Kind::map), {{"created_at", of(only(Kind::timestamp))},
                                  {"flow", of(only(Kind::string))},
                                  {"id", of(only(Kind::string))}});
}

} // namespace skein::flow::loading
