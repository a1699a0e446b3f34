#include <algorithm>
#include <charconv>

#include "core/flow/machine.h"
#include "core/flow/scope_view.h"
#include "core/flow/state.h"

/// Checkpoints: the state as a map of named cells and back.
///
///   "run"                what belongs to the run as a whole
///   "steps"              every step state that is not idle
///   "results/PLACE/N"    the N-th thousand results of a for_each under way; a full one never
///   changes
///
/// What can be derived is not kept: how many steps of a block remain, who waits for what, the sums
/// of digests.
namespace skein::flow {
namespace {

constexpr std::size_t kResultsPerCell = 1'000;

Value number(std::uint64_t n) { return Value(static_cast<std::int64_t>(n)); }

std::uint64_t number_at(const Value& map, std::string_view key) {
  const Value* value = map.find(key);
  return value != nullptr && value->is(Kind::integer) ? value->as_uint() : 0;
}

bool flag_at(const Value& map, std::string_view key) {
  const Value* value = map.find(key);
  return value != nullptr && value->is(Kind::boolean) && value->as_bool();
}

Value value_at(const Value& map, std::string_view key) {
  const Value* value = map.find(key);
  return value != nullptr ? *value : Value();
}

std::string text_at(const Value& map, std::string_view key) {
  const Value* value = map.find(key);
  return value != nullptr && value->is(Kind::string) ? std::string(value->as_string())
                                                     : std::string();
}

std::span<const Value> list_at(const Value& map, std::string_view key) {
  const Value* value = map.find(key);
  return value != nullptr && value->is(Kind::list) ? value->as_list() : std::span<const Value>();
}

Value to_value(const Place& place) {
  std::vector<Value> parts{number(place.step)};
  for (const std::uint32_t item : place.path()) {
    parts.push_back(number(item));
  }
  return Value::of_list(std::move(parts));
}

// Places come from storage: whatever does not fit the definition is refused.
std::optional<Place> place_from(const Value& value, const Definition& definition) {
  if (!value.is(Kind::list) || value.as_list().empty() ||
      value.as_list().size() > kMaxNesting + 1) {
    return std::nullopt;
  }
  for (const Value& part : value.as_list()) {
    if (!part.is(Kind::integer) || part.as_int() < 0 || part.as_int() > UINT32_MAX) {
      return std::nullopt;
    }
  }
  const auto parts = value.as_list();
  if (parts[0].as_uint() >= definition.steps.size()) {
    return std::nullopt;
  }
  Place place{static_cast<StepIndex>(parts[0].as_uint()), 0, {}};
  for (const Value& item : parts.subspan(1)) {
    place = inside(place, static_cast<std::uint32_t>(item.as_uint()));
  }
  const bool fits = place.depth == depth_of(definition, definition.scope_of_step[place.step]);
  return fits ? std::optional(place) : std::nullopt;
}

std::string results_cell(const Place& place, std::size_t chunk) {
  return "results/" + std::to_string(place.step) + "/" + iteration_text(place) + "/" +
         std::to_string(chunk);
}

class Writer {
 public:
  Writer(const State& state, const Definition& definition)
      : state_(state), definition_(definition) {}

  Value cells() {
    add_frame(state_.root, 0, Place{});
    std::vector<Place> keys;
    for (const auto& [key, frame] : state_.frames) {
      keys.push_back(key);
    }
    std::sort(keys.begin(), keys.end(), [](const Place& a, const Place& b) {
      return std::pair(a.depth, a) < std::pair(b.depth, b); // outer frames first
    });
    for (const Place& key : keys) {
      const BlockIndex body = std::get<ForEachStep>(definition_.steps[key.step].kind).body;
      add_frame(state_.frames.at(key),
                definition_.scope_of_step[definition_.blocks[body].steps.front()], key);
    }
    cells_.emplace_back("steps", Value::of_list(std::move(steps_)));
    cells_.emplace_back("run", run());
    return Value::of_map(std::move(cells_));
  }

