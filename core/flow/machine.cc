#include "core/flow/machine.h"

#include <algorithm>
#include <charconv>

#include "core/base/nearest.h"
#include "core/flow/state.h"
#include "core/flow/turn.h"

namespace skein::flow {
namespace {

constexpr std::size_t kMaxSignals = 10'000; ///< kept or remembered per run

Error conflict(const RunId& run, const std::string& why) {
  return Error{Code::run_state_conflict, "run " + run.get() + " " + why,
               "see `skein run status " + run.get() + "`"};
}

// Whether an event comes from outside the run rather than from an effect that it asked for.
bool from_outside(const Event& event) {
  return std::holds_alternative<Signalled>(event) || std::holds_alternative<Answered>(event) ||
         std::holds_alternative<CancelAsked>(event) || std::holds_alternative<PauseAsked>(event) ||
         std::holds_alternative<ResumeAsked>(event) || std::holds_alternative<Settled>(event) ||
         std::holds_alternative<Forked>(event);
}

// A place that the definition has: journals and callers are not trusted with indexes.
const StepState* state_at(const State& state, const Definition& definition, const Place& place) {
  if (place.step >= definition.steps.size() ||
      place.depth != depth_of(definition, definition.scope_of_step[place.step])) {
    return nullptr;
  }
  return find(state, definition, place);
}

bool awaits(const StepState* step, std::uint32_t attempt) {
  return step != nullptr && step->status == StepStatus::running && step->attempt == attempt &&
         !step->detail;
}

// One answer per kind of event: would it change nothing?
struct Ignores {
  const Definition& definition;
  const State& state;

  const StepState* at(const Place& place) const { return state_at(state, definition, place); }

