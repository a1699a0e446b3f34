#include <algorithm>

#include "core/expression/evaluator.h"
#include "core/flow/retry.h"
#include "core/flow/scope_view.h"
#include "core/flow/turn.h"

namespace skein::flow {

void Turn::succeed(const Place& place, Value output, std::optional<StepIndex> chosen) {
  StepState& step = at(place);
  step.output_digest = digest_of(output);
  step.output = std::move(output);
  end(place, StepStatus::succeeded, true, chosen);
}

void Turn::skip(const Place& place) { end(place, StepStatus::skipped, true, {}); }

void Turn::fail(const Place& place, Failure failure) {
  const Step& step = step_of(place);
  for (const ErrorHandler& handler : step.on_error) {
    const ScopeView view(definition_, state_, run_, place, &failure);
    if (handler.when) {
      const auto holds = handler.when->evaluate(view);
      if (!holds) {
        failure = failure_of(place, holds.error());
        break;
      }
      if (!holds->is(Kind::boolean) || !holds->as_bool()) {
        continue;
      }
    }
    Value output;
    if (handler.output) {
      auto value = handler.output->evaluate(view);
      if (!value) {
        failure = failure_of(place, value.error());
        break;
      }
      output = std::move(*value);
    }
    StepState& state = at(place);
    state.failure = std::make_unique<Failure>(std::move(failure));
    state.output_digest = digest_of(output);
    state.output = std::move(output);
    end(place, StepStatus::failed, handler.carry_on, handler.go_to);
    return;
  }
  StepState& state = at(place);
  release(place, state);
  state.status = StepStatus::failed;
  state.failure = std::make_unique<Failure>(failure);
  ++state_.steps_ended;
  fail_block({step.block, place}, failure);
}

void Turn::retry_or_fail(const Place& place, Failure failure) {
  StepState& state = at(place);
  const RetryPolicy& policy = step_of(place).retry;
  if (!retries(policy, failure, state.attempt)) {
    fail(place, std::move(failure));
    return;
  }
  Value input = std::move(state.input);
  release(place, state);
  state.input = std::move(input);
  state.status = StepStatus::retrying;
  state.failure = std::make_unique<Failure>(std::move(failure));
  ++state_.steps_ended;
  const Millis delay = delay_before_next(policy, state.attempt, state_.seed, text_of(place));
  state.timer = arm(place, Timer::Purpose::retry, now_ + delay);
}

void Turn::end(const Place& place, StepStatus status, bool done, std::optional<StepIndex> chosen) {
  StepState& step = at(place);
  release(place, step);
  step.status = status;
  if (status == StepStatus::succeeded) {
    step.failure.reset();
  }
  state_.steps_ended += status == StepStatus::skipped ? 0 : 1;
  resolve_edges(place, done, chosen);
}

// What is not chosen is skipped, and so is all that only it leads to: dead path elimination.
void Turn::resolve_edges(const Place& place, bool done, std::optional<StepIndex> chosen) {
  struct Ended {
    StepIndex step;
    bool done;
    std::optional<StepIndex> chosen;
  };
  std::vector<Ended> skipped; // with what they do to those behind them
  const BlockAt block{step_of(place).block, place};
  BlockState& block_now = block_state(block);
  for (std::optional<Ended> next = Ended{place.step, done, chosen}; next;) {
    const Ended ended = *next;
    --block_now.remaining;
    for (const Edge& edge : definition_.steps[ended.step].out) {
      const Place target = around(place, edge.to, place.depth);
      StepState& state = at(target);
      ++state.resolved;
      const bool taken = edge.on == Edge::On::done ? ended.done : ended.chosen == edge.to;
      state.taken = static_cast<std::uint16_t>(state.taken + (taken ? 1 : 0));
      if (state.resolved < definition_.steps[edge.to].in) {
        continue;
      }
      if (state.taken > 0) {
        state.status = StepStatus::ready;
        push_ready(state_, target);
      } else {
        state.status = StepStatus::skipped;
        skipped.push_back({edge.to, false, {}});
      }
    }
    next = skipped.empty() ? std::nullopt : std::optional(skipped.back());
    skipped.resize(skipped.size() - (next ? 1 : 0));
  }
  if (block_now.remaining == 0) {
    block_ended(block);
  }
}

void Turn::block_ended(const BlockAt& block) {
  block_state(block).closed = true;
  const Block& shape = definition_.blocks[block.block];
  if (!shape.owner) {
    complete_run();
  } else if (std::holds_alternative<ParallelStep>(definition_.steps[*shape.owner].kind)) {
    branch_ended(around(block.inside, *shape.owner, block.inside.depth), shape.branch, nullptr);
  } else {
    const auto depth = static_cast<std::uint8_t>(block.inside.depth - 1);
    item_ended(around(block.inside, *shape.owner, depth), block.inside.items[depth],
               result_of(block), nullptr);
  }
}

void Turn::fail_block(const BlockAt& block, const Failure& failure) {
  BlockState& state = block_state(block);
  state.closed = true;
  state.failed = true;
  const Failure kept = failure; // what it refers to may go away with the block
  cancel_block(block);
  const Block& shape = definition_.blocks[block.block];
  if (!shape.owner) {
    finish_run(RunState::failed, Value(), kept);
  } else if (std::holds_alternative<ParallelStep>(definition_.steps[*shape.owner].kind)) {
    branch_ended(around(block.inside, *shape.owner, block.inside.depth), shape.branch, &kept);
  } else {
    const auto depth = static_cast<std::uint8_t>(block.inside.depth - 1);
    item_ended(around(block.inside, *shape.owner, depth), block.inside.items[depth], nullptr,
               &kept);
  }
}

void Turn::branch_ended(const Place& parallel, std::uint16_t branch, const Failure* failure) {
  StepState& step = at(parallel);
  const auto& kind = std::get<ParallelStep>(step_of(parallel).kind);
  auto& state = std::get<ParallelState>(*step.detail);
  state.branches[branch].closed = true;
  if (failure != nullptr && !state.first_failure) {
    state.first_failure = *failure;
  }
  std::size_t ended = 0;
  std::size_t succeeded = 0;
  for (const BlockState& other : state.branches) {
    ended += other.closed ? 1 : 0;
    succeeded += other.closed && !other.failed ? 1 : 0;
  }
  const std::size_t total = state.branches.size();
  const std::size_t needed = kind.join == 0 ? total : kind.join;
  const std::size_t open = total - ended;
  const bool reached = succeeded >= needed;
  const bool lost = kind.run_to_end ? open == 0 && !reached : succeeded + open < needed;
  if (!reached && !lost) {
    return;
  }
  for (const ParallelStep::Branch& other : kind.branches) {
    BlockState& block = block_state({other.block, parallel});
    if (!block.closed) {
      block.closed = true;
      block.failed = true;
      cancel_block({other.block, parallel});
    }
  }
  if (reached) {
    succeed_with_results(parallel, result_of_branches(parallel));
  } else {
    fail(parallel, Failure(*state.first_failure));
  }
}

void Turn::item_ended(const Place& each, std::uint32_t item, const StepState* result,
                      const Failure* failure) {
  const auto& kind = std::get<ForEachStep>(step_of(each).kind);
  auto& state = std::get<ForEachState>(*at(each).detail);
  state.under_way.erase(item);
  ++state.done;
  at(each).items_failed += failure != nullptr ? 1 : 0;
  thread_local DigestWriter cell;
  state.digest.add(cell.clear()
                       .put(std::uint64_t{item})
                       .put(result != nullptr ? result->output_digest : digest_of(Value()))
                       .finish());
  if (state.results.size() <= item) {
    state_.results_kept += item + 1 - state.results.size();
    state.results.resize(item + 1);
  }
  state.results[item] = result != nullptr ? result->output : Value();
  drop_frame(inside(each, item));
  if (failure != nullptr && !kind.tolerate) {
    while (!state.under_way.empty()) {
      const Place other = inside(each, *state.under_way.begin());
      cancel_block({kind.body, other});
      drop_frame(other);
      state.under_way.erase(state.under_way.begin());
    }
    fail(each, *failure);
  } else if (state.done == state.items.as_list().size()) {
    state_.results_kept -= state.results.size();
    succeed_with_results(each, Value::of_list(std::move(state.results)));
  } else {
    queue_item(each, state);
  }
}

void Turn::cancel_block(const BlockAt& block) {
  for (const StepIndex index : definition_.blocks[block.block].steps) {
    cancel_step(around(block.inside, index, block.inside.depth));
  }
}

void Turn::cancel_step(const Place& place) {
  StepState& step = at(place);
  if (has_ended(step.status)) {
    return;
  }
  const Step& shape = step_of(place);
  if (step.status == StepStatus::running) {
    if (const auto* parallel = std::get_if<ParallelStep>(&shape.kind)) {
      for (const ParallelStep::Branch& branch : parallel->branches) {
        block_state({branch.block, place}).closed = true;
        cancel_block({branch.block, place});
      }
    } else if (const auto* each = std::get_if<ForEachStep>(&shape.kind)) {
      auto& state = std::get<ForEachState>(*step.detail);
      for (const std::uint32_t item : state.under_way) {
        cancel_block({each->body, inside(place, item)});
        drop_frame(inside(place, item));
      }
    } else {
      effects_.push_back(Abandon{place, step.attempt});
    }
  }
  release(place, step);
  step.status = StepStatus::cancelled;
}

// Gives back whatever a step that stops being under way holds.
void Turn::release(const Place& place, StepState& step) {
  if (step.status == StepStatus::running && has_attempts(step_of(place).kind)) {
    --state_.running;
  }
  if (step.status == StepStatus::waiting && step.child &&
      state_.children.erase(step.child->get()) > 0) {
    effects_.push_back(CancelChild{*step.child});
  }
  if (step.status == StepStatus::in_doubt) {
    state_.doubted.erase(place);
  }
  if (step.timer != 0) {
    disarm(step.timer);
    step.timer = 0;
  }
  if (step.status == StepStatus::waiting && step.detail) {
    if (const auto* wait = std::get_if<SignalWaitState>(step.detail.get())) {
      const auto others = state_.waiters.find(wait->name);
      others->second.erase(wait->number);
      if (others->second.empty()) {
        effects_.push_back(CloseWait{WaitRow::What::signal, wait->name});
        state_.waiters.erase(others);
      }
    } else {
      state_.approvals.erase(place);
      effects_.push_back(CloseWait{WaitRow::What::approval, text_of(place)});
    }
  }
  if (const auto* each = step.detail ? std::get_if<ForEachState>(step.detail.get()) : nullptr) {
    state_.results_kept -= each->results.size();
  }
  step.input = Value();
  step.detail.reset();
}

void Turn::drop_frame(const Place& key) {
  for (const StepState& step : frame_at(key)->steps) {
    if (step.counted) {
      state_.cells.remove(step.cell);
    }
  }
  frame_ = nullptr;
  remove_frame(state_, key);
}

void Turn::complete_run() {
  if (definition_.output) {
    auto value = definition_.output->evaluate(ScopeView(definition_, state_, run_, Place{}));
    if (!value) {
      const Error& why = value.error();
      finish_run(RunState::failed, Value(),
                 Failure{to_string(why.code),
                         "output of the flow: " + why.detail,
                         why.hint,
                         {},
                         is_retryable(why.code)});
      return;
    }
    finish_run(RunState::succeeded, std::move(*value), {});
    return;
  }
  if (!state_.response.is_null()) {
    finish_run(RunState::succeeded, state_.response, {}, &state_.response_digest);
    return;
  }
  const StepState* last = result_of({kRootBlock, Place{}});
  last != nullptr ? finish_run(RunState::succeeded, last->output, {}, &last->output_digest)
                  : finish_run(RunState::succeeded, Value(), {});
}

void Turn::finish_run(RunState final, Value output, std::optional<Failure> failure,
                      const Digest* digest) {
  state_.output_digest = digest != nullptr ? *digest : digest_of(output);
  state_.root.block.closed = true;
  cancel_block({kRootBlock, Place{}});
  while (!state_.timers.empty()) {
    disarm(state_.timers.begin()->first);
  }
  while (!state_.ready.empty()) {
    pop_ready(state_);
  }
  state_.paused = false;
  state_.paused_by_doubt = false;
  state_.state = final;
  if (final == RunState::succeeded) {
    state_.reason.clear(); // of a pause that ended with the run
  }
  state_.output = output;
  state_.failure = failure;
  finish_ =
      Finish{final, std::move(output), std::move(failure), state_.output_digest, state_.parent};
}

const StepState* Turn::result_of(const BlockAt& block) {
  const auto& steps = definition_.blocks[block.block].steps;
  for (auto index = steps.rbegin(); index != steps.rend(); ++index) {
    const StepState* step = look_up(around(block.inside, *index, block.inside.depth));
    if (step->status == StepStatus::succeeded || step->status == StepStatus::failed) {
      return step;
    }
  }
  return nullptr;
}

// Each is bounded where it comes from, but not how many there are.
void Turn::succeed_with_results(const Place& place, Value results) {
  if (auto fits = expression::check_extent(results); !fits) {
    fail(place,
         failure_of(place, Error{Code::run_limit, "its results together: " + fits.error().detail,
                                 "keep large results in files, and return where they are"}));
  } else {
    succeed(place, std::move(results));
  }
}

Value Turn::result_of_branches(const Place& parallel) {
  const auto& kind = std::get<ParallelStep>(step_of(parallel).kind);
  const StepState* step = find(state_, definition_, parallel);
  const auto& branches = std::get<ParallelState>(*step->detail).branches;
  std::vector<MapEntry> results;
  for (std::size_t i = 0; i < kind.branches.size(); ++i) {
    const StepState* last =
        branches[i].failed ? nullptr : result_of({kind.branches[i].block, parallel});
    results.emplace_back(kind.branches[i].name, last != nullptr ? last->output : Value());
  }
  return Value::of_map(std::move(results));
}

} // namespace skein::flow
