#include "property/flow/watched_run.h"

#include <algorithm>

#include "core/flow/digest.h"
#include "core/value/json.h"
#include "schemas/codec.h"

namespace skein::property {

using namespace std::string_literals;
using flow::Place;

namespace {

const schemas::BlobSink kNoSink = [](const ContentHash&, std::string_view) {};
const schemas::BlobSource kNoSource = [](const ContentHash&) -> Result<std::string> {
  return Error{Code::blob_missing, "no blobs here"};
};

bool ended(const std::string& status) {
  return status == "succeeded" || status == "failed" || status == "skipped" ||
         status == "cancelled";
}

bool is_result(const flow::Event& event) {
  return std::holds_alternative<flow::Succeeded>(event) ||
         std::holds_alternative<flow::Failed>(event) ||
         std::holds_alternative<flow::Begun>(event) ||
         std::holds_alternative<flow::Expired>(event) ||
         std::holds_alternative<flow::FoundInDoubt>(event);
}

} // namespace

WatchedRun::WatchedRun(std::string id, flow::DefinitionPtr definition)
    : id_(std::move(id)), definition_(std::move(definition)), machine_(RunId(id_), definition_) {
  sources_.resize(definition_->steps.size());
  for (const flow::Step& step : definition_->steps) {
    for (const flow::Edge& edge : step.out) {
      sources_[edge.to].emplace_back(step.index, edge.on);
    }
  }
}

void WatchedRun::require(bool holds, const std::string& what) {
  if (!holds && broken.empty()) {
    broken = what;
  }
}

bool WatchedRun::submit(const flow::Event& sent) {
  const flow::Event event = flow::as_journaled(sent);
  const Digest before = machine_.state_digest();
  const bool sampled = lines_.size() % 4 == 1;
  const auto cells = [&] { return flow::digest_of(machine_.checkpoint(Seq(1)).cells); };
  const Digest kept = sampled ? cells() : Digest();
  const bool ignored = machine_.ignores(event);
  if (!ignored && std::holds_alternative<flow::Failed>(event)) {
    outcomes_.erase(std::get<flow::Failed>(event).place);
  }
  if (!ignored) {
    note_outcome(event);
  }
  const auto effects = machine_.step(event);
  note(event, effects && !ignored);
  if (!effects || ignored) {
    require(!effects || effects->empty(), "an ignored event has effects");
    require(machine_.state_digest() == before, "a refused event changed the digest");
    require(!sampled || cells() == kept, "a refused event changed the state");
    return false;
  }
  now_ = flow::at_of(event);
  journal(event, *effects);
  apply(event, *effects);
  require(!is_result(event) || machine_.ignores(event), "a repeated result is not ignored");
  check_all();
  return true;
}

void WatchedRun::note(const flow::Event& event, bool journaled) {
  std::string line =
      std::to_string(flow::at_of(event).ms) + " " + std::string(flow::kind_of(event));
  const auto place = [&](const Place& at) {
    line += at.step < definition_->steps.size() ? " " + machine_.text_of(at) : " nowhere";
  };
  if (const auto* begun = std::get_if<flow::Begun>(&event)) {
    place(begun->place);
  } else if (const auto* succeeded = std::get_if<flow::Succeeded>(&event)) {
    place(succeeded->place);
    line += " attempt=" + std::to_string(succeeded->attempt) + " " + to_json(succeeded->output);
  } else if (const auto* failed = std::get_if<flow::Failed>(&event)) {
    place(failed->place);
    line += " attempt=" + std::to_string(failed->attempt) + " " + failed->failure.code;
  } else if (const auto* doubt = std::get_if<flow::FoundInDoubt>(&event)) {
    place(doubt->place);
  } else if (const auto* expired = std::get_if<flow::Expired>(&event)) {
    line += " " + std::to_string(expired->timer);
  } else if (const auto* signal = std::get_if<flow::Signalled>(&event)) {
    line += " " + signal->name + " id=" + signal->id;
  } else if (const auto* answer = std::get_if<flow::Answered>(&event)) {
    place(answer->place);
    line += (answer->approved ? " approve by=" : " reject by=") + answer->by;
  } else if (const auto* settled = std::get_if<flow::Settled>(&event)) {
    place(settled->place);
    line += " how=" + std::to_string(static_cast<int>(settled->how));
  }
  lines_.push_back(line + (journaled ? " -> " : " (not journaled) -> ") +
                   std::string(name_of(machine_.state())) + " " + machine_.waiting_for());
}

// What a shell can know of how a step ended, from the events alone.
void WatchedRun::note_outcome(const flow::Event& event) {
  if (const auto* succeeded = std::get_if<flow::Succeeded>(&event)) {
    outcomes_[succeeded->place] = true;
  } else if (const auto* failed = std::get_if<flow::Failed>(&event)) {
    outcomes_[failed->place] = false;
  } else if (const auto* settled = std::get_if<flow::Settled>(&event)) {
    const auto doubtful = doubted();
    const bool there =
        std::find(doubtful.begin(), doubtful.end(), settled->place) != doubtful.end();
    if (there && settled->how != flow::Settled::How::retry) {
      outcomes_[settled->place] = settled->how == flow::Settled::How::succeed;
    }
  } else if (const auto* doubt = std::get_if<flow::FoundInDoubt>(&event)) {
    if (definition_->steps[doubt->place.step].in_doubt == flow::InDoubt::fail) {
      outcomes_[doubt->place] = false;
    }
  } else if (const auto* answer = std::get_if<flow::Answered>(&event)) {
    const auto open = waiting_approvals();
    if (!answer->approved && std::find(open.begin(), open.end(), answer->place) != open.end()) {
      const auto& step = definition_->steps[answer->place.step];
      const auto& approvers = std::get<flow::ApprovalStep>(step.kind).approvers;
      if (approvers.empty() ||
          std::find(approvers.begin(), approvers.end(), answer->by) != approvers.end()) {
        outcomes_[answer->place] = false;
      }
    }
  } else if (const auto* expired = std::get_if<flow::Expired>(&event)) {
    const Value cells = machine_.checkpoint(Seq(1)).cells;
    for (const Value& timer : cells.find("run")->find("timers")->as_list()) {
      if (timer.find("id")->as_uint() != expired->timer || timer.find("purpose")->as_int() != 2) {
        continue;
      }
      const auto parts = timer.find("at")->as_list();
      Place place{static_cast<flow::StepIndex>(parts[0].as_int()), 0, {}};
      for (std::size_t i = 1; i < parts.size(); ++i) {
        place = flow::inside(place, static_cast<std::uint32_t>(parts[i].as_int()));
      }
      const auto& kind = definition_->steps[place.step].kind;
      const auto* wait = std::get_if<flow::WaitStep>(&kind);
      outcomes_[place] = wait != nullptr ? wait->continue_on_timeout
                                         : std::get<flow::ApprovalStep>(kind).on_timeout ==
                                               flow::ApprovalStep::OnTimeout::approve;
    }
  }
}

void WatchedRun::journal(const flow::Event& event, const flow::Effects& effects) {
  events_.push_back(event);
  bytes_.push_back(schemas::encode_entry(Entry{RunId(id_), Seq(events_.size()), event,
                                               flow::digest_of(effects), machine_.state_digest()},
                                         kNoSink));
}

void WatchedRun::apply(const flow::Event& event, const flow::Effects& effects) {
  if (const auto* succeeded = std::get_if<flow::Succeeded>(&event)) {
    pending_.erase(succeeded->place);
  } else if (const auto* failed = std::get_if<flow::Failed>(&event)) {
    pending_.erase(failed->place);
    expect_retry(*failed, effects);
  } else if (const auto* doubt = std::get_if<flow::FoundInDoubt>(&event)) {
    pending_.erase(doubt->place);
  } else if (const auto* begun = std::get_if<flow::Begun>(&event)) {
    auto& attempt = pending_[begun->place];
    attempt.begun = true;
    attempt.effect_class = begun->effect_class;
  } else if (std::holds_alternative<flow::Forked>(event)) {
    pending_.clear();
    attempts_.clear();
    timers_.clear();
    waits_.clear();
    last_timer_ = 0;
  }
  for (const flow::Effect& effect : effects) {
    require(!finished_, "an effect follows the end");
    std::visit([&](const auto& e) { apply_effect(e); }, effect);
  }
}

void WatchedRun::expect_retry(const flow::Failed& event, const flow::Effects& effects) {
  const flow::RetryPolicy& policy = definition_->steps[event.place.step].retry;
  const auto& only = policy.retry_on;
  const std::string& code = event.failure.code;
  const bool named = std::any_of(only.begin(), only.end(), [&](const std::string& name) {
    return name == code || (name == "timeout" && (code == "SK1303" || code == "SK5005"));
  });
  const bool retries =
      event.attempt < policy.max_attempts && (only.empty() ? event.failure.retryable : named);
  if (!retries) {
    return;
  }
  outcomes_.erase(event.place);
  const auto* arm = effects.empty() ? nullptr : std::get_if<flow::ArmTimer>(&effects.front());
  require(arm != nullptr, "no timer for the next attempt of " + machine_.text_of(event.place));
  if (arm == nullptr) {
    return;
  }
  std::int64_t wanted = policy.initial.count;
  if (policy.backoff != flow::RetryPolicy::Backoff::constant) {
    wanted *= policy.backoff == flow::RetryPolicy::Backoff::linear ? event.attempt
                                                                   : 1 << (event.attempt - 1);
  }
  wanted = std::min(wanted, policy.max.count);
  const std::int64_t slack = wanted * policy.jitter_permille / 1'000 + 1;
  const std::int64_t delay = arm->due.ms - event.at.ms;
  require(delay >= wanted - slack && delay <= wanted + slack, "a retry comes too early or late");
}

void WatchedRun::apply_effect(const flow::Dispatch& e) {
  require(!pending_.contains(e.place), "dispatched twice: " + machine_.text_of(e.place));
  auto& last = attempts_[e.place];
  require(last == 0 || e.attempt == last + 1, "attempts are not counted one by one");
  require(!gone_.contains(e.place), "dispatched after its item ended");
  const auto status = statuses_.find(e.place);
  require(status == statuses_.end() || !ended(status->second),
          "dispatched after its end: " + machine_.text_of(e.place));
  last = e.attempt;
  dispatched_.insert(e.place);
  pending_[e.place] = Pending{e.attempt, false, EffectClass::unsafe};
}

void WatchedRun::apply_effect(const flow::Execute& e) {
  const auto attempt = pending_.find(e.place);
  require(
      attempt != pending_.end() && attempt->second.begun && attempt->second.attempt == e.attempt,
      "executed without its intent");
}

void WatchedRun::apply_effect(const flow::Abandon& e) {
  const auto attempt = pending_.find(e.place);
  require(attempt != pending_.end() && attempt->second.attempt == e.attempt,
          "abandoned what was not under way");
  pending_.erase(e.place);
}

void WatchedRun::apply_effect(const flow::ArmTimer& e) {
  require(timers_.emplace(e.timer, e.due).second, "a timer is armed twice");
  require(e.timer > last_timer_, "timers do not count up");
  last_timer_ = e.timer;
}

void WatchedRun::apply_effect(const flow::DisarmTimer& e) {
  const auto timer = timers_.find(e.timer);
  require(timer != timers_.end() && timer->second == e.due, "disarmed what was not armed so");
  timers_.erase(e.timer);
}

void WatchedRun::apply_effect(const flow::OpenWait& e) {
  const bool fresh = waits_.emplace(e.what, e.name).second;
  require(fresh || e.what == WaitRow::What::signal, "an approval is opened twice");
}

void WatchedRun::apply_effect(const flow::CloseWait& e) {
  require(waits_.erase({e.what, e.name}) == 1, "a wait is closed that is not open: " + e.name);
}

void WatchedRun::apply_effect(const flow::Emit& e) {
  require(emitted_.insert(e.id).second, "emitted twice: " + e.id);
}

void WatchedRun::apply_effect(const flow::Proceed&) {
  require(machine_.wants_to_proceed(), "asks to proceed with nothing to do");
}

void WatchedRun::apply_effect(const flow::Show& e) {
  require(e.state == machine_.state() && e.reason == machine_.reason() &&
              e.waiting_for == machine_.waiting_for(),
          "shows what it is not");
}

void WatchedRun::apply_effect(const flow::Finish& e) {
  require(e.state == machine_.state() && is_final(e.state), "finished in another state");
  finished_ = true;
}

void WatchedRun::apply_effect(const flow::StartChild& e) {
  require(false, "no step starts run " + e.child.get());
}

void WatchedRun::apply_effect(const flow::CancelChild& e) {
  require(false, "no step started run " + e.child.get());
}

void WatchedRun::check_all() {
  check_outstanding();
  check_statuses();
  final() ? check_end() : check_wake();
}

void WatchedRun::check_outstanding() {
  const auto outstanding = machine_.outstanding();
  require(outstanding.size() == pending_.size(), "what is outstanding is not what was dispatched");
  for (const flow::Outstanding& one : outstanding) {
    const auto attempt = pending_.find(one.place);
    require(attempt != pending_.end() && attempt->second.attempt == one.attempt &&
                attempt->second.begun == one.begun,
            "an outstanding attempt differs: " + machine_.text_of(one.place));
  }
}

void WatchedRun::check_statuses() {
  std::map<Place, std::string> now;
  for (const auto& view : machine_.view()) {
    now[view.place] = view.status;
    require(!gone_.contains(view.place), "an item came back: " + view.name);
  }
  for (const auto& [place, status] : statuses_) {
    const auto there = now.find(place);
    if (there == now.end()) {
      gone_.insert(place);
    } else {
      require(!ended(status) || there->second == status,
              machine_.text_of(place) + " ended twice: " + status + ", " + there->second);
    }
  }
  check_sources(now);
  statuses_ = std::move(now);
}

// Nothing begins before what it depends on has ended, and nothing stays behind.
void WatchedRun::check_sources(const std::map<Place, std::string>& now) {
  for (const auto& [place, status] : now) {
    std::size_t open = 0;
    for (const auto& [source, on] : sources_[place.step]) {
      open += ended(now.at(flow::around(place, source, place.depth))) ? 0 : 1;
    }
    const bool began = status != "pending" && status != "cancelled";
    require(!began || open == 0, machine_.text_of(place) + " began before what it depends on");
    require(status != "pending" || open > 0 || sources_[place.step].empty(),
            machine_.text_of(place) + " was left behind");
  }
}

void WatchedRun::check_wake() {
  const std::string& wakes = machine_.waiting_for();
  const auto has = [&](std::string_view prefix) { return wakes.starts_with(prefix); };
  switch (machine_.state()) {
    case RunState::running:
      require(!pending_.empty() || machine_.wants_to_proceed(),
              "it runs, but nothing is under way");
      break;
    case RunState::waiting:
      if (has("timer ")) {
        const auto due = std::min_element(timers_.begin(), timers_.end(),
                                          [](auto& a, auto& b) { return a.second < b.second; });
        require(due != timers_.end() && wakes == "timer " + to_string(due->second),
                "it does not wait for the first timer: " + wakes);
      } else if (has("approval ")) {
        require(waits_.contains({WaitRow::What::approval, wakes.substr(9)}), "no such approval");
      } else if (has("signal ")) {
        require(waits_.contains({WaitRow::What::signal, wakes.substr(7)}), "no such signal");
      } else {
        require(has("settle ") && !doubted().empty(), "it waits for nothing: " + wakes);
      }
      break;
    case RunState::paused:
      require(wakes == "resume" || (has("settle ") && !doubted().empty()),
              "paused, but nothing would wake it: " + wakes);
      break;
    default:
      require(false, "pending after its creation");
  }
  require(machine_.state() != RunState::paused || !machine_.reason().empty(),
          "paused without a reason");
}

void WatchedRun::check_end() {
  require(finished_, "it ended without saying so");
  require(pending_.empty(), "attempts are left at the end");
  require(timers_.empty(), "timers are left at the end");
  require(waits_.empty(), "waits are left at the end");
  require(!machine_.wants_to_proceed(), "it wants to go on after its end");
  require(machine_.waiting_for().empty(), "it waits after its end");
  for (const auto& [place, status] : statuses_) {
    require(place.depth == 0, "an item is left at the end");
    const auto& block = definition_->blocks[definition_->steps[place.step].block];
    const bool untouched =
        block.owner &&
        std::all_of(block.steps.begin(), block.steps.end(), [&](flow::StepIndex one) {
          return statuses_.at(flow::around(place, one, place.depth)) == "pending";
        });
    require(ended(status) || untouched, machine_.text_of(place) + " is " + status + " at the end");
    require(status != "cancelled" || machine_.state() != RunState::succeeded || block.owner,
            "a step of a run that succeeded was cancelled");
  }
}

std::vector<Place> WatchedRun::waiting_approvals() const {
  std::vector<Place> places;
  for (const auto& [what, name] : waits_) {
    if (what == WaitRow::What::approval) {
      places.push_back(*machine_.place_of(name));
    }
  }
  return places;
}

std::vector<Place> WatchedRun::doubted() const {
  std::vector<Place> places;
  for (const auto& view : machine_.view()) {
    if (view.status == "in_doubt") {
      places.push_back(view.place);
    }
  }
  return places;
}

void WatchedRun::take_checkpoint() {
  checkpoints_.push_back({events_.size(), schemas::encode_checkpoint(
                                              machine_.checkpoint(Seq(events_.size())), kNoSink)});
}

// From checkpoint number `checkpoint` - 1, or from the first entry where it is 0.
std::optional<flow::Machine> WatchedRun::folded(std::size_t checkpoint) {
  flow::Machine machine(RunId(id_), definition_);
  std::uint64_t done = 0;
  if (checkpoint > 0) {
    const Kept& kept = checkpoints_[checkpoint - 1];
    const auto read = schemas::decode_checkpoint(kept.bytes, kNoSource);
    auto restored = read ? flow::Machine::restore(RunId(id_), definition_, *read)
                         : Result<flow::Machine>(read.error());
    require(restored.ok(),
            "a checkpoint is not restored: " + (restored ? ""s : to_string(restored.error())));
    if (!restored) {
      return std::nullopt;
    }
    machine = std::move(*restored);
    done = kept.seq;
  }
  for (; done < bytes_.size(); ++done) {
    const auto entry = schemas::decode_entry(bytes_[done], kNoSource);
    require(entry.ok(), "an entry cannot be read");
    const auto effects = entry ? machine.step(entry->event) : Result<flow::Effects>(entry.error());
    require(effects.ok(), "an entry is refused");
    if (!effects) {
      return std::nullopt;
    }
    require(flow::digest_of(*effects) == entry->effects,
            "entry " + std::to_string(done + 1) + " folds to other effects");
    require(machine.state_digest() == entry->state,
            "entry " + std::to_string(done + 1) + " folds to another state");
  }
  require(machine.state_digest() == machine_.state_digest(), "the journal folds to another state");
  require(schemas::encode_checkpoint(machine.checkpoint(Seq(1)), kNoSink) ==
              schemas::encode_checkpoint(machine_.checkpoint(Seq(1)), kNoSink),
          "the journal folds to other cells");
  return machine;
}

void WatchedRun::crash(bool from_checkpoint) {
  auto machine = folded(from_checkpoint ? checkpoints_.size() : 0);
  lines_.emplace_back(from_checkpoint ? "crash, restored" : "crash, folded");
  if (machine) {
    machine_ = std::move(*machine);
  }
  check_all();
}

void WatchedRun::verify_journal() {
  constexpr std::size_t kMost = 3;
  (void)folded(0);
  for (std::size_t i = 1; i <= std::min(kMost, checkpoints_.size()); ++i) {
    (void)folded(i * checkpoints_.size() / std::min(kMost, checkpoints_.size()));
  }
}

WatchedRun WatchedRun::fork(std::uint64_t at, Instant now) const {
  WatchedRun copy(id_ + "-f1", definition_);
  for (std::uint64_t i = 0; i < at && copy.broken.empty(); ++i) {
    copy.submit(events_[i]);
  }
  if (!copy.final()) {
    copy.submit(flow::Forked{std::max(now, copy.now_), id_, at, Value(), Value()});
  }
  return copy;
}

} // namespace skein::property