 private:
  void add_frame(const Frame& frame, std::uint16_t scope, const Place& key) {
    for (const StepIndex index : definition_.scopes[scope].steps) {
      const StepState& step = frame.steps[definition_.steps[index].local];
      if (step.counted) {
        steps_.push_back(step_value(around(key, index, key.depth), step));
      }
    }
  }

  Value step_value(const Place& place, const StepState& step) {
    std::vector<MapEntry> entry{{"at", to_value(place)},
                                {"status", number(static_cast<std::uint64_t>(step.status))}};
    const auto add = [&](const char* key, std::uint64_t n) {
      if (n != 0) {
        entry.emplace_back(key, number(n));
      }
    };
    add("attempt", step.attempt);
    add("resolved", step.resolved);
    add("taken", step.taken);
    add("timer", step.timer);
    add("items_failed", step.items_failed);
    if (step.begun) {
      entry.emplace_back("begun", number(static_cast<std::uint64_t>(step.effect_class)));
    }
    if (!step.input.is_null()) {
      entry.emplace_back("input", step.input);
    }
    if (!step.output.is_null()) {
      entry.emplace_back("output", step.output);
    }
    if (step.output_digest != Digest{}) {
      entry.emplace_back("ended", true); // so that a null output's digest comes back too
    }
    if (step.failure) {
      entry.emplace_back("failure", flow::to_value(*step.failure));
    }
    if (step.detail) {
      std::visit([&](const auto& detail) { add_detail(entry, place, detail); }, *step.detail);
    }
    if (step.child) {
      entry.emplace_back("child", step.child->get());
    }
    return Value::of_map(std::move(entry));
  }

  void add_detail(std::vector<MapEntry>& entry, const Place&, const ParallelState& parallel) {
    std::vector<Value> branches;
    for (const BlockState& branch : parallel.branches) {
      branches.push_back(object({{"remaining", number(branch.remaining)},
                                 {"closed", branch.closed},
                                 {"failed", branch.failed}}));
    }
    entry.emplace_back("branches", Value::of_list(std::move(branches)));
    if (parallel.first_failure) {
      entry.emplace_back("first_failure", flow::to_value(*parallel.first_failure));
    }
  }

  void add_detail(std::vector<MapEntry>& entry, const Place& place, const ForEachState& each) {
    std::vector<Value> under_way;
    for (const std::uint32_t item : each.under_way) {
      under_way.push_back(number(item));
    }
    entry.emplace_back("each", object({{"items", each.items},
                                       {"next", number(each.next)},
                                       {"done", number(each.done)},
                                       {"queued", each.queued},
                                       {"results", number(each.results.size())},
                                       {"under_way", Value::of_list(std::move(under_way))}}));
    for (std::size_t from = 0; from < each.results.size(); from += kResultsPerCell) {
      const std::size_t to = std::min(from + kResultsPerCell, each.results.size());
      cells_.emplace_back(results_cell(place, from / kResultsPerCell),
                          Value::of_list({each.results.begin() + static_cast<std::ptrdiff_t>(from),
                                          each.results.begin() + static_cast<std::ptrdiff_t>(to)}));
    }
  }

  void add_detail(std::vector<MapEntry>& entry, const Place&, const ApprovalState& approval) {
    std::vector<Value> approvals;
    for (const Answer& answer : approval.approvals) {
      approvals.push_back(object({{"by", answer.by}, {"comment", answer.comment}}));
    }
    entry.emplace_back("approvals", Value::of_list(std::move(approvals)));
  }

  void add_detail(std::vector<MapEntry>& entry, const Place&, const SignalWaitState& wait) {
    entry.emplace_back("signal", wait.name);
  }

