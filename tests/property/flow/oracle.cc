#include "property/flow/oracle.h"

#include <algorithm>
#include <utility>

namespace skein::property {
namespace {

using flow::BlockIndex;
using flow::Place;
using flow::Step;
using flow::StepIndex;

/// How a step or a block ended. Unknown: a tool step without a result.
enum class Fate : std::uint8_t { unknown, good, skipped, dead, handled, bad };

struct Outcome {
  Fate fate = Fate::unknown;
  bool done = false;               ///< its `done` edges are taken
  std::optional<StepIndex> chosen; ///< its `chosen` edge that is taken
};

class Oracle {
 public:
  Oracle(const RandomFlow& flow, const WatchedRun& run)
      : flow_(flow), run_(run), definition_(run.machine().definition()) {}

  std::string judge() {
    const Fate fate = block(flow::kRootBlock, Place{});
    const RunState state = run_.machine().state();
    if (state == RunState::succeeded && fate != Fate::good) {
      return "it succeeded, but a step of it cannot have";
    }
    if (state == RunState::failed && fate != Fate::bad && !by_itself()) {
      return "it failed, but no step of it did";
    }
    for (const Place& place : run_.dispatched()) {
      if (!reached_.contains(place)) {
        return run_.machine().text_of(place) + " ran, but nothing led to it";
      }
    }
    if (state == RunState::succeeded) {
      for (const Place& place : must_) {
        if (!run_.dispatched().contains(place)) {
          return run_.machine().text_of(place) + " did not run";
        }
      }
      return count_sets();
    }
    return "";
  }

 private:
  // Failures that come from no step: the run's timeout.
  bool by_itself() const {
    const auto& failure = run_.machine().failure();
    return failure && failure->code == "SK1307";
  }

  std::string count_sets() const {
    const auto cells = run_.machine().checkpoint(Seq(1)).cells;
    const Value* total = cells.find("run")->find("vars")->find("total");
    const auto counted = total->as_int();
    const bool fits = cut_short_ ? counted <= sets_ : counted == sets_;
    return fits ? ""
                : "set ran " + std::to_string(counted) + " times, not " + std::to_string(sets_);
  }

  bool holds(const Condition& condition, const Place& place,
             const std::map<StepIndex, Outcome>& siblings) const {
    switch (condition.what) {
      case Condition::What::flag:
        return flow_.flags[condition.number];
      case Condition::What::parity:
        return place.items[place.depth - 1] % 2 == 0;
      case Condition::What::status: {
        const Fate fate = siblings.at(definition_.find(condition.step)->index).fate;
        return fate == Fate::skipped || fate == Fate::dead;
      }
      case Condition::What::always:
      case Condition::What::broken:
        break;
    }
    return true;
  }

  // What must have run in a block that was left early is not known.
  Fate block(BlockIndex index, const Place& inside) {
    std::set<Place> outside = std::exchange(must_, {});
    const Fate fate = walk(index, inside);
    if (fate == Fate::good) {
      outside.merge(must_);
    }
    must_ = std::move(outside);
    cut_short_ = cut_short_ || fate != Fate::good;
    return fate;
  }

  Fate walk(BlockIndex index, const Place& inside) {
    std::map<StepIndex, Outcome> outcomes;
    const auto& steps = definition_.blocks[index].steps;
    bool bad = false;
    bool unknown = false;
    while (outcomes.size() < steps.size()) {
      for (const StepIndex step : steps) {
        if (outcomes.contains(step) || !sources_known(steps, step, outcomes)) {
          continue;
        }
        const Outcome outcome = this->step(step, inside, steps, outcomes);
        bad = bad || outcome.fate == Fate::bad;
        unknown = unknown || outcome.fate == Fate::unknown;
        outcomes[step] = outcome;
      }
    }
    return bad ? Fate::bad : unknown ? Fate::unknown : Fate::good;
  }

  bool sources_known(const std::vector<StepIndex>& steps, StepIndex target,
                     const std::map<StepIndex, Outcome>& outcomes) const {
    return std::all_of(steps.begin(), steps.end(), [&](StepIndex source) {
      const auto& out = definition_.steps[source].out;
      return outcomes.contains(source) ||
             std::none_of(out.begin(), out.end(), [&](auto& edge) { return edge.to == target; });
    });
  }

  Outcome step(StepIndex index, const Place& inside, const std::vector<StepIndex>& siblings,
               const std::map<StepIndex, Outcome>& outcomes) {
    const Step& step = definition_.steps[index];
    const Place place = flow::around(inside, index, inside.depth);
    bool activated = step.in == 0;
    bool waits = false; // for what has no known end
    for (const StepIndex source : siblings) {
      for (const flow::Edge& edge : definition_.steps[source].out) {
        if (edge.to != index) {
          continue;
        }
        const Outcome& from = outcomes.at(source);
        waits = waits || from.fate == Fate::unknown || from.fate == Fate::bad;
        activated =
            activated || (edge.on == flow::Edge::On::done ? from.done : from.chosen == index);
      }
    }
    if (waits) {
      return {};
    }
    if (!activated) {
      return {Fate::dead, false, {}};
    }
    const auto when = flow_.when.find(step.id);
    if (when != flow_.when.end() && when->second.what == Condition::What::broken) {
      return failed(step, "SK1104");
    }
    if (when != flow_.when.end() && !holds(when->second, place, outcomes)) {
      return {Fate::skipped, true, {}};
    }
    return std::visit([&](const auto& kind) { return this->kind(step, place, kind); }, step.kind);
  }

