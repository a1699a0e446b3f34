#include "core/flow/loading/names.h"

#include <algorithm>

#include "core/base/nearest.h"
#include "core/flow/loading/shapes.h"
#include "core/value/json.h"

namespace skein::flow::loading {
namespace {

using expression::Slot;
using expression::StaticType;

constexpr Slot kFirstFree = static_cast<Slot>(FixedSlot::first_free);
constexpr std::size_t kSlotsPerStep = 4;

// steps["my-id"] needs the whole map; without it a misspelt steps.ID is found when the flow is
// loaded.
bool indexes_steps(const std::string& text) { return text.find("steps[") != std::string::npos; }

bool is_identifier(std::string_view id) {
  return !id.empty() && id.find('-') == std::string_view::npos;
}

// The lines of a block of text are lines of the file.
Mark mark_within(const Node& node, std::size_t offset) {
  if (node.column == 0) {
    return node.mark;
  }
  const std::string_view before = node.scalar.as_string().substr(0, offset);
  const auto lines = static_cast<std::uint32_t>(std::ranges::count(before, '\n'));
  const std::size_t in_line = before.size() - (before.rfind('\n') + 1); // of npos: from the start
  return {node.mark.line + 1 + lines, node.column + static_cast<std::uint32_t>(in_line)};
}

std::string without_braces(std::string text) {
  constexpr const char* kBlank = " \t\r\n";
  const auto from = text.find_first_not_of(kBlank);
  const auto to = text.find_last_not_of(kBlank);
  if (from == std::string::npos || !text.substr(from).starts_with("${") || text[to] != '}') {
    return text;
  }
  return text.substr(from + 2, to - from - 2);
}

} // namespace

std::string name_of_item(const At& for_each) {
  const At as = Reader::member(for_each, "as");
  return as && as.node->scalar.is(Kind::string) ? std::string(as.node->scalar.as_string()) : "item";
}

std::string name_of_index(const At& for_each) {
  const At index = Reader::member(for_each, "index");
  return index && index.node->scalar.is(Kind::string) ? std::string(index.node->scalar.as_string())
                                                      : "index";
}

Names::Names(Reader& reader, Draft& draft, const LoadOptions& options)
    : reader_(reader), draft_(draft), options_(options) {
  Definition& definition = draft.definition;
  for (const Step& step : definition.steps) {
    for (const StepSlot part :
         {StepSlot::whole, StepSlot::output, StepSlot::status, StepSlot::error}) {
      definition.slots.push_back({SlotMeaning::What::step, step.index, part});
    }
  }
  for (const Scope& scope : definition.scopes) {
    item_slots_.push_back(kFirstFree + static_cast<Slot>(definition.slots.size()));
    if (scope.owner) {
      definition.slots.push_back({SlotMeaning::What::item, *scope.owner, StepSlot::whole});
      definition.slots.push_back({SlotMeaning::What::index, *scope.owner, StepSlot::whole});
    }
  }
}

std::uint16_t Names::scope_of(const Reading& reading) const {
  return reading.step != nullptr ? draft_.definition.scope_of_step[reading.step->index] : 0;
}

// Ascending, so that each name goes to the end of the sorted list.
void Names::declare_steps(expression::Declarations& names) const {
  std::vector<const Step*> sorted;
  for (const Step& step : draft_.definition.steps) {
    if (is_identifier(step.id)) {
      sorted.push_back(&step);
    }
  }
  std::ranges::sort(sorted, {}, [](const Step* step) -> const std::string& { return step->id; });
  for (const Step* step : sorted) {
    const auto first = kFirstFree + static_cast<Slot>(step->index * kSlotsPerStep);
    const std::string name = "steps." + step->id;
    names.add(name, first);
    names.add(name + ".error", first + static_cast<Slot>(StepSlot::error));
    names.add(name + ".output", first + static_cast<Slot>(StepSlot::output));
    names.add(name + ".status", first + static_cast<Slot>(StepSlot::status), StaticType::string);
  }
}

void Names::declare_items(expression::Declarations& names, std::uint16_t scope) const {
  const Definition& definition = draft_.definition;
  const auto owner = definition.scopes[scope].owner;
  if (owner) { // the outer names first: an inner one of the same name takes its place
    declare_items(names, definition.scope_of_step[*owner]);
    const At each = Reader::member(draft_.nodes[*owner], "for_each");
    names.add(name_of_item(each), item_slots_[scope]);
    names.add(name_of_index(each), item_slots_[scope] + 1, StaticType::integer);
  }
}

// Those that the flow declares and those that its steps set.
expression::Shape Names::variables() const {
  std::vector<std::string> all;
  for (const auto& [name, value] : draft_.definition.vars.as_map()) {
    all.emplace_back(name.as_string());
  }
  for (const At& step : draft_.nodes) {
    const At set = Reader::member(step, "set");
    for (std::size_t i = 0; set && i < set.node->members.size(); ++i) {
      all.push_back(set.node->members[i].key);
    }
  }
  std::ranges::sort(all);
  all.erase(std::ranges::unique(all).begin(), all.end());
  expression::Shape shape;
  shape.closed = true;
  for (std::string& name : all) {
    shape.members.push_back({std::move(name), {}});
  }
  return shape;
}

void Names::describe_steps(expression::Declarations& names) const {
  Shape all;
  for (const Step& step : draft_.definition.steps) {
    Shape shape = shape_of_step(draft_, step, options_.tools);
    if (is_identifier(step.id)) {
      const std::string name = "steps." + step.id;
      names.describe(name + ".error", std::make_shared<const Shape>(*shape.member("error")));
      names.describe(name + ".output", std::make_shared<const Shape>(*shape.member("output")));
      names.describe(name, std::make_shared<const Shape>(shape));
    }
    all.members.push_back({step.id, std::move(shape)});
  }
  if (names.find("steps") != nullptr) {
    names.describe("steps", std::make_shared<const Shape>(std::move(all)));
  }
}

void Names::describe(expression::Declarations& names) const {
  const auto put = [&](const char* name, Shape shape) {
    names.describe(name, std::make_shared<const Shape>(std::move(shape)));
  };
  put("vars", variables());
  put("run", shape_of_run());
  if (names.find("error") != nullptr) {
    put("error", shape_of_failure());
  }
  if (const auto& schema = draft_.definition.input_schema) {
    put("input", shape_of_schema(*schema));
  }
  describe_steps(names);
}

const expression::Declarations& Names::outermost(bool sees_error, bool by_index) {
  auto& declared = outermost_[(sees_error ? 2u : 0u) + (by_index ? 1u : 0u)];
  if (declared) {
    return *declared;
  }
  declared.emplace();
  declare_steps(*declared);
  const auto fixed = [&](const char* name, FixedSlot slot) {
    declared->add(name, static_cast<Slot>(slot));
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
  if (!options_.lenient) {
    describe(*declared);
  }
  return *declared;
}

const expression::Declarations& Names::names_of(const Reading& reading, bool by_index) {
  const std::uint16_t scope = scope_of(reading);
  const auto& outer = outermost(reading.sees_error, by_index);
  if (scope == 0) {
    return outer;
  }
  const std::size_t key = scope * 4u + (reading.sees_error ? 2u : 0u) + (by_index ? 1u : 0u);
  if (!inner_ || inner_key_ != key) {
    inner_ = outer;
    inner_key_ = key;
    declare_items(*inner_, scope);
  }
  return *inner_;
}

// Why an expression cannot read a step, if it cannot.
std::optional<Error> Names::objection(const Reading& reading, const Step& named) const {
  const Definition& definition = draft_.definition;
  const std::uint16_t home = definition.scope_of_step[named.index];
  std::uint16_t around = scope_of(reading);
  while (around != home && definition.scopes[around].owner) {
    around = definition.scope_of_step[*definition.scopes[around].owner];
  }
  if (around != home) {
    const std::string& each = definition.steps[*definition.scopes[home].owner].id;
    return Error{Code::flow_graph_invalid,
                 "steps." + named.id + " is inside for_each " + each + ", once per item",
                 "use steps." + each + ".output, the list of its results"};
  }
  const auto& before = draft_.before;
  const Step* step = reading.step;
  if (step == nullptr || before.empty() || before[step->index][named.index]) {
    return std::nullopt;
  }
  if (step->index == named.index) {
    return Error{Code::flow_graph_invalid,
                 "steps." + named.id + " is this very step, which has not ended yet"};
  }
  for (auto owner = definition.blocks[step->block].owner; owner;
       owner = definition.blocks[definition.steps[*owner].block].owner) {
    if (*owner == named.index) {
      return Error{Code::flow_graph_invalid,
                   "steps." + named.id + " is around this step and has not ended yet"};
    }
  }
  if (before[named.index][step->index]) {
    return Error{Code::flow_graph_invalid, "steps." + named.id + " runs after this step"};
  }
  return Error{Code::flow_graph_invalid,
               "steps." + named.id + " need not have ended before this step begins",
               "name \"" + named.id + "\" in `needs` where both are in the same list of steps"};
}

bool Names::in_order(const Reading& reading, std::span<const Slot> slots) const {
  const Definition& definition = draft_.definition;
  return std::ranges::none_of(slots, [&](Slot slot) {
    return slot >= kFirstFree &&
           definition.slots[slot - kFirstFree].what == SlotMeaning::What::step &&
           objection(reading, definition.steps[definition.slots[slot - kFirstFree].step]);
  });
}

void Names::check_order(const At& at, const Reading& reading, std::span<const Slot> slots) {
  const Definition& definition = draft_.definition;
  std::vector<StepIndex> seen;
  for (const Slot slot : slots) {
    if (slot < kFirstFree || definition.slots[slot - kFirstFree].what != SlotMeaning::What::step) {
      continue;
    }
    const StepIndex named = definition.slots[slot - kFirstFree].step;
    if (std::ranges::find(seen, named) != seen.end()) {
      continue;
    }
    seen.push_back(named);
    if (const auto error = objection(reading, definition.steps[named])) {
      reader_.complain(at, *error);
    }
  }
}

// steps["my-id"] reads the map of all steps: which of them it means shows only in the text.
void Names::check_indexes(const At& at, const Reading& reading, std::string_view text) {
  constexpr std::string_view kOpen = "steps[";
  for (auto from = text.find(kOpen); from != text.npos; from = text.find(kOpen, from)) {
    from += kOpen.size();
    if (from >= text.size() || (text[from] != '"' && text[from] != '\'')) {
      continue;
    }
    const auto to = text.find(text[from], from + 1);
    if (to == text.npos) {
      return;
    }
    const std::string_view id = text.substr(from + 1, to - from - 1);
    if (const Step* named = draft_.definition.find(id); named == nullptr) {
      std::vector<std::string_view> ids;
      for (const Step& step : draft_.definition.steps) {
        ids.push_back(step.id);
      }
      reader_.complain(at, Code::flow_step_unknown,
                       "there is no step \"" + std::string(id) + "\"" + did_you_mean(id, ids),
                       listed("steps of this flow", id, ids));
    } else if (const auto error = objection(reading, *named)) {
      reader_.complain(at, *error);
    }
    from = to;
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
  const Reading reading{&step, sees_error};
  expression::Options options;
  options.result = StaticType::boolean;
  auto program = Program::compile(text, names_of(reading, indexes_steps(text)), options);
  if (!program) {
    reader_.complain(at, program.error());
    return std::nullopt;
  }
  check_order(at, reading, program->slots());
  check_indexes(at, reading, text);
  return std::move(*program);
}

std::optional<Template> Names::compile(const At& at, const Value& tree, const Reading& reading,
                                       const expression::Options& options) {
  const bool by_index = indexes_steps(to_json(tree));
  auto compiled = Template::compile(tree, names_of(reading, by_index), options);
  if (!compiled || by_index || !in_order(reading, compiled->slots())) {
    blame(at, tree, reading, options);
  }
  if (!compiled) {
    return std::nullopt;
  }
  return std::move(*compiled);
}

// Says of each string in a tree what is wrong with it, at its own place.
void Names::blame(const At& at, const Value& tree, const Reading& reading,
                  const expression::Options& options) {
  if (at.node->shape == Node::Shape::list) {
    for (std::size_t i = 0; i < at.node->items.size(); ++i) {
      const At item = Reader::item(at, i);
      blame(item, item.node->to_value(), reading, options);
    }
  } else if (at.node->shape == Node::Shape::map) {
    for (const Node::Member& member : at.node->members) {
      const At value = Reader::member(at, member.key);
      blame(value, value.node->to_value(), reading, options);
    }
  } else if (tree.is(Kind::string)) {
    const std::string text(tree.as_string());
    std::size_t wrong_at = 0;
    const auto compiled =
        Template::compile(tree, names_of(reading, indexes_steps(text)), options, &wrong_at);
    if (!compiled) {
      Node place = {};
      place.mark = mark_within(*at.node, wrong_at);
      reader_.complain({&place, at.path}, compiled.error());
    } else {
      check_order(at, reading, compiled->slots());
      check_indexes(at, reading, compiled->constant() ? "" : text);
    }
  }
}

std::optional<Template> Names::value(const At& at, const Step& step, bool sees_error) {
  return compile(at, at.node->to_value(), {&step, sees_error});
}

std::optional<Template> Names::final_value(const At& at) {
  return compile(at, at.node->to_value(), {});
}

std::optional<Template> Names::list(const At& at, const Step& step) {
  Value tree = at.node->to_value();
  if (tree.is(Kind::string) && tree.as_string().find("${") == std::string_view::npos) {
    tree = Value("${" + std::string(tree.as_string()) + "}");
  }
  if (!tree.is(Kind::list) && !tree.is(Kind::string)) {
    reader_.complain(at, Code::resource_value_invalid, "must be a list, or a ${ } that gives one");
    return std::nullopt;
  }
  expression::Options options;
  if (tree.is(Kind::string) &&
      !options_.lenient) { // in a list that is written out each item is its own
    options.result = StaticType::list;
  }
  return compile(at, tree, {&step, false}, options);
}

} // namespace skein::flow::loading
