#include "core/flow/state.h"

#include <algorithm>
#include <array>

namespace skein::flow {
namespace {

void put(DigestWriter& out, const ParallelState& parallel) {
  for (const BlockState& branch : parallel.branches) {
    out.put(std::uint64_t{branch.remaining} << 2 | std::uint64_t{branch.closed} << 1 |
            std::uint64_t{branch.failed});
  }
}

void put(DigestWriter& out, const ForEachState& each) {
  out.put(std::uint64_t{each.next}).put(std::uint64_t{each.done}).put(each.digest.value());
}

void put(DigestWriter& out, const ApprovalState& approval) {
  for (const Answer& answer : approval.approvals) {
    out.put(answer.by).put(answer.comment);
  }
}

void put(DigestWriter& out, const SignalWaitState& wait) { out.put(wait.name); }

} // namespace

std::string_view name_of(StepStatus status) {
  static constexpr std::array<std::string_view, 10> kNames{
      "pending",  "ready",     "running", "retrying", "waiting",
      "in_doubt", "succeeded", "failed",  "skipped",  "cancelled"};
  return kNames[static_cast<std::size_t>(status)];
}

std::size_t PlaceHash::operator()(const Place& place) const noexcept {
  std::uint64_t h = place.step;
  for (const std::uint32_t item : place.path()) {
    h = (h ^ item) * 0x9e3779b97f4a7c15ULL;
    h ^= h >> 29;
  }
  return h;
}

std::uint8_t depth_of(const Definition& definition, std::uint16_t scope) {
  std::uint8_t depth = 0;
  while (definition.scopes[scope].owner) {
    scope = definition.scope_of_step[*definition.scopes[scope].owner];
    ++depth;
  }
  return depth;
}

Place frame_of(const Definition& definition, const Place& place) {
  Place key = place;
  key.step = *definition.scopes[definition.scope_of_step[place.step]].owner;
  return key;
}

const StepState* find(const State& state, const Definition& definition, const Place& place) {
  const std::uint16_t local = definition.steps[place.step].local;
  if (place.depth == 0) {
    return local < state.root.steps.size() ? &state.root.steps[local] : nullptr;
  }
  const auto frame = state.frames.find(frame_of(definition, place));
  return frame != state.frames.end() ? &frame->second.steps[local] : nullptr;
}

StepState* find(State& state, const Definition& definition, const Place& place) {
  return const_cast<StepState*>(find(std::as_const(state), definition, place));
}

Frame make_frame(const Definition& definition, std::uint16_t scope, BlockIndex block) {
  Frame frame;
  frame.steps.resize(definition.scopes[scope].steps.size());
  frame.block.remaining = static_cast<std::uint16_t>(definition.blocks[block].steps.size());
  return frame;
}

void add_frame(State& state, const Definition& definition, const Place& key, BlockIndex body) {
  const std::uint16_t scope = definition.scope_of_step[definition.blocks[body].steps.front()];
  if (state.spare.empty()) {
    state.frames.emplace(key, make_frame(definition, scope, body));
    return;
  }
  Frame& frame = state.spare.mapped();
  const auto count = definition.scopes[scope].steps.size();
  frame.steps.clear();
  frame.steps.resize(count);
  frame.block =
      BlockState{static_cast<std::uint16_t>(definition.blocks[body].steps.size()), false, false};
  state.spare.key() = key;
  state.frames.insert(std::move(state.spare));
}

void remove_frame(State& state, const Place& key) { state.spare = state.frames.extract(key); }

namespace {

void collect(const Definition& definition, const Frame& frame, std::uint16_t scope,
             const Place& inside, std::vector<Place>& places) {
  for (const StepIndex index : definition.scopes[scope].steps) {
    const Step& shape = definition.steps[index];
    const StepState& step = frame.steps[shape.local];
    if (has_attempts(shape.kind) &&
        (step.status == StepStatus::running || step.status == StepStatus::in_doubt)) {
      places.push_back(around(inside, index, inside.depth));
    }
  }
}

Digest ready_digest(std::uint64_t number, const Place& place) {
  thread_local DigestWriter out;
  out.clear();
  return out.put(number).put(place).finish();
}

Digest timer_digest(std::uint64_t id, const Timer& timer) {
  thread_local DigestWriter out;
  out.clear();
  return out.put(id)
      .put(timer.place)
      .put(static_cast<std::uint64_t>(timer.purpose))
      .put(static_cast<std::uint64_t>(timer.due.ms))
      .finish();
}

Digest signal_digest(const Signal& signal) {
  thread_local DigestWriter out;
  out.clear();
  return out.put(signal.number).put(signal.name).put(signal.payload).finish();
}

} // namespace

std::vector<Place> under_way(const State& state, const Definition& definition) {
  std::vector<Place> places;
  if (!state.root.steps.empty()) {
    collect(definition, state.root, 0, Place{}, places);
  }
  for (const auto& [key, frame] : state.frames) {
    const BlockIndex body = std::get<ForEachStep>(definition.steps[key.step].kind).body;
    const std::uint16_t scope = definition.scope_of_step[definition.blocks[body].steps.front()];
    collect(definition, frame, scope, key, places);
  }
  std::sort(places.begin(), places.end());
  return places;
}

void push_ready(State& state, const Place& place) { state.ready.push_back(place); }

Place pop_ready(State& state) {
  const Place place = state.ready.front();
  if (state.ready_counted > 0) {
    state.ready_digest.remove(ready_digest(state.ready_popped, place));
    --state.ready_counted;
  }
  state.ready.pop_front();
  ++state.ready_popped;
  return place;
}

void count_ready(State& state) {
  for (; state.ready_counted < state.ready.size(); ++state.ready_counted) {
    state.ready_digest.add(
        ready_digest(state.ready_popped + state.ready_counted, state.ready[state.ready_counted]));
  }
}

void add_timer(State& state, std::uint64_t id, const Timer& timer) {
  state.timers_digest.add(timer_digest(id, timer));
  state.timers.emplace(id, timer);
  state.due.emplace(timer.due, id);
}

void remove_timer(State& state, std::uint64_t id) {
  const auto timer = state.timers.find(id);
  state.timers_digest.remove(timer_digest(id, timer->second));
  state.due.erase({timer->second.due, id});
  state.timers.erase(timer);
}

void add_signal(State& state, Signal signal) {
  state.signals_digest.add(signal_digest(signal));
  ++state.signals_kept;
  auto& queue = state.signals[signal.name];
  queue.push_back(std::move(signal));
}

std::optional<Value> take_signal(State& state, const std::string& name) {
  const auto queue = state.signals.find(name);
  if (queue == state.signals.end()) {
    return std::nullopt;
  }
  Signal& oldest = queue->second.front();
  state.signals_digest.remove(signal_digest(oldest));
  --state.signals_kept;
  Value payload = std::move(oldest.payload);
  queue->second.pop_front();
  if (queue->second.empty()) {
    state.signals.erase(queue);
  }
  return payload;
}

std::uint64_t add_waiter(State& state, const std::string& signal, const Place& place) {
  state.waiters[signal].emplace(++state.waiters_seen, place);
  return state.waiters_seen;
}

Digest cell_digest(const Place& place, const StepState& step) {
  thread_local DigestWriter out;
  out.clear();
  out.put(place);
  out.put(static_cast<std::uint64_t>(step.status) | std::uint64_t{step.begun} << 8 |
          (step.begun ? static_cast<std::uint64_t>(step.effect_class) : 0) << 16 |
          std::uint64_t{step.resolved} << 24 | std::uint64_t{step.taken} << 40);
  out.put(std::uint64_t{step.attempt}).put(step.timer).put(step.output_digest);
  if (step.failure) {
    out.put(*step.failure);
  }
  if (step.detail) {
    std::visit([](const auto& detail) { put(out, detail); }, *step.detail);
  }
  if (step.child) {
    out.put(step.child->get());
  }
  return out.finish();
}

Digest total_digest(const State& state) {
  thread_local DigestWriter out;
  out.clear();
  out.put(static_cast<std::uint64_t>(state.state) | std::uint64_t{state.paused} << 8 |
          std::uint64_t{state.paused_by_doubt} << 9);
  out.put(state.reason).put(state.waiting_for);
  out.put(static_cast<std::uint64_t>(state.created_at.ms)).put(state.seed);
  out.put(state.input_digest).put(state.vars_digest);
  out.put(state.response_digest).put(state.output_digest);
  out.put(state.steps_ended);
  if (state.failure) {
    out.put(*state.failure);
  }
  out.put(state.ready_popped).put(state.ready_digest.value());
  out.put(state.timers_digest.value());
  out.put(state.signals_seen).put(state.signals_digest.value());
  out.put(state.next_timer).put(std::uint64_t{state.signal_ids.size()});
  out.put(state.cells.value());
  if (!state.parent.empty() || state.depth > 0) { // digests of runs without are older than these
    out.put(state.parent).put(std::uint64_t{state.depth});
  }
  return out.finish();
}

} // namespace skein::flow