  bool operator()(const Created&) const { return false; }
  bool operator()(const Forked&) const { return false; }
  bool operator()(const Begun& e) const {
    return !awaits(at(e.place), e.attempt) || at(e.place)->begun;
  }
  bool operator()(const Succeeded& e) const { return !awaits(at(e.place), e.attempt); }
  bool operator()(const Failed& e) const { return !awaits(at(e.place), e.attempt); }
  bool operator()(const FoundInDoubt& e) const {
    return !awaits(at(e.place), e.attempt) || !at(e.place)->begun;
  }
  bool operator()(const Expired& e) const { return !state.timers.contains(e.timer); }
  bool operator()(const Signalled& e) const { return state.signal_ids.contains(e.id); }
  bool operator()(const Answered& e) const {
    const StepState* step = at(e.place);
    if (step == nullptr || !step->detail || !e.approved) {
      return false;
    }
    const auto* approval = std::get_if<ApprovalState>(step->detail.get());
    return approval != nullptr &&
           std::any_of(approval->approvals.begin(), approval->approvals.end(),
                       [&](const Answer& answer) { return answer.by == e.by; });
  }
  bool operator()(const CancelAsked&) const { return false; }
  bool operator()(const PauseAsked&) const { return state.paused && !state.paused_by_doubt; }
  bool operator()(const ResumeAsked&) const {
    return !state.paused || (state.paused_by_doubt && !state.doubted.empty());
  }
  bool operator()(const Settled&) const { return false; }
  bool operator()(const Proceeded&) const { return state.ready.empty() || state.paused; }
  bool operator()(const ChildEnded& e) const { return !state.children.contains(e.child.get()); }
};

} // namespace

Machine::Machine(RunId run, DefinitionPtr definition)
    : run_(std::move(run)), definition_(std::move(definition)), state_(std::make_unique<State>()) {}
Machine::~Machine() = default;
Machine::Machine(Machine&&) noexcept = default;
Machine& Machine::operator=(Machine&&) noexcept = default;

bool Machine::ignores(const Event& event) const {
  if (is_final(state_->state) && !from_outside(event)) {
    return true;
  }
  return state_->state != RunState::pending && std::visit(Ignores{*definition_, *state_}, event);
}

Result<void> Machine::accepts(const Event& event) const {
  const bool created = std::holds_alternative<Created>(event);
  if (created != (state_->state == RunState::pending)) {
    return conflict(run_, created ? "exists already" : "does not exist yet");
  }
  if (created && std::get<Created>(event).rules > kRules) {
    return Error{Code::wire_version,
                 "run " + run_.get() + " was begun under rules " +
                     std::to_string(std::get<Created>(event).rules) + ", this program has " +
                     std::to_string(kRules),
                 "a newer Skein began it: upgrade this node"};
  }
  if (is_final(state_->state)) {
    return conflict(run_, "has ended: " + std::string(name_of(state_->state)));
  }
  if (const auto* answer = std::get_if<Answered>(&event)) {
    return accepts_answer(*answer);
  }
  if (const auto* settled = std::get_if<Settled>(&event)) {
    const StepState* step = state_at(*state_, *definition_, settled->place);
    if (step == nullptr || step->status != StepStatus::in_doubt) {
      return conflict(run_, "has nothing to settle there: the step is not in doubt");
    }
  }
  if (const auto* signal = std::get_if<Signalled>(&event);
      signal != nullptr && !may_name_signal(signal->name)) {
    return Error{Code::resource_value_invalid, "the signal's name has " +
                                                   std::to_string(signal->name.size()) +
                                                   " bytes; a name of a signal has 1 to 256"};
  }
  if (std::holds_alternative<Signalled>(event) &&
      (state_->signals_kept >= kMaxSignals || state_->signal_ids.size() >= kMaxSignals)) {
    return Error{Code::run_limit, "run " + run_.get() + " has " + std::to_string(kMaxSignals) +
                                      " signals and takes no more"};
  }
  return {};
}

Result<void> Machine::accepts_answer(const Answered& answer) const {
  const StepState* step = state_at(*state_, *definition_, answer.place);
  if (step == nullptr || !state_->approvals.contains(answer.place)) {
    return conflict(run_, step == nullptr
                              ? "has no such approval"
                              : text_of(answer.place) + " does not wait for an approval: it " +
                                    "is " + std::string(name_of(step->status)));
  }
  const auto& approvers = std::get<ApprovalStep>(step_at(answer.place).kind).approvers;
  if (!approvers.empty() &&
      std::find(approvers.begin(), approvers.end(), answer.by) == approvers.end()) {
    std::string names;
    for (const std::string& name : approvers) {
      names += (names.empty() ? "" : ", ") + name;
    }
    return conflict(run_, text_of(answer.place) + " takes no answer from \"" + answer.by +
                              "\", only from " + names);
  }
  return {};
}

Result<Effects> Machine::step(const Event& event) {
  if (ignores(event)) {
    return Effects{};
  }
  if (auto accepted = accepts(event); !accepted) {
    return accepted.error();
  }
  Turn turn(*definition_, *state_, run_, at_of(event));
  std::visit([&](const auto& e) { turn.on(e); }, event);
  return turn.finish();
}

RunState Machine::state() const { return state_->state; }
std::string Machine::reason() const { return state_->reason; }
std::string Machine::waiting_for() const { return state_->waiting_for; }
const std::optional<Failure>& Machine::failure() const { return state_->failure; }
std::uint64_t Machine::steps_ended() const { return state_->steps_ended; }
Digest Machine::state_digest() const { return state_->total; }
const Definition& Machine::definition() const { return *definition_; }
const RunId& Machine::run() const { return run_; }

const Value& Machine::output() const {
  return state_->state == RunState::succeeded ? state_->output : state_->response;
}

std::vector<Outstanding> Machine::outstanding() const {
  std::vector<Outstanding> all;
  for (const Place& place : under_way(*state_, *definition_)) {
    const StepState& step = *find(std::as_const(*state_), *definition_, place);
    if (step.status == StepStatus::running) {
      all.push_back({place, step.attempt, step.input, step.begun, step.effect_class});
    }
  }
  return all;
}

bool Machine::wants_to_proceed() const {
  return !state_->ready.empty() && !state_->paused && !is_final(state_->state);
}

bool Machine::at_rest() const {
  return is_final(state_->state) ||
         (state_->running == 0 && (state_->ready.empty() || state_->paused));
}

std::size_t Machine::size() const {
  return state_->root.steps.size() + state_->frames.size() + state_->results_kept +
         state_->signals_kept + state_->signal_ids.size() + state_->timers.size();
}

std::string Machine::effect_key(const Place& place) const {
  return flow::effect_key(run_, *definition_, place);
}

const Step& Machine::step_at(const Place& place) const { return definition_->steps[place.step]; }

std::string Machine::text_of(const Place& place) const {
  return flow::text_of(*definition_, place);
}

Result<Place> Machine::place_of(std::string_view text) const {
  const std::string_view id = text.substr(0, text.find('['));
  const Step* step = definition_->find(id);
  if (step == nullptr) {
    std::vector<std::string_view> ids;
    for (const Step& known : definition_->steps) {
      ids.push_back(known.id);
    }
    return Error{Code::flow_step_unknown,
                 "flow " + definition_->name + " has no step \"" + std::string(id) + "\"" +
                     did_you_mean(id, ids),
                 listed("steps of this flow", id, ids)};
  }
  Place place{step->index, 0, {}};
  std::string_view rest = text.substr(id.size());
  while (!rest.empty() && place.depth < kMaxNesting) {
    std::uint32_t item = 0;
    const auto [end, failed] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), item);
    const auto length = static_cast<std::size_t>(end - rest.data());
    if (rest.front() != '[' || failed != std::errc{} || length >= rest.size() || *end != ']') {
      break;
    }
    place = inside(place, item);
    rest.remove_prefix(length + 1);
  }
  const std::uint8_t depth = depth_of(*definition_, definition_->scope_of_step[step->index]);
  if (!rest.empty() || place.depth != depth) {
    return Error{
        Code::flow_step_unknown, "\"" + std::string(text) + "\" names no place of step " + step->id,
        depth == 0
            ? step->id + " is in no for_each: say " + step->id
            : "give an item number for each for_each around it, such as " + step->id + "[0]"};
  }
  return place;
}