  Value run() const {
    std::vector<Value> ready;
    for (const Place& place : state_.ready) {
      ready.push_back(to_value(place));
    }
    std::vector<Value> timers;
    for (const auto& [id, timer] : state_.timers) {
      timers.push_back(object({{"id", number(id)},
                               {"at", to_value(timer.place)},
                               {"purpose", number(static_cast<std::uint64_t>(timer.purpose))},
                               {"due", timer.due.ms}}));
    }
    std::vector<Value> signals;
    for (const auto& [name, queue] : state_.signals) {
      for (const Signal& signal : queue) {
        signals.push_back(object(
            {{"number", number(signal.number)}, {"name", name}, {"payload", signal.payload}}));
      }
    }
    std::vector<Value> signal_ids(state_.signal_ids.begin(), state_.signal_ids.end());
    std::vector<Value> waiters; // in order of arrival, which the steps alone do not tell
    for (const auto& [name, places] : state_.waiters) {
      for (const auto& [arrival, place] : places) {
        waiters.push_back(to_value(place));
      }
    }
    std::vector<MapEntry> cell{
        {"state", number(static_cast<std::uint64_t>(state_.state))},
        {"reason", state_.reason},
        {"waiting_for", state_.waiting_for},
        {"paused", state_.paused},
        {"paused_by_doubt", state_.paused_by_doubt},
        {"created_at", state_.created_at.ms},
        {"seed", number(state_.seed)},
        {"rules", number(state_.rules)},
        {"input", state_.input},
        {"vars", state_.vars},
        {"response", state_.response},
        {"output", state_.output},
        {"failure", state_.failure ? flow::to_value(*state_.failure) : Value()},
        {"steps_ended", number(state_.steps_ended)},
        {"ready", Value::of_list(std::move(ready))},
        {"ready_popped", number(state_.ready_popped)},
        {"timers", Value::of_list(std::move(timers))},
        {"next_timer", number(state_.next_timer)},
        {"signals", Value::of_list(std::move(signals))},
        {"signals_seen", number(state_.signals_seen)},
        {"signal_ids", Value::of_list(std::move(signal_ids))},
        {"waiters", Value::of_list(std::move(waiters))}};
    if (!state_.parent.empty()) {
      cell.emplace_back("parent", state_.parent);
    }
    if (state_.depth > 0) {
      cell.emplace_back("depth", number(state_.depth));
    }
    if (!state_.labels.is_null()) {
      cell.emplace_back("labels", state_.labels);
    }
    return Value::of_map(std::move(cell));
  }

  const State& state_;
  const Definition& definition_;
  std::vector<MapEntry> cells_;
  std::vector<Value> steps_;
};

class Reader {
 public:
  Reader(const Value& cells, const Definition& definition, State& state)
      : cells_(cells), definition_(definition), state_(state) {}

  bool read() {
    const Value run = value_at(cells_, "run");
    if (!run.is(Kind::map)) {
      return false;
    }
    read_run(run);
    state_.root = make_frame(definition_, 0, kRootBlock);
    for (const Value& entry : list_at(cells_, "steps")) {
      if (!read_step(entry)) {
        return false;
      }
    }
    count_remaining(state_.root, kRootBlock);
    for (auto& [key, frame] : state_.frames) {
      count_remaining(frame, std::get<ForEachStep>(definition_.steps[key.step].kind).body);
    }
    state_.root.block.closed = is_final(state_.state);
    return read_places(run);
  }

 private:
  void read_run(const Value& run) {
    state_.state = static_cast<RunState>(number_at(run, "state"));
    state_.reason = text_at(run, "reason");
    state_.waiting_for = text_at(run, "waiting_for");
    state_.paused = flag_at(run, "paused");
    state_.paused_by_doubt = flag_at(run, "paused_by_doubt");
    state_.created_at = Instant{static_cast<std::int64_t>(number_at(run, "created_at"))};
    state_.seed = number_at(run, "seed");
    state_.rules = static_cast<std::uint32_t>(number_at(run, "rules"));
    state_.parent = text_at(run, "parent");
    state_.depth = static_cast<std::uint32_t>(number_at(run, "depth"));
    state_.labels = value_at(run, "labels");
    state_.input = value_at(run, "input");
    state_.vars = value_at(run, "vars");
    state_.input_digest = digest_of(state_.input);
    state_.vars_digest = digest_of(state_.vars);
    state_.response = value_at(run, "response");
    state_.output = value_at(run, "output");
    state_.response_digest = digest_of(state_.response);
    state_.output_digest = digest_of(state_.output);
    state_.failure = failure_from(value_at(run, "failure"));
    state_.steps_ended = number_at(run, "steps_ended");
    state_.next_timer = number_at(run, "next_timer");
    state_.signals_seen = number_at(run, "signals_seen");
    for (const Value& signal : list_at(run, "signals")) {
      add_signal(state_, Signal{number_at(signal, "number"), text_at(signal, "name"),
                                value_at(signal, "payload")});
    }
    for (const Value& id : list_at(run, "signal_ids")) {
      state_.signal_ids.emplace(id.as_string());
    }
  }

