#include "core/flow/scope_view.h"

namespace skein::flow {
namespace {

Value whole_step(const StepState& step) {
  return object({{"status", name_of(step.status)},
                 {"output", step.output},
                 {"error", step.failure ? to_value(*step.failure) : Value()},
                 {"attempt", static_cast<std::int64_t>(step.attempt)}});
}

std::string text_at(const Value& map, std::string_view key) {
  const Value* value = map.find(key);
  return value != nullptr && value->is(Kind::string) ? std::string(value->as_string())
                                                     : std::string();
}

} // namespace

Value to_value(const Failure& failure) {
  return object({{"code", failure.code},
                 {"message", failure.message},
                 {"hint", failure.hint},
                 {"step", failure.step},
                 {"retryable", failure.retryable}});
}

std::optional<Failure> failure_from(const Value& value) {
  if (!value.is(Kind::map)) {
    return std::nullopt;
  }
  const Value* retryable = value.find("retryable");
  return Failure{text_at(value, "code"), text_at(value, "message"), text_at(value, "hint"),
                 text_at(value, "step"),
                 retryable != nullptr && retryable->is(Kind::boolean) && retryable->as_bool()};
}

const Value* ScopeView::keep(Value value) const { return &made_.emplace_front(std::move(value)); }

const Value* ScopeView::find(expression::Slot slot) const {
  switch (static_cast<FixedSlot>(slot)) {
    case FixedSlot::input:
      return &state_.input;
    case FixedSlot::vars:
      return &state_.vars;
    case FixedSlot::steps:
      return keep(steps_value());
    case FixedSlot::run:
      return keep(run_value());
    case FixedSlot::context:
    case FixedSlot::event:
      return keep(Value::of_map({}));
    case FixedSlot::error:
      return failure_ != nullptr ? keep(to_value(*failure_)) : nullptr;
    default:
      break;
  }
  const auto index = slot - static_cast<expression::Slot>(FixedSlot::first_free);
  const SlotMeaning& meaning = definition_.slots[index];
  return meaning.what == SlotMeaning::What::step ? step(meaning) : item(meaning);
}

const Value* ScopeView::step(const SlotMeaning& meaning) const {
  const std::uint8_t depth = depth_of(definition_, definition_.scope_of_step[meaning.step]);
  if (depth > place_.depth) {
    return nullptr;
  }
  const StepState* step = flow::find(state_, definition_, around(place_, meaning.step, depth));
  if (step == nullptr) {
    return nullptr;
  }
  switch (meaning.part) {
    case StepSlot::output:
      return &step->output;
    case StepSlot::status:
      return keep(name_of(step->status));
    case StepSlot::error:
      return keep(step->failure ? to_value(*step->failure) : Value());
    case StepSlot::whole:
      break;
  }
  return keep(whole_step(*step));
}

const Value* ScopeView::item(const SlotMeaning& meaning) const {
  const std::uint8_t depth = depth_of(definition_, definition_.scope_of_step[meaning.step]);
  if (depth >= place_.depth) {
    return nullptr;
  }
  const std::uint32_t index = place_.items[depth];
  if (meaning.what == SlotMeaning::What::index) {
    return keep(Value(std::int64_t{index}));
  }
  const StepState* step = flow::find(state_, definition_, around(place_, meaning.step, depth));
  if (step == nullptr || !step->detail) {
    return nullptr;
  }
  return &std::get<ForEachState>(*step->detail).items.as_list()[index];
}

Value ScopeView::run_value() const {
  return object(
      {{"id", run_.get()},
       {"flow", definition_.name},
       {"created_at",
        Value::of_timestamp(state_.created_at.ms / 1000,
                            static_cast<std::uint32_t>(state_.created_at.ms % 1000) * 1'000'000)}});
}

// Every step of this frame and of those around it that has begun; the general, slower way of
// steps["my-id"].
Value ScopeView::steps_value() const {
  std::vector<MapEntry> entries;
  for (const Step& candidate : definition_.steps) {
    Place at = place_;
    at.step = candidate.index;
    at.depth = depth_of(definition_, definition_.scope_of_step[candidate.index]);
    const bool around =
        definition_.scope_of_step[candidate.index] == definition_.scope_of_step[place_.step] ||
        at.depth < place_.depth;
    const StepState* step = around ? flow::find(state_, definition_, at) : nullptr;
    if (step != nullptr && has_ended(step->status)) {
      entries.emplace_back(candidate.id, whole_step(*step));
    }
  }
  return Value::of_map(std::move(entries));
}

} // namespace skein::flow