namespace {

void count_items(const Step& shape, const StepState& step, Machine::StepView& view) {
  if (!std::holds_alternative<ForEachStep>(shape.kind)) {
    return;
  }
  if (const auto* each = step.detail ? std::get_if<ForEachState>(step.detail.get()) : nullptr) {
    view.items = static_cast<std::uint32_t>(each->items.as_list().size());
    view.items_done = each->done;
  } else if (step.output.is(Kind::list)) {
    view.items = view.items_done = static_cast<std::uint32_t>(step.output.as_list().size());
  }
  view.items_failed = step.items_failed;
}

} // namespace

std::vector<Machine::StepView> Machine::view() const {
  std::vector<StepView> views;
  const auto add = [&](const Frame& frame, std::uint16_t scope, const Place& inside) {
    for (const StepIndex index : definition_->scopes[scope].steps) {
      const StepState& step = frame.steps[definition_->steps[index].local];
      const Place place = around(inside, index, inside.depth);
      views.push_back({place, text_of(place), std::string(name_of(step.status)), step.attempt,
                       step.failure ? std::optional(*step.failure) : std::nullopt, step.output});
      views.back().child = step.child ? step.child->get() : std::string();
      count_items(definition_->steps[index], step, views.back());
    }
  };
  if (!state_->root.steps.empty()) {
    add(state_->root, 0, Place{});
  }
  for (const auto& [key, frame] : state_->frames) {
    const BlockIndex body = std::get<ForEachStep>(definition_->steps[key.step].kind).body;
    add(frame, definition_->scope_of_step[definition_->blocks[body].steps.front()], key);
  }
  std::sort(views.begin(), views.end(),
            [](const StepView& a, const StepView& b) { return a.place < b.place; });
  return views;
}

} // namespace skein::flow
