#include <algorithm>
#include <array>
#include <utility>

#include "core/base/nearest.h"
#include "core/flow/loading/fill.h"
#include "core/flow/loading/header.h"

namespace skein::flow::loading {
namespace {

constexpr std::array<std::string_view, 2> kOnFailure{"cancel", "continue"};

} // namespace

void Fill::fill_kind(Step& step, std::string_view kind) {
  using Filler = void (Fill::*)(const At&, Step&);
  static constexpr std::pair<std::string_view, Filler> kFillers[]{
      {"tool", &Fill::tool},       {"flow", &Fill::flow},         {"set", &Fill::set},
      {"switch", &Fill::choose},   {"parallel", &Fill::parallel}, {"for_each", &Fill::for_each},
      {"wait", &Fill::wait},       {"approval", &Fill::approval}, {"emit", &Fill::emit},
      {"respond", &Fill::respond}, {"fail", &Fill::fail}};
  for (const auto& [name, filler] : kFillers) {
    if (name == kind) {
      (this->*filler)(Reader::member(draft_.nodes[step.index], kind), step);
    }
  }
}

void Fill::tool(const At& at, Step& step) {
  static constexpr std::array<std::string_view, 5> kClasses{"pure", "idempotent", "keyed", "verify",
                                                            "unsafe"};
  const At& node = draft_.nodes[step.index];
  ToolStep kind;
  kind.tool = reader_.text(at).value_or("");
  if (const At with = Reader::member(node, "with")) {
    kind.with = names_.value(with, step).value_or(Template());
    check_input(kind, with);
  }
  if (const At effect = Reader::member(node, "effect")) {
    if (const auto chosen = reader_.choice(effect, kClasses)) {
      kind.effect_class = parse_effect_class(kClasses[*chosen]);
    }
  }
  if (options_.tools != nullptr && !kind.tool.empty() &&
      options_.tools->find(kind.tool) == nullptr) {
    reader_.complain(
        at, Code::tool_unknown,
        "there is no tool \"" + kind.tool + "\"" + did_you_mean(kind.tool, options_.tools->names()),
        listed("tools of this node", kind.tool, options_.tools->names()));
  }
  static constexpr std::array<std::string_view, 1> kOfFlows{"placement"};
  refuse_keys(node, kOfFlows, "goes with `flow` only");
  step.kind = std::move(kind);
}

void Fill::flow(const At& at, Step& step) {
  const At& node = draft_.nodes[step.index];
  FlowStep kind;
  kind.flow = reader_.text(at).value_or("");
  if (!kind.flow.empty() && !is_dns_name(kind.flow)) {
    reader_.complain(at, Code::resource_value_invalid, "\"" + kind.flow + "\" is no name of a flow",
                     kNameHint);
  } else if (options_.knows_flow && kind.flow != draft_.definition.name &&
             !options_.knows_flow(kind.flow)) {
    reader_.warn(at, Code::resource_unknown, "no flow \"" + kind.flow + "\" is among these files",
                 "apply it before a run comes to this step");
  }
  if (const At with = Reader::member(node, "with")) {
    kind.with = names_.value(with, step).value_or(Template());
  }
  if (const At where = Reader::member(node, "placement")) {
    kind.placement = placement(where);
  }
  refuse_keys(node, kOfTools, "goes with `tool` only");
  step.kind = std::move(kind);
}

// `local`, `spread`, or the labels of the nodes that will do.
Placement Fill::placement(const At& at) {
  static constexpr std::array<std::string_view, 2> kHow{"spread", "local"};
  static constexpr std::array<std::string_view, 1> kKeys{"labels"};
  Placement placement;
  if (at.node->shape != Node::Shape::map) {
    const auto how = reader_.choice(at, kHow);
    placement.how = static_cast<Placement::How>(how.value_or(0));
    return placement;
  }
  const At labels = Reader::member(at, "labels");
  if (!reader_.map_of(at, kKeys) || !labels || !reader_.is_map(labels)) {
    return placement;
  }
  placement.how = Placement::How::labels;
  for (const Node::Member& member : labels.node->members) {
    placement.labels.emplace_back(member.key,
                                  reader_.text(Reader::member(labels, member.key)).value_or(""));
  }
  if (placement.labels.empty()) {
    reader_.complain(labels, Code::resource_value_invalid, "must name at least one label");
  }
  return placement;
}

// What has no ${ } in it can be checked before anything runs.
void Fill::check_input(const ToolStep& kind, const At& with) {
  Tool* found = options_.tools != nullptr ? options_.tools->find(kind.tool) : nullptr;
  if (found == nullptr || !kind.with.constant()) {
    return;
  }
  if (const auto fits = found->check(with.node->to_value()); !fits) {
    reader_.complain(with, fits.error());
  }
}

void Fill::set(const At& at, Step& step) {
  SetStep kind;
  if (reader_.is_map(at)) {
    if (at.node->members.empty()) {
      reader_.complain(at, Code::resource_value_invalid, "must set at least one variable");
    }
    check_variables(at);
    for (const Node::Member& member : at.node->members) {
      kind.assignments.push_back(assignment(Reader::member(at, member.key), step));
      kind.assignments.back().name = member.key;
    }
  }
  step.kind = std::move(kind);
}

SetStep::Assignment Fill::assignment(const At& at, const Step& step) {
  static constexpr std::array<std::string_view, 4> kReducers{"replace", "append", "merge", "sum"};
  SetStep::Assignment assignment;
  At source = at;
  if (at.node->shape == Node::Shape::map && at.node->members.size() == 1) {
    const auto& key = at.node->members.front().key;
    const auto found = std::find(kReducers.begin(), kReducers.end(), key);
    if (found != kReducers.end()) {
      assignment.reducer = static_cast<SetStep::Reducer>(found - kReducers.begin());
      source = Reader::member(at, key);
    }
  }
  assignment.value = names_.value(source, step).value_or(Template());
  return assignment;
}

void Fill::choose(const At& at, Step& step) {
  static constexpr std::array<std::string_view, 2> kKeys{"cases", "default"};
  SwitchStep kind;
  const bool short_form = at.node->shape == Node::Shape::list;
  if (!short_form && !reader_.map_of(at, kKeys)) {
    return;
  }
  const At cases = short_form ? at : Reader::member(at, "cases");
  if (!cases || !reader_.is_list(cases) || cases.node->items.empty()) {
    reader_.complain(at, Code::resource_value_invalid,
                     "needs `cases`: a list of `when` and `goto`");
    return;
  }
  const std::size_t count = cases.node->items.size();
  for (std::size_t i = 0; i < count; ++i) {
    if (auto one = switch_case(Reader::item(cases, i), i + 1 == count, step)) {
      kind.cases.push_back(std::move(*one));
    }
  }
  if (const At other = Reader::member(at, "default")) {
    kind.cases.push_back({{}, target(other)});
  }
  step.kind = std::move(kind);
}

std::optional<SwitchStep::Case> Fill::switch_case(const At& at, bool last, const Step& step) {
  static constexpr std::array<std::string_view, 2> kKeys{"when", "goto"};
  const At go_to = Reader::member(at, "goto");
  if (!reader_.map_of(at, kKeys) || !go_to) {
    reader_.complain(at, Code::resource_value_invalid, "a case needs `goto`");
    return std::nullopt;
  }
  if (!last && !Reader::member(at, "when")) {
    reader_.complain(at, Code::resource_value_invalid,
                     "a case without `when` always holds: the cases behind it are never reached");
  }
  return SwitchStep::Case{condition(at, "when", step), target(go_to)};
}

// Unknown ones were complained about when the edges were made.
StepIndex Fill::target(const At& at) const {
  const Value& id = at.node->scalar;
  const Step* found = id.is(Kind::string) ? draft_.definition.find(id.as_string()) : nullptr;
  return found != nullptr ? found->index : StepIndex{0};
}

void Fill::parallel(const At& at, Step& step) {
  if (!std::holds_alternative<ParallelStep>(step.kind)) {
    return; // what its branches lack was said when they were read
  }
  auto& kind = std::get<ParallelStep>(step.kind);
  if (const At joined = Reader::member(at, "join")) {
    join(joined, kind);
  }
  choice(at, "on_branch_failure", kOnFailure, kind.run_to_end);
}

void Fill::join(const At& at, ParallelStep& kind) {
  static constexpr std::array<std::string_view, 3> kJoins{"all", "any", "majority"};
  static constexpr std::array<std::string_view, 1> kKeys{"n"};
  const auto branches = static_cast<std::uint32_t>(kind.branches.size());
  if (at.node->shape == Node::Shape::map) {
    if (reader_.map_of(at, kKeys)) {
      integer(at, "n", branches, kind.join);
    }
  } else if (const auto chosen = reader_.choice(at, kJoins)) {
    kind.join = *chosen == 0 ? 0 : *chosen == 1 ? 1 : branches / 2 + 1;
  }
}

void Fill::for_each(const At& at, Step& step) {
  if (!std::holds_alternative<ForEachStep>(step.kind)) {
    return;
  }
  auto& kind = std::get<ForEachStep>(step.kind);
  if (const At in = Reader::member(at, "in")) {
    kind.in = names_.list(in, step).value_or(Template());
  } else {
    reader_.complain(at, Code::resource_value_invalid, "needs `in`: the list to go over");
  }
  integer(at, "max_parallel", 100'000, kind.max_parallel);
  integer(at, "max_items", 1'000'000, kind.max_items);
  choice(at, "on_item_failure", kOnFailure, kind.tolerate);
}

void Fill::wait(const At& at, Step& step) {
  static constexpr std::array<std::string_view, 5> kKeys{"duration", "until", "signal", "timeout",
                                                         "on_timeout"};
  static constexpr std::array<std::string_view, 2> kOnTimeout{"fail", "continue"};
  WaitStep kind;
  if (!reader_.map_of(at, kKeys)) {
    return;
  }
  kind.duration = value(at, "duration", step);
  kind.until = value(at, "until", step);
  kind.signal = value(at, "signal", step);
  if (std::ranges::count_if(std::array{"duration", "until", "signal"},
                            [&](const char* key) { return at.node->find(key) != nullptr; }) != 1) {
    reader_.complain(at, Code::resource_value_invalid,
                     "needs one of `duration`, `until` and `signal`");
  }
  if (const At extra = Reader::member(at, "timeout"); extra && !kind.signal) {
    reader_.complain(extra, Code::resource_value_invalid, "goes with `signal` only");
  } else {
    kind.timeout = timeout(at);
  }
  choice(at, "on_timeout", kOnTimeout, kind.continue_on_timeout);
  check_constants(at, kind);
  step.kind = std::move(kind);
}

void Fill::check_constants(const At& at, const WaitStep& kind) {
  if (kind.duration && kind.duration->constant()) {
    (void)duration(at, "duration");
  }
  if (kind.until && kind.until->constant()) {
    const At until = Reader::member(at, "until");
    const auto written = reader_.text(until);
    const auto parsed = written ? std::optional(parse_instant(*written)) : std::nullopt;
    if (parsed && !*parsed) {
      reader_.complain(until, parsed->error());
    }
  }
}

void Fill::approval(const At& at, Step& step) {
  static constexpr std::array<std::string_view, 6> kKeys{"message", "approvers",  "required",
                                                         "timeout", "on_timeout", "auto_approve"};
  static constexpr std::array<std::string_view, 3> kOnTimeout{"fail", "approve", "reject"};
  ApprovalStep kind;
  if (!reader_.map_of(at, kKeys)) {
    return;
  }
  kind.message = value(at, "message", step);
  if (const At approvers = Reader::member(at, "approvers")) {
    kind.approvers = reader_.texts(approvers);
  }
  const auto most = kind.approvers.empty() ? 100 : static_cast<std::int64_t>(kind.approvers.size());
  integer(at, "required", most, kind.required);
  kind.timeout = timeout(at);
  choice(at, "on_timeout", kOnTimeout, kind.on_timeout);
  kind.auto_approve = condition(at, "auto_approve", step);
  step.kind = std::move(kind);
}

void Fill::emit(const At& at, Step& step) {
  static constexpr std::array<std::string_view, 4> kKeys{"type", "source", "subject", "data"};
  EmitStep kind;
  if (!reader_.map_of(at, kKeys)) {
    return;
  }
  if (!Reader::member(at, "type")) {
    reader_.complain(at, Code::resource_value_invalid, "needs `type`: the event's type");
  }
  kind.type = value(at, "type", step).value_or(Template());
  kind.source = value(at, "source", step);
  kind.subject = value(at, "subject", step);
  kind.data = value(at, "data", step).value_or(Template());
  step.kind = std::move(kind);
}

void Fill::respond(const At& at, Step& step) {
  step.kind = RespondStep{names_.value(at, step).value_or(Template())};
}

void Fill::fail(const At& at, Step& step) {
  static constexpr std::array<std::string_view, 2> kKeys{"message", "code"};
  FailStep kind;
  if (at.node->shape == Node::Shape::map) {
    const At message = Reader::member(at, "message");
    if (!reader_.map_of(at, kKeys) || !message) {
      reader_.complain(at, Code::resource_value_invalid, "needs `message`");
      return;
    }
    kind.message = names_.value(message, step).value_or(Template());
    kind.code = value(at, "code", step);
  } else {
    kind.message = names_.value(at, step).value_or(Template());
  }
  step.kind = std::move(kind);
}

} // namespace skein::flow::loading