  Outcome failed(const Step& step, const std::string& code) const {
    for (const flow::ErrorHandler& handler : step.on_error) {
      if (!handler.when || code == "E1") {
        return {Fate::handled, handler.carry_on, handler.go_to};
      }
    }
    return {Fate::bad, false, {}};
  }

  static Outcome good() { return {Fate::good, true, {}}; }

  Outcome leaf(const Step& step, const Place& place) const {
    const auto outcome = run_.outcomes().find(place);
    return outcome == run_.outcomes().end() || outcome->second ? good()
                                                               : failed(step, code_of(place));
  }

  std::string code_of(const Place& place) const {
    for (auto event = run_.events().rbegin(); event != run_.events().rend(); ++event) {
      const auto* failed = std::get_if<flow::Failed>(&*event);
      if (failed != nullptr && failed->place == place) {
        return settled_after(place, event) ? "SK1304" : failed->failure.code;
      }
    }
    return "";
  }

  // Whether an operator or a doubt ended it after that failure of an earlier attempt.
  template <class Iterator>
  bool settled_after(const Place& place, Iterator event) const {
    return std::any_of(run_.events().rbegin(), event, [&](const flow::Event& later) {
      const auto* settled = std::get_if<flow::Settled>(&later);
      const auto* doubt = std::get_if<flow::FoundInDoubt>(&later);
      return (settled != nullptr && settled->place == place) ||
             (doubt != nullptr && doubt->place == place);
    });
  }

  Outcome kind(const Step& step, const Place& place, const flow::ToolStep&) {
    reached_.insert(place);
    if (racing_ == 0) {
      must_.insert(place);
    }
    const auto outcome = run_.outcomes().find(place);
    if (outcome == run_.outcomes().end()) {
      return {};
    }
    return outcome->second ? good() : failed(step, code_of(place));
  }

  Outcome kind(const Step&, const Place&, const flow::SetStep&) {
    ++sets_;
    return good();
  }

  Outcome kind(const Step& step, const Place& place, const flow::SwitchStep& kind) {
    const auto& cases = flow_.cases.at(step.id);
    for (std::size_t i = 0; i < cases.size(); ++i) {
      if (cases[i].what == Condition::What::broken) {
        return failed(step, "SK1104");
      }
      if (holds(cases[i], place, {})) {
        return {Fate::good, true, kind.cases[i].go_to};
      }
    }
    return good();
  }

  Outcome kind(const Step& step, const Place& place, const flow::ParallelStep& kind) {
    const std::size_t total = kind.branches.size();
    const bool all = kind.join == 0;
    const bool race = !all && kind.join < total;
    racing_ += race ? 1 : 0;
    cut_short_ = cut_short_ || race;
    std::size_t good_ones = 0;
    std::size_t bad_ones = 0;
    for (const auto& branch : kind.branches) {
      const Fate fate = block(branch.block, place);
      good_ones += fate == Fate::good ? 1 : 0;
      bad_ones += fate == Fate::bad ? 1 : 0;
    }
    racing_ -= race ? 1 : 0;
    const std::size_t needed = all ? total : kind.join;
    const bool enough = good_ones >= needed;
    const bool lost = total - bad_ones < needed;
    return enough ? good() : lost ? failed(step, "") : Outcome{};
  }

  Outcome kind(const Step& step, const Place& place, const flow::ForEachStep& kind) {
    bool bad = false;
    bool unknown = false;
    for (std::size_t i = 0; i < flow_.items.at(step.id); ++i) {
      const Fate fate = block(kind.body, flow::inside(place, static_cast<std::uint32_t>(i)));
      bad = bad || (fate == Fate::bad && !kind.tolerate);
      unknown = unknown || fate == Fate::unknown;
    }
    return bad ? failed(step, "") : unknown ? Outcome{} : good();
  }

  Outcome kind(const Step& step, const Place& place, const flow::WaitStep&) {
    return leaf(step, place);
  }

  Outcome kind(const Step& step, const Place& place, const flow::ApprovalStep&) {
    const auto automatic = flow_.auto_approved.find(step.id);
    return automatic != flow_.auto_approved.end() && automatic->second ? good() : leaf(step, place);
  }

  Outcome kind(const Step&, const Place&, const flow::EmitStep&) { return good(); }
  Outcome kind(const Step&, const Place&, const flow::RespondStep&) { return good(); }
  Outcome kind(const Step&, const Place&, const flow::FlowStep&) { return {}; } // none is made
  Outcome kind(const Step& step, const Place&, const flow::FailStep&) { return failed(step, "E1"); }

  const RandomFlow& flow_;
  const WatchedRun& run_;
  const flow::Definition& definition_;
  std::set<Place> reached_;
  std::set<Place> must_;
  int racing_ = 0;         ///< parallels around that do not wait for all their branches
  bool cut_short_ = false; ///< whether a part of the run need not have run to its end
  std::int64_t sets_ = 0;
};

} // namespace

std::string judge(const RandomFlow& flow, const WatchedRun& run) {
  return Oracle(flow, run).judge();
}

} // namespace skein::property