  bool read_places(const Value& run) {
    state_.ready_popped = number_at(run, "ready_popped");
    for (const Value& place : list_at(run, "ready")) {
      const auto at = place_from(place, definition_);
      if (!at) {
        return false;
      }
      push_ready(state_, *at);
    }
    count_ready(state_);
    for (const Value& timer : list_at(run, "timers")) {
      const auto at = place_from(value_at(timer, "at"), definition_);
      if (!at || number_at(timer, "purpose") > 3) {
        return false;
      }
      add_timer(state_, number_at(timer, "id"),
                Timer{*at, static_cast<Timer::Purpose>(number_at(timer, "purpose")),
                      Instant{static_cast<std::int64_t>(number_at(timer, "due"))}});
    }
    for (const Value& waiter : list_at(run, "waiters")) {
      const auto at = place_from(waiter, definition_);
      StepState* step = at ? find(state_, definition_, *at) : nullptr;
      if (step == nullptr || !step->detail ||
          !std::holds_alternative<SignalWaitState>(*step->detail)) {
        return false;
      }
      auto& wait = std::get<SignalWaitState>(*step->detail);
      wait.number = add_waiter(state_, wait.name, *at);
    }
    return true;
  }

  bool read_step(const Value& entry) {
    const auto place = place_from(value_at(entry, "at"), definition_);
    StepState* step = place ? find(state_, definition_, *place) : nullptr;
    if (step == nullptr || number_at(entry, "status") > 9 || number_at(entry, "begun") > 5) {
      return false;
    }
    step->status = static_cast<StepStatus>(number_at(entry, "status"));
    step->attempt = static_cast<std::uint32_t>(number_at(entry, "attempt"));
    step->resolved = static_cast<std::uint16_t>(number_at(entry, "resolved"));
    step->taken = static_cast<std::uint16_t>(number_at(entry, "taken"));
    step->timer = number_at(entry, "timer");
    step->items_failed = static_cast<std::uint32_t>(number_at(entry, "items_failed"));
    step->begun = entry.find("begun") != nullptr;
    if (step->begun) {
      step->effect_class = static_cast<EffectClass>(number_at(entry, "begun"));
    }
    step->input = value_at(entry, "input");
    step->output = value_at(entry, "output");
    if (flag_at(entry, "ended")) {
      step->output_digest = digest_of(step->output);
    }
    if (auto failure = failure_from(value_at(entry, "failure"))) {
      step->failure = std::make_unique<Failure>(std::move(*failure));
    }
    if (!read_detail(entry, *place, *step)) {
      return false;
    }
    const bool attempts = has_attempts(definition_.steps[place->step].kind);
    state_.running += attempts && step->status == StepStatus::running ? 1 : 0;
    if (const std::string child = text_at(entry, "child"); !child.empty()) {
      step->child = std::make_unique<RunId>(child);
      if (step->status == StepStatus::waiting) {
        state_.children.emplace(child, *place);
      }
    }
    if (step->status == StepStatus::in_doubt) {
      state_.doubted.insert(*place);
    }
    step->cell = cell_digest(*place, *step);
    step->counted = true;
    state_.cells.add(step->cell);
    return true;
  }

