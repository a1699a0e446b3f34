#include "core/flow/loading/names.h"

#include <algorithm>
#include <array>

#include "core/value/json.h"

namespace skein::flow::loading {
namespace {

using expression::Slot;
using expression::StaticType;

constexpr Slot kFirstFree = static_cast<Slot>(FixedSlot::first_free);
constexpr std::size_t kSlotsPerStep = 4;

std::string name_of_item(const At& node) {
  const At as = Reader::member(Reader::member(node, "for_each"), "as");
  return as && as.node->scalar.is(Kind::string) ? std::string(as.node->scalar.as_string()) : "item";
}

std::string name_of_index(const At& node) {
  const At index = Reader::member(Reader::member(node, "for_each"), "index");
  return index && index.node->scalar.is(Kind::string) ? std::string(index.node->scalar.as_string())
                                                      : "index";
}

// steps["my-id"] needs the whole map; without it a misspelt steps.ID is found when the flow is
// loaded.
bool indexes_steps(const std::string& text) { return text.find("steps[") != std::string::npos; }

bool is_identifier(std::string_view id) { return id.find('-') == std::string_view::npos; }

std::string without_braces(std::string text) {
  const auto from = text.find_first_not_of(' ');
  const auto to = text.find_last_not_of(' ');
  if (from == std::string::npos || !text.substr(from).starts_with("${") || text[to] != '}') {
    return text;
  }
  return text.substr(from + 2, to - from - 2);
}

} // namespace

Names::Names(Reader& reader, Draft& draft) : reader_(reader), draft_(draft) {
  Definition& definition = draft.definition;
  for (const Step& step : definition.steps) {
    for (const StepSlot part :
         {StepSlot::whole, StepSlot::output, StepSlot::status, StepSlot::error}) {
      definition.slots.push_back({SlotMeaning::What::step, step.index, part});
    }
  }
  declared_.resize(definition.scopes.size() * 4);
}

void Names::declare_scope(expression::Declarations& names, std::uint16_t scope) {
  Definition& definition = draft_.definition;
  const auto owner = definition.scopes[scope].owner;
  if (owner) { // the outer names first: an inner one of the same name takes its place
    declare_scope(names, definition.scope_of_step[*owner]);
    const At& node = draft_.nodes[*owner];
    names.add(name_of_item(node), kFirstFree + static_cast<Slot>(definition.slots.size()));
    definition.slots.push_back({SlotMeaning::What::item, *owner, StepSlot::whole});
    names.add(name_of_index(node), kFirstFree + static_cast<Slot>(definition.slots.size()),
              StaticType::integer);
    definition.slots.push_back({SlotMeaning::What::index, *owner, StepSlot::whole});
  }
}

const expression::Declarations& Names::names_of(std::uint16_t scope, bool sees_error,
                                                bool by_index) {
  auto& declared = declared_[scope * 4u + (sees_error ? 2u : 0u) + (by_index ? 1u : 0u)];
  if (declared) {
    return *declared;
  }
  declared.emplace();
  const auto fixed = [&](const char* name, FixedSlot slot, StaticType type = StaticType::dynamic) {
    declared->add(name, static_cast<Slot>(slot), type);
  };
  fixed("input", FixedSlot::input);
  fixed("vars", FixedSlot::vars);
  fixed("run", FixedSlot::run);
  fixed("context", FixedSlot::context);
  fixed("event", FixedSlot::event);
  if (sees_error) {
    fixed("error", FixedSlot::error);
  }
  if (by_index) {
    fixed("steps", FixedSlot::steps);
  }
  for (const Step& step : draft_.definition.steps) {
    if (is_identifier(step.id)) {
      const auto first = kFirstFree + static_cast<Slot>(step.index * kSlotsPerStep);
      const std::string name = "steps." + step.id;
      declared->add(name, first);
      declared->add(name + ".output", first + 1);
      declared->add(name + ".status", first + 2, StaticType::string);
      declared->add(name + ".error", first + 3);
    }
  }
  declare_scope(*declared, scope);
  return *declared;
}

void Names::check_order(const At& at, const Step* step, std::span<const Slot> slots) {
  const Definition& definition = draft_.definition;
  const std::uint16_t scope = step != nullptr ? definition.scope_of_step[step->index] : 0;
  for (const Slot slot : slots) {
    if (slot < kFirstFree || definition.slots[slot - kFirstFree].what != SlotMeaning::What::step) {
      continue;
    }
    const Step& named = definition.steps[definition.slots[slot - kFirstFree].step];
    std::uint16_t around = scope;
    while (around != definition.scope_of_step[named.index] && definition.scopes[around].owner) {
      around = definition.scope_of_step[*definition.scopes[around].owner];
    }
    if (around != definition.scope_of_step[named.index]) {
      const Step& each =
          definition.steps[*definition.scopes[definition.scope_of_step[named.index]].owner];
      reader_.complain(
          at, Code::flow_graph_invalid,
          "steps." + named.id + " is inside for_each " + each.id + ", which runs it once per item",
          "use steps." + each.id + ".output, the list of its results");
    } else if (step != nullptr && !draft_.before[step->index][named.index]) {
      reader_.complain(at, Code::flow_graph_invalid,
                       "steps." + named.id + " cannot have run before step " + step->id + " begins",
                       "name " + named.id + " in `needs`, or move it up");
    }
  }
}

std::optional<Program> Names::condition(const At& at, const Step& step, bool sees_error) {
  if (at.node->shape != Node::Shape::scalar || at.node->scalar.is_null()) {
    reader_.complain(at, Code::resource_value_invalid, "must be an expression");
    return std::nullopt;
  }
  const Value& scalar = at.node->scalar;
  const std::string text =
      without_braces(scalar.is(Kind::string) ? std::string(scalar.as_string()) : to_json(scalar));
  const std::uint16_t scope = draft_.definition.scope_of_step[step.index];
  auto program = Program::compile(text, names_of(scope, sees_error, indexes_steps(text)));
  if (!program) {
    reader_.complain(at, program.error());
    return std::nullopt;
  }
  check_order(at, &step, program->slots());
  return std::move(*program);
}

std::optional<Template> Names::compile(const At& at, const Value& tree, const Step* step,
                                       bool sees_error) {
  const std::uint16_t scope = step != nullptr ? draft_.definition.scope_of_step[step->index] : 0;
  auto compiled =
      Template::compile(tree, names_of(scope, sees_error, indexes_steps(to_json(tree))));
  if (!compiled) {
    reader_.complain(at, compiled.error());
    return std::nullopt;
  }
  check_order(at, step, compiled->slots());
  return std::move(*compiled);
}

std::optional<Template> Names::value(const At& at, const Step& step, bool sees_error) {
  return compile(at, at.node->to_value(), &step, sees_error);
}

std::optional<Template> Names::final_value(const At& at) {
  return compile(at, at.node->to_value(), nullptr, false);
}

std::optional<Template> Names::list(const At& at, const Step& step) {
  Value tree = at.node->to_value();
  if (tree.is(Kind::string) && tree.as_string().find("${") == std::string_view::npos) {
    tree = Value("${" + std::string(tree.as_string()) + "}");
  }
  return compile(at, tree, &step, false);
}

} // namespace skein::flow::loading
