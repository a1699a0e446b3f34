#include "cli/run/story.h"

#include "core/value/json.h"

namespace skein::cli {
namespace {

std::string brief(const Value& value) {
  // Never the whole of a large output only to cut it.
  constexpr std::uint32_t kLarge = 4'000;
  if (value.weight() > kLarge) {
    return value.is(Kind::list) ? "a list of " + std::to_string(value.as_list().size())
                                : "a large " + std::string(name_of(value.kind()));
  }
  return to_json(value);
}

std::string because(const std::string& reason) { return reason.empty() ? "" : ": " + reason; }

} // namespace

/// What each kind of entry says.
struct Story::Teller {
  const Story& story;
  Told& told;

  const flow::Machine& machine() const { return *story.machine_; }

  void about(const flow::Place& place) const {
    told.step = machine().text_of(place);
    told.key = machine().effect_key(place);
    const auto asked = story.attempts_.find(place);
    if (asked != story.attempts_.end()) {
      told.cause = story.entry_text(asked->second.asked);
    }
  }

  void operator()(const flow::Created& e) const {
    told.what = "created from flow " + e.definition + " with input " + brief(e.input);
    told.cause = e.parent.empty() ? "from outside" : "run " + e.parent;
  }
  void operator()(const flow::Forked& e) const {
    told.what = "forked from run " + e.from + " at entry " + std::to_string(e.entry);
    told.what += e.vars.is_null() || e.vars.as_map().empty() ? "" : ", vars " + brief(e.vars);
    told.what += e.input.is_null() || e.input.as_map().empty() ? "" : ", input " + brief(e.input);
    told.cause = "from outside";
  }
  void operator()(const flow::Begun& e) const {
    about(e.place);
    if (!e.child.get().empty()) {
      told.what = "starts run " + e.child.get();
      return;
    }
    told.what =
        "begins attempt " + std::to_string(e.attempt) + ", " + std::string(name_of(e.effect_class));
  }
  void operator()(const flow::Succeeded& e) const {
    about(e.place);
    told.what = "succeeded: " + brief(e.output);
  }
  void operator()(const flow::Failed& e) const {
    about(e.place);
    told.what = "failed: " + e.failure.code + ": " + e.failure.message;
  }
  void operator()(const flow::FoundInDoubt& e) const {
    about(e.place);
    told.what = "is in doubt: attempt " + std::to_string(e.attempt) + " was cut off";
    told.cause = "restart";
  }
  void operator()(const flow::Expired& e) const {
    told.what = "timer " + std::to_string(e.timer) + " is due";
    const auto armed = story.timers_.find(e.timer);
    told.cause = armed != story.timers_.end() ? story.entry_text(armed->second) : "";
  }
  void operator()(const flow::Signalled& e) const {
    told.what = "signal " + e.name + ": " + brief(e.payload);
    told.cause = "from outside";
  }
  void operator()(const flow::Answered& e) const {
    about(e.place);
    told.key.clear();
    const auto asked = story.waits_.find(told.step);
    told.what = (e.approved ? "approved by " : "rejected by ") + e.by + because(e.comment);
    told.cause = asked != story.waits_.end() ? story.entry_text(asked->second) : "from outside";
  }
  void operator()(const flow::CancelAsked& e) const { asked("cancelled by ", e.by, e.reason); }
  void operator()(const flow::PauseAsked& e) const { asked("paused by ", e.by, e.reason); }
  void operator()(const flow::ResumeAsked& e) const { asked("resumed by ", e.by, ""); }
  void operator()(const flow::Settled& e) const {
    about(e.place);
    told.what = "settled by " + e.by + ": " +
                (e.how == flow::Settled::How::retry     ? "run it again"
                 : e.how == flow::Settled::How::succeed ? "it had happened: " + brief(e.output)
                                                        : "it had not happened");
    told.cause = "from outside";
  }
  void operator()(const flow::Proceeded&) const {
    told.what = "goes on";
    told.cause = story.entry_text(story.last_);
  }
  void operator()(const flow::ChildEnded& e) const {
    told.what = e.failure ? "run " + e.child.get() + " did not succeed: " + e.failure->code + ": " +
                                e.failure->message
                          : "run " + e.child.get() + " succeeded: " + brief(e.output);
    told.cause = "run " + e.child.get();
  }
  void asked(const std::string& what, const std::string& by, const std::string& reason) const {
    told.what = what + by + because(reason);
    told.cause = "from outside";
  }
};

Value to_value(const Entry& entry, const Told& told) {
  const auto or_null = [](const std::string& text) { return text.empty() ? Value() : Value(text); };
  return object({{"at", to_string(told.at)},
                 {"entry", static_cast<std::int64_t>(told.seq.get())},
                 {"kind", told.kind},
                 {"step", or_null(told.step)},
                 {"what", told.step.empty() ? told.what : told.step + " " + told.what},
                 {"cause", or_null(told.cause)},
                 {"key", or_null(told.key)},
                 {"effects", to_string(entry.effects)},
                 {"state", to_string(entry.state)}});
}

Story::Story(DefinitionOf definition_of) : definition_of_(std::move(definition_of)) {}

std::string Story::entry_text(Seq seq) const {
  return seq.get() == 0 ? "" : "entry " + std::to_string(seq.get());
}

Result<Told> Story::take(const Entry& entry) {
  if (!machine_) {
    const auto* created = std::get_if<flow::Created>(&entry.event);
    if (created == nullptr) {
      return Error{Code::storage_corrupt,
                   "the journal of run " + entry.run.get() + " does not begin with its creation",
                   "run `skein doctor`"};
    }
    auto definition = definition_of_(created->revision);
    if (!definition) {
      return definition.error();
    }
    machine_.emplace(entry.run, std::move(*definition));
    first_at_ = created->at;
  }
  Told told;
  told.seq = entry.seq;
  told.at = flow::at_of(entry.event);
  told.kind = flow::kind_of(entry.event);
  std::visit(Teller{*this, told}, entry.event);
  const auto effects = machine_->step(entry.event);
  if (effects) {
    remember(entry, *effects, told);
  } else {
    told.what += " (replays as " + to_string(effects.error().code) + ")";
  }
  last_ = entry.seq;
  last_at_ = told.at;
  return told;
}

void Story::remember(const Entry& entry, const flow::Effects& effects, Told& told) {
  if (const auto* begun = std::get_if<flow::Begun>(&entry.event)) {
    attempts_[begun->place].begun = told.at;
    attempts_[begun->place].asked = entry.seq;
  } else if (const auto* succeeded = std::get_if<flow::Succeeded>(&entry.event)) {
    attempts_[succeeded->place].ended = told.at;
  } else if (const auto* failed = std::get_if<flow::Failed>(&entry.event)) {
    attempts_[failed->place].ended = told.at;
  }
  for (const flow::Effect& effect : effects) {
    if (const auto* dispatch = std::get_if<flow::Dispatch>(&effect)) {
      attempts_[dispatch->place] = Attempt{entry.seq, dispatch->input, told.at, {}};
    } else if (const auto* arm = std::get_if<flow::ArmTimer>(&effect)) {
      timers_[arm->timer] = entry.seq;
    } else if (const auto* open = std::get_if<flow::OpenWait>(&effect)) {
      waits_[open->name] = entry.seq;
      told.what += open->what == WaitRow::What::signal ? "; waits for signal " + open->name
                                                       : "; asks for approval " + open->name;
    } else if (const auto* emit = std::get_if<flow::Emit>(&effect)) {
      told.what += "; emits " + emit->type;
    } else if (const auto* finish = std::get_if<flow::Finish>(&effect)) {
      told.what += "; the run " + std::string(finish->state == RunState::cancelled ? "is " : "") +
                   std::string(name_of(finish->state));
    }
  }
}

Result<void> Story::knows_step(const std::string& named) const {
  const std::string id = named.substr(0, named.find('['));
  if (named.empty() || machine_->definition().find(id) != nullptr) {
    return {};
  }
  return machine_->place_of(id).error();
}

} // namespace skein::cli