  bool read_detail(const Value& entry, const Place& place, StepState& step) {
    const StepKind& kind = definition_.steps[place.step].kind;
    if (const Value* signal = entry.find("signal")) {
      step.detail = std::make_unique<Detail>(SignalWaitState{std::string(signal->as_string()), 0});
    } else if (entry.find("approvals") != nullptr) {
      ApprovalState approval;
      for (const Value& answer : list_at(entry, "approvals")) {
        approval.approvals.push_back({text_at(answer, "by"), text_at(answer, "comment")});
      }
      state_.approvals.insert(place);
      step.detail = std::make_unique<Detail>(std::move(approval));
    } else if (entry.find("branches") != nullptr) {
      ParallelState parallel;
      for (const Value& branch : list_at(entry, "branches")) {
        parallel.branches.push_back({static_cast<std::uint16_t>(number_at(branch, "remaining")),
                                     flag_at(branch, "closed"), flag_at(branch, "failed")});
      }
      parallel.first_failure = failure_from(value_at(entry, "first_failure"));
      const auto* shape = std::get_if<ParallelStep>(&kind);
      if (shape == nullptr || shape->branches.size() != parallel.branches.size()) {
        return false;
      }
      step.detail = std::make_unique<Detail>(std::move(parallel));
    } else if (const Value* each = entry.find("each")) {
      return std::holds_alternative<ForEachStep>(kind) && read_each(*each, place, step);
    }
    return true;
  }

  bool read_each(const Value& value, const Place& place, StepState& step) {
    ForEachState each;
    each.items = value_at(value, "items");
    each.next = static_cast<std::uint32_t>(number_at(value, "next"));
    each.done = static_cast<std::uint32_t>(number_at(value, "done"));
    each.queued = flag_at(value, "queued");
    const std::size_t results = number_at(value, "results");
    if (!each.items.is(Kind::list) || results > each.items.as_list().size() ||
        each.next > each.items.as_list().size()) {
      return false;
    }
    const BlockIndex body = std::get<ForEachStep>(definition_.steps[place.step].kind).body;
    const std::uint16_t scope = definition_.scope_of_step[definition_.blocks[body].steps.front()];
    for (const Value& item : list_at(value, "under_way")) {
      const auto index = static_cast<std::uint32_t>(item.as_uint());
      each.under_way.insert(index);
      state_.frames.emplace(inside(place, index), make_frame(definition_, scope, body));
    }
    for (std::size_t chunk = 0; each.results.size() < results; ++chunk) {
      const auto part = list_at(cells_, results_cell(place, chunk));
      if (part.empty()) {
        return false;
      }
      each.results.insert(each.results.end(), part.begin(), part.end());
    }
    for (std::uint32_t item = 0; item < results; ++item) {
      if (item < each.next && !each.under_way.contains(item)) {
        thread_local DigestWriter cell;
        each.digest.add(
            cell.clear().put(std::uint64_t{item}).put(digest_of(each.results[item])).finish());
      }
    }
    state_.results_kept += each.results.size();
    step.detail = std::make_unique<Detail>(std::move(each));
    return true;
  }

  void count_remaining(Frame& frame, BlockIndex block) const {
    frame.block.remaining = 0;
    for (const StepIndex index : definition_.blocks[block].steps) {
      frame.block.remaining = static_cast<std::uint16_t>(
          frame.block.remaining +
          (has_ended(frame.steps[definition_.steps[index].local].status) ? 0 : 1));
    }
  }

  const Value& cells_;
  const Definition& definition_;
  State& state_;
};

} // namespace

Checkpoint Machine::checkpoint(Seq seq) const {
  return Checkpoint{run_, seq, state_->total, Writer(*state_, *definition_).cells()};
}

Result<Machine> Machine::restore(RunId run, DefinitionPtr definition,
                                 const Checkpoint& checkpoint) {
  Machine machine(std::move(run), std::move(definition));
  State& state = *machine.state_;
  if (!Reader(checkpoint.cells, *machine.definition_, state).read()) {
    return Error{Code::wire_invalid, "the checkpoint of run " + machine.run_.get() + " at entry " +
                                         std::to_string(checkpoint.seq.get()) +
                                         " does not fit its definition"};
  }
  state.total = total_digest(state);
  if (state.total != checkpoint.state) {
    return Error{Code::hash_mismatch, "the checkpoint of run " + machine.run_.get() + " at entry " +
                                          std::to_string(checkpoint.seq.get()) +
                                          " does not add up to its digest"};
  }
  return machine;
}

} // namespace skein::flow
