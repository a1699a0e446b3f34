#include "core/flow/scope_view.h"
#include "core/flow/turn.h"

namespace skein::flow {
namespace {

/// How many ready steps one event may begin before it asks to go on in another.
constexpr int kStepsPerEvent = 1'000;

Result<Instant> time_from(const Value& value) {
  if (value.is(Kind::timestamp)) {
    return Instant{value.seconds() * 1'000 + value.nanos() / 1'000'000};
  }
  if (value.is(Kind::string)) {
    return parse_instant(value.as_string());
  }
  return Error{Code::resource_value_invalid,
               "wait.until is not a time: " + std::string(name_of(value.kind()))};
}

Result<Millis> span_from(const Value& value) {
  if (value.is(Kind::duration)) {
    return Millis{value.seconds() * 1'000 + value.nanos() / 1'000'000};
  }
  if (value.is(Kind::string)) {
    return parse_millis(value.as_string());
  }
  return Error{Code::resource_value_invalid,
               "wait.duration is not a duration: " + std::string(name_of(value.kind()))};
}

Error not_a(std::string_view what, std::string_view wanted, const Value& got) {
  return Error{Code::expression_evaluation, std::string(what) + " is no " + std::string(wanted) +
                                                " but " + std::string(name_of(got.kind()))};
}

Result<Value> sum(const Value& a, const Value& b) {
  if (a.is_null()) {
    return b;
  }
  if (a.is(Kind::integer) && b.is(Kind::integer)) {
    std::int64_t total = 0;
    if (__builtin_add_overflow(a.as_int(), b.as_int(), &total)) {
      return Error{Code::expression_evaluation, "sum overflows"};
    }
    return Value(total);
  }
  const auto number = [](const Value& v) -> std::optional<double> {
    if (v.is(Kind::real)) {
      return v.as_double();
    }
    return v.is(Kind::integer) ? std::optional(static_cast<double>(v.as_int())) : std::nullopt;
  };
  if (number(a) && number(b)) {
    return Value(*number(a) + *number(b));
  }
  return not_a("the value to sum", "number", number(a) ? b : a);
}

Result<Value> append(const Value& list, Value item) {
  if (!list.is_null() && !list.is(Kind::list)) {
    return not_a("the variable to append to", "list", list);
  }
  std::vector<Value> items;
  if (list.is(Kind::list)) {
    items.assign(list.as_list().begin(), list.as_list().end());
  }
  items.push_back(std::move(item));
  return Value::of_list(std::move(items));
}

} // namespace

Value merged(const Value& into, const Value& fields) {
  std::vector<MapEntry> entries;
  if (into.is(Kind::map)) {
    for (const MapEntry& entry : into.as_map()) {
      if (fields.find(entry.first) == nullptr) {
        entries.push_back(entry);
      }
    }
  }
  if (fields.is(Kind::map)) {
    entries.insert(entries.end(), fields.as_map().begin(), fields.as_map().end());
  }
  return Value::of_map(std::move(entries));
}

namespace {

Result<Value> reduced(SetStep::Reducer reducer, const Value& old, Value value) {
  switch (reducer) {
    case SetStep::Reducer::append:
      return append(old, std::move(value));
    case SetStep::Reducer::merge:
      if (!value.is(Kind::map) || !(old.is_null() || old.is(Kind::map))) {
        return not_a("what is merged", "map", value.is(Kind::map) ? old : value);
      }
      return merged(old, value);
    case SetStep::Reducer::sum:
      return sum(old, value);
    case SetStep::Reducer::replace:
      break;
  }
  return value;
}

} // namespace

void Turn::drain() {
  for (int budget = kStepsPerEvent; budget > 0 && !state_.ready.empty() && !state_.paused;
       --budget) {
    const Place place = pop_ready(state_);
    const StepState* step = look_up(place);
    if (step == nullptr) {
      continue; // its frame is gone: the item was cancelled
    }
    if (step->status == StepStatus::ready) {
      begin(place);
    } else if (step->status == StepStatus::running && step->detail) {
      start_next_item(place);
    }
  }
}

void Turn::enter(const BlockAt& block) {
  for (const StepIndex index : definition_.blocks[block.block].steps) {
    if (definition_.steps[index].in == 0) {
      const Place place = around(block.inside, index, block.inside.depth);
      at(place).status = StepStatus::ready;
      push_ready(state_, place);
    }
  }
}

void Turn::begin(const Place& place) {
  const Step& step = step_of(place);
  StepState& state = at(place);
  if (state.attempt > 0) { // a further attempt: its condition and its input are settled
    dispatch(place, state);
    return;
  }
  if (step.when) {
    const auto holds = step.when->evaluate(ScopeView(definition_, state_, run_, place));
    if (!holds || !holds->is(Kind::boolean)) {
      fail(place, failure_of(place, holds ? not_a("`when`", "bool", *holds) : holds.error()));
      return;
    }
    if (!holds->as_bool()) {
      skip(place);
      return;
    }
  }
  std::visit([&](const auto& kind) { begin_kind(place, kind); }, step.kind);
}

void Turn::dispatch(const Place& place, StepState& step) {
  step.status = StepStatus::running;
  step.begun = false;
  ++step.attempt;
  ++state_.running;
  effects_.push_back(Dispatch{place, step.attempt, step.input});
}

void Turn::begin_kind(const Place& place, const ToolStep& kind) {
  auto input = kind.with.evaluate(ScopeView(definition_, state_, run_, place));
  if (!input) {
    fail(place, failure_of(place, input.error()));
    return;
  }
  StepState& step = at(place);
  step.input = std::move(*input);
  dispatch(place, step);
}

void Turn::begin_kind(const Place& place, const FlowStep& kind) {
  std::optional<Error> refused;
  if (state_.depth >= kMaxDepth) {
    refused =
        Error{Code::run_depth,
              "this run has " + std::to_string(state_.depth) + " above it: it may start no other",
              "let the flow that calls itself end earlier: see `parent` of the run"};
  } else if (state_.children.size() >= kMaxChildren) {
    refused = Error{Code::run_limit,
                    "the run waits for " + std::to_string(kMaxChildren) + " children already",
                    "lower `max_parallel`"};
  }
  auto input = refused ? Result<Value>(*refused)
                       : kind.with.evaluate(ScopeView(definition_, state_, run_, place));
  if (!input) {
    fail(place, failure_of(place, input.error()));
    return;
  }
  StepState& step = at(place);
  step.input = input->is_null() ? Value::of_map({}) : std::move(*input);
  dispatch(place, step);
}

// From here on nothing of it is under way in this process: the run may leave memory.
void Turn::start_child(const Begun& event, const FlowStep& kind) {
  StepState& step = at(event.place);
  --state_.running;
  step.status = StepStatus::waiting;
  step.child = std::make_unique<RunId>(event.child);
  state_.children.emplace(event.child.get(), event.place);
  effects_.push_back(StartChild{event.child, kind.flow, event.revision, step.input, state_.labels,
                                state_.depth + 1});
  if (const auto& timeout = step_of(event.place).timeout) {
    step.timer = arm(event.place, Timer::Purpose::give_up, now_ + *timeout);
  }
}

void Turn::begin_kind(const Place& place, const SetStep& kind) {
  for (const SetStep::Assignment& assignment : kind.assignments) {
    auto value = assignment.value.evaluate(ScopeView(definition_, state_, run_, place));
    if (value) {
      const Value* old = state_.vars.find(assignment.name);
      value = reduced(assignment.reducer, old != nullptr ? *old : Value(), std::move(*value));
    }
    if (!value) {
      fail(place, failure_of(place, value.error()));
      return;
    }
    state_.vars = merged(state_.vars, object({{assignment.name, std::move(*value)}}));
  }
  state_.vars_digest = digest_of(state_.vars);
  succeed(place, Value());
}

void Turn::begin_kind(const Place& place, const SwitchStep& kind) {
  for (const SwitchStep::Case& candidate : kind.cases) {
    if (candidate.when) {
      const auto holds = candidate.when->evaluate(ScopeView(definition_, state_, run_, place));
      if (!holds || !holds->is(Kind::boolean)) {
        fail(place, failure_of(place, holds ? not_a("`when`", "bool", *holds) : holds.error()));
        return;
      }
      if (!holds->as_bool()) {
        continue;
      }
    }
    succeed(place, Value(definition_.steps[candidate.go_to].id), candidate.go_to);
    return;
  }
  succeed(place, Value());
}

void Turn::begin_kind(const Place& place, const ParallelStep& kind) {
  ParallelState parallel;
  for (const ParallelStep::Branch& branch : kind.branches) {
    parallel.branches.push_back(
        {static_cast<std::uint16_t>(definition_.blocks[branch.block].steps.size()), false, false});
  }
  StepState& step = at(place);
  step.status = StepStatus::running;
  step.detail = std::make_unique<Detail>(std::move(parallel));
  for (const ParallelStep::Branch& branch : kind.branches) {
    enter({branch.block, place});
  }
}

void Turn::begin_kind(const Place& place, const ForEachStep& kind) {
  auto items = kind.in.evaluate(ScopeView(definition_, state_, run_, place));
  if (!items || !items->is(Kind::list)) {
    fail(place, failure_of(place, items ? not_a("for_each.in", "list", *items) : items.error()));
    return;
  }
  const std::size_t count = items->as_list().size();
  if (count > kind.max_items) {
    fail(place, failure_of(place, Error{Code::run_limit, "for_each has " + std::to_string(count) +
                                                             " items, more than max_items " +
                                                             std::to_string(kind.max_items)}));
    return;
  }
  if (count == 0) {
    succeed(place, *items);
    return;
  }
  ForEachState each;
  each.items = std::move(*items);
  StepState& step = at(place);
  step.status = StepStatus::running;
  step.items_failed = 0;
  step.detail = std::make_unique<Detail>(std::move(each));
  queue_item(place, std::get<ForEachState>(*step.detail));
}

void Turn::queue_item(const Place& each, ForEachState& state) {
  const auto& kind = std::get<ForEachStep>(step_of(each).kind);
  if (!state.queued && state.next < state.items.as_list().size() &&
      state.under_way.size() < kind.max_parallel) {
    state.queued = true;
    push_ready(state_, each);
  }
}

void Turn::start_next_item(const Place& place) {
  auto* each = std::get_if<ForEachState>(at(place).detail.get());
  if (each == nullptr || !each->queued) {
    return;
  }
  each->queued = false;
  const std::uint32_t item = each->next++;
  each->under_way.insert(item);
  const BlockIndex body = std::get<ForEachStep>(step_of(place).kind).body;
  const Place key = inside(place, item);
  add_frame(state_, definition_, key, body);
  enter({body, key});
  queue_item(place, *each);
}

void Turn::begin_kind(const Place& place, const WaitStep& kind) {
  if (kind.signal) {
    wait_for_signal(place, kind);
  } else {
    wait_for_time(place, kind);
  }
}

void Turn::wait_for_time(const Place& place, const WaitStep& kind) {
  const auto value = (kind.until ? *kind.until : *kind.duration)
                         .evaluate(ScopeView(definition_, state_, run_, place));
  Instant due = now_;
  std::optional<Error> wrong;
  if (!value) {
    wrong = value.error();
  } else if (kind.until) {
    const auto time = time_from(*value);
    time ? void(due = *time) : void(wrong = time.error());
  } else {
    const auto span = span_from(*value);
    span ? void(due = now_ + *span) : void(wrong = span.error());
  }
  if (wrong) {
    fail(place, failure_of(place, *wrong));
  } else if (due <= now_) {
    succeed(place, Value());
  } else {
    StepState& step = at(place);
    step.status = StepStatus::waiting;
    step.timer = arm(place, Timer::Purpose::wait, due);
  }
}

void Turn::wait_for_signal(const Place& place, const WaitStep& kind) {
  const auto value = kind.signal->evaluate(ScopeView(definition_, state_, run_, place));
  if (!value || !value->is(Kind::string)) {
    fail(place, failure_of(place, value ? not_a("wait.signal", "string", *value) : value.error()));
    return;
  }
  const std::string name(value->as_string());
  if (!may_name_signal(name)) {
    fail(place, failure_of(place, Error{Code::resource_value_invalid,
                                        "wait.signal has " + std::to_string(name.size()) +
                                            " bytes; a name of a signal has 1 to 256"}));
    return;
  }
  if (auto payload = take_signal(state_, name)) {
    succeed(place, std::move(*payload));
    return;
  }
  StepState& step = at(place);
  step.status = StepStatus::waiting;
  step.detail = std::make_unique<Detail>(SignalWaitState{name, add_waiter(state_, name, place)});
  effects_.push_back(OpenWait{WaitRow::What::signal, name});
  if (kind.timeout) {
    step.timer = arm(place, Timer::Purpose::give_up, now_ + *kind.timeout);
  }
}

void Turn::begin_kind(const Place& place, const ApprovalStep& kind) {
  if (kind.auto_approve) {
    const auto holds = kind.auto_approve->evaluate(ScopeView(definition_, state_, run_, place));
    if (!holds || !holds->is(Kind::boolean)) {
      fail(place, failure_of(place, holds ? not_a("auto_approve", "bool", *holds) : holds.error()));
      return;
    }
    if (holds->as_bool()) {
      succeed(place, object({{"approved", true}, {"auto", true}, {"by", Value::of_list({})}}));
      return;
    }
  }
  Value message;
  if (kind.message) {
    auto text = kind.message->evaluate(ScopeView(definition_, state_, run_, place));
    if (!text) {
      fail(place, failure_of(place, text.error()));
      return;
    }
    message = std::move(*text);
  }
  StepState& step = at(place);
  step.status = StepStatus::waiting;
  step.input = object({{"message", message}}); // what the approvers are shown
  step.detail = std::make_unique<Detail>(ApprovalState{});
  state_.approvals.insert(place);
  effects_.push_back(OpenWait{WaitRow::What::approval, text_of(place)});
  if (kind.timeout) {
    step.timer = arm(place, Timer::Purpose::give_up, now_ + *kind.timeout);
  }
}

void Turn::begin_kind(const Place& place, const EmitStep& kind) {
  const ScopeView view(definition_, state_, run_, place);
  const auto type = kind.type.evaluate(view);
  const auto data = kind.data.evaluate(view);
  const auto source =
      kind.source ? kind.source->evaluate(view) : Value("skein/flow/" + definition_.name);
  const auto subject = kind.subject ? kind.subject->evaluate(view) : Value();
  for (const auto* part : {&type, &data, &source, &subject}) {
    if (!*part) {
      fail(place, failure_of(place, part->error()));
      return;
    }
  }
  if (!type->is(Kind::string)) {
    fail(place, failure_of(place, not_a("emit.type", "string", *type)));
    return;
  }
  std::vector<MapEntry> event{
      {"specversion", "1.0"}, {"id", key_of(place)},     {"type", *type},
      {"source", *source},    {"time", to_string(now_)}, {"datacontenttype", "application/json"},
      {"data", *data}};
  if (!subject->is_null()) {
    event.emplace_back("subject", *subject);
  }
  effects_.push_back(
      Emit{key_of(place), std::string(type->as_string()), Value::of_map(std::move(event))});
  succeed(place, object({{"id", key_of(place)}}));
}

void Turn::begin_kind(const Place& place, const RespondStep& kind) {
  auto value = kind.value.evaluate(ScopeView(definition_, state_, run_, place));
  if (!value) {
    fail(place, failure_of(place, value.error()));
    return;
  }
  state_.response = *value;
  state_.response_digest = digest_of(*value);
  force_show_ = true;
  succeed(place, std::move(*value));
}

void Turn::begin_kind(const Place& place, const FailStep& kind) {
  const ScopeView view(definition_, state_, run_, place);
  const auto message = kind.message.evaluate(view);
  const auto code = kind.code ? kind.code->evaluate(view) : Value(to_string(Code::flow_failed));
  if (!message || !code) {
    fail(place, failure_of(place, message ? code.error() : message.error()));
    return;
  }
  const auto text = [](const Value& v) {
    return v.is(Kind::string) ? std::string(v.as_string()) : std::string(name_of(v.kind()));
  };
  fail(place, Failure{text(*code), text(*message), {}, step_of(place).id, false});
}

} // namespace skein::flow
