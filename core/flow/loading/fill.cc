#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/nearest.h"
#include "core/flow/loading/names.h"

namespace skein::flow::loading {
namespace {

constexpr std::int64_t kMany = 1'000'000;

class Fill {
 public:
  Fill(Reader& reader, const LoadOptions& options, Draft& draft)
      : reader_(reader), options_(options), draft_(draft), names_(reader, draft) {}

  void spec(const At& spec) {
    Definition& definition = draft_.definition;
    if (const At timeout = Reader::member(spec, "timeout")) {
      definition.timeout = reader_.duration(timeout);
    }
    if (const At input = Reader::member(spec, "input")) {
      static constexpr std::array<std::string_view, 1> kKeys{"schema"};
      if (const At schema = Reader::member(input, "schema");
          reader_.map_of(input, kKeys) && schema) {
        definition.input_schema = schema.node->to_value();
      }
    }
    definition.vars = Value::of_map({});
    if (const At vars = Reader::member(spec, "vars"); vars && reader_.is_map(vars)) {
      definition.vars = vars.node->to_value();
    }
    if (const At policy = Reader::member(spec, "retry")) {
      default_retry_ = retry(policy);
    }
    for (Step& step : definition.steps) {
      fill_step(step);
    }
    if (const At output = Reader::member(spec, "output")) {
      definition.output = names_.final_value(output);
    }
  }

 private:
  const At& node(const Step& step) const { return draft_.nodes[step.index]; }

  void fill_step(Step& step) {
    const At& at = node(step);
    if (const At when = Reader::member(at, "when")) {
      step.when = names_.condition(when, step);
    }
    if (const At timeout = Reader::member(at, "timeout")) {
      step.timeout = reader_.duration(timeout);
    }
    if (const At rules = Reader::member(at, "on_error")) {
      on_error(rules, step);
    }
    static constexpr std::array<std::string_view, 3> kInDoubt{"ask", "retry", "fail"};
    if (const At in_doubt = Reader::member(at, "in_doubt")) {
      step.in_doubt = static_cast<InDoubt>(reader_.choice(in_doubt, kInDoubt).value_or(0));
    }
    fill_kind(step, draft_.kinds[step.index]);
    const At policy = Reader::member(at, "retry");
    if (draft_.kinds[step.index] != "tool") {
      for (const char* key : {"with", "effect", "in_doubt", "retry", "timeout"}) {
        if (const At extra = Reader::member(at, key)) {
          reader_.complain(extra, Code::resource_value_invalid, "goes with `tool` only");
        }
      }
    } else {
      step.retry = policy ? retry(policy) : default_retry_;
    }
  }

  void fill_kind(Step& step, const std::string& kind) {
    const At at = Reader::member(node(step), kind);
    if (kind == "tool") {
      tool(at, step);
    } else if (kind == "set") {
      set(at, step);
    } else if (kind == "switch") {
      choose(at, step);
    } else if (kind == "parallel") {
      parallel(at, step);
    } else if (kind == "for_each") {
      for_each(at, step);
    } else if (kind == "wait") {
      wait(at, step);
    } else if (kind == "approval") {
      approval(at, step);
    } else if (kind == "emit") {
      emit(at, step);
    } else if (kind == "respond") {
      step.kind = RespondStep{names_.value(at, step).value_or(Template())};
    } else {
      fail(at, step);
    }
  }

  void on_error(const At& rules, Step& step) {
    static constexpr std::array<std::string_view, 4> kKeys{"when", "goto", "continue", "output"};
    if (!reader_.is_list(rules)) {
      return;
    }
    for (std::size_t i = 0; i < rules.node->items.size(); ++i) {
      const At rule = Reader::item(rules, i);
      if (!reader_.map_of(rule, kKeys)) {
        continue;
      }
      ErrorHandler handler;
      const At when = Reader::member(rule, "when");
      const At go_to = Reader::member(rule, "goto");
      const At carry_on = Reader::member(rule, "continue");
      const At output = Reader::member(rule, "output");
      if (when) {
        handler.when = names_.condition(when, step, true);
      }
      if (go_to) {
        const Step* target = draft_.definition.find(go_to.node->scalar.as_string());
        handler.go_to = target != nullptr ? std::optional(target->index) : std::nullopt;
      }
      handler.carry_on = carry_on && reader_.boolean(carry_on).value_or(false);
      if (output) {
        handler.output = names_.value(output, step, true);
      }
      if (handler.go_to.has_value() == handler.carry_on) {
        reader_.complain(rule, Code::resource_value_invalid,
                         "needs either `goto` or `continue: true`");
      }
      step.on_error.push_back(std::move(handler));
    }
  }

  RetryPolicy retry(const At& at) {
    static constexpr std::array<std::string_view, 6> kKeys{"max_attempts", "backoff", "initial",
                                                           "max",          "jitter",  "retry_on"};
    static constexpr std::array<std::string_view, 3> kBackoff{"exponential", "linear", "constant"};
    RetryPolicy policy;
    policy.max_attempts = 3;
    if (!reader_.map_of(at, kKeys)) {
      return policy;
    }
    if (const At most = Reader::member(at, "max_attempts")) {
      policy.max_attempts = static_cast<std::uint32_t>(reader_.integer(most, 1, 1'000).value_or(3));
    }
    if (const At backoff = Reader::member(at, "backoff")) {
      policy.backoff =
          static_cast<RetryPolicy::Backoff>(reader_.choice(backoff, kBackoff).value_or(0));
    }
    if (const At initial = Reader::member(at, "initial")) {
      policy.initial = reader_.duration(initial).value_or(policy.initial);
    }
    if (const At max = Reader::member(at, "max")) {
      policy.max = reader_.duration(max).value_or(policy.max);
    }
    if (const At jitter = Reader::member(at, "jitter")) {
      const Value& share = jitter.node->scalar;
      const double value = share.is(Kind::real)      ? share.as_double()
                           : share.is(Kind::integer) ? static_cast<double>(share.as_int())
                                                     : -1.0;
      if (value < 0.0 || value > 1.0) {
        reader_.complain(jitter, Code::resource_value_invalid, "must be a number from 0 to 1");
      } else {
        policy.jitter_permille = static_cast<std::uint32_t>(std::lround(value * 1'000));
      }
    }
    if (const At only = Reader::member(at, "retry_on")) {
      policy.retry_on = reader_.texts(only);
    }
    return policy;
  }

  void tool(const At& at, Step& step) {
    static constexpr std::array<std::string_view, 5> kClasses{"pure", "idempotent", "keyed",
                                                              "verify", "unsafe"};
    ToolStep kind;
    kind.tool = reader_.text(at).value_or("");
    if (const At with = Reader::member(node(step), "with")) {
      kind.with = names_.value(with, step).value_or(Template());
      check_input(kind, with);
    }
    if (const At effect = Reader::member(node(step), "effect")) {
      if (const auto choice = reader_.choice(effect, kClasses)) {
        kind.effect_class = parse_effect_class(kClasses[*choice]);
      }
    }
    if (options_.tools != nullptr && !kind.tool.empty() &&
        options_.tools->find(kind.tool) == nullptr) {
      reader_.complain(at, Code::tool_unknown,
                       "there is no tool \"" + kind.tool + "\"" +
                           did_you_mean(kind.tool, options_.tools->names()));
    }
    step.kind = std::move(kind);
  }

  // What has no ${ } in it can be checked before anything runs.
  void check_input(const ToolStep& kind, const At& with) {
    Tool* found = options_.tools != nullptr ? options_.tools->find(kind.tool) : nullptr;
    if (found == nullptr || !kind.with.constant()) {
      return;
    }
    if (const auto fits = found->check(with.node->to_value()); !fits) {
      reader_.complain(with, fits.error());
    }
  }

  void set(const At& at, Step& step) {
    static constexpr std::array<std::string_view, 4> kReducers{"replace", "append", "merge", "sum"};
    SetStep kind;
    if (reader_.is_map(at)) {
      for (const Node::Member& member : at.node->members) {
        const At value = Reader::member(at, member.key);
        SetStep::Assignment assignment;
        assignment.name = member.key;
        At source = value;
        if (value.node->shape == Node::Shape::map && value.node->members.size() == 1) {
          const auto& key = value.node->members.front().key;
          const auto found = std::find(kReducers.begin(), kReducers.end(), key);
          if (found != kReducers.end()) {
            assignment.reducer = static_cast<SetStep::Reducer>(found - kReducers.begin());
            source = Reader::member(value, key);
          }
        }
        assignment.value = names_.value(source, step).value_or(Template());
        kind.assignments.push_back(std::move(assignment));
      }
    }
    step.kind = std::move(kind);
  }

  void choose(const At& at, Step& step) {
    static constexpr std::array<std::string_view, 2> kKeys{"cases", "default"};
    static constexpr std::array<std::string_view, 2> kCaseKeys{"when", "goto"};
    SwitchStep kind;
    const bool short_form = at.node->shape == Node::Shape::list;
    if (!short_form && !reader_.map_of(at, kKeys)) {
      return;
    }
    const At cases = short_form ? at : Reader::member(at, "cases");
    if (!cases || !reader_.is_list(cases)) {
      reader_.complain(at, Code::resource_value_invalid,
                       "needs `cases`: a list of `when` and `goto`");
      return;
    }
    for (std::size_t i = 0; i < cases.node->items.size(); ++i) {
      const At entry = Reader::item(cases, i);
      const At go_to = Reader::member(entry, "goto");
      if (!reader_.map_of(entry, kCaseKeys) || !go_to) {
        reader_.complain(entry, Code::resource_value_invalid, "a case needs `goto`");
        continue;
      }
      SwitchStep::Case one;
      if (const At when = Reader::member(entry, "when")) {
        one.when = names_.condition(when, step);
      } else if (i + 1 < cases.node->items.size()) {
        reader_.complain(
            entry, Code::resource_value_invalid,
            "a case without `when` always holds: the cases behind it are never reached");
      }
      one.go_to = draft_.definition.find(go_to.node->scalar.as_string())->index;
      kind.cases.push_back(std::move(one));
    }
    if (const At other = Reader::member(at, "default")) {
      kind.cases.push_back({{}, draft_.definition.find(other.node->scalar.as_string())->index});
    }
    step.kind = std::move(kind);
  }

  void parallel(const At& at, Step& step) {
    static constexpr std::array<std::string_view, 3> kJoins{"all", "any", "majority"};
    static constexpr std::array<std::string_view, 2> kFailure{"cancel", "continue"};
    auto& kind = std::get<ParallelStep>(step.kind);
    const auto branches = static_cast<std::uint32_t>(kind.branches.size());
    if (const At join = Reader::member(at, "join")) {
      if (join.node->shape == Node::Shape::map) {
        static constexpr std::array<std::string_view, 1> kKeys{"n"};
        const At n = Reader::member(join, "n");
        if (reader_.map_of(join, kKeys) && n) {
          kind.join = static_cast<std::uint32_t>(reader_.integer(n, 1, branches).value_or(1));
        }
      } else if (const auto choice = reader_.choice(join, kJoins)) {
        kind.join = *choice == 0 ? 0 : *choice == 1 ? 1 : branches / 2 + 1;
      }
    }
    if (const At failure = Reader::member(at, "on_branch_failure")) {
      kind.tolerate = reader_.choice(failure, kFailure) == std::size_t{1};
    }
  }

  void for_each(const At& at, Step& step) {
    static constexpr std::array<std::string_view, 2> kFailure{"cancel", "continue"};
    auto& kind = std::get<ForEachStep>(step.kind);
    if (const At in = Reader::member(at, "in")) {
      kind.in = names_.list(in, step).value_or(Template());
    } else {
      reader_.complain(at, Code::resource_value_invalid, "needs `in`: the list to go over");
    }
    if (const At most = Reader::member(at, "max_parallel")) {
      kind.max_parallel = static_cast<std::uint32_t>(reader_.integer(most, 1, 100'000).value_or(1));
    }
    if (const At most = Reader::member(at, "max_items")) {
      kind.max_items = static_cast<std::uint32_t>(reader_.integer(most, 1, kMany).value_or(1));
    }
    if (const At failure = Reader::member(at, "on_item_failure")) {
      kind.tolerate = reader_.choice(failure, kFailure) == std::size_t{1};
    }
    for (const char* key : {"as", "index"}) {
      if (const At name = Reader::member(at, key)) {
        (void)reader_.text(name);
      }
    }
  }

  void wait(const At& at, Step& step) {
    static constexpr std::array<std::string_view, 5> kKeys{"duration", "until", "signal", "timeout",
                                                           "on_timeout"};
    static constexpr std::array<std::string_view, 2> kOnTimeout{"fail", "continue"};
    WaitStep kind;
    if (!reader_.map_of(at, kKeys)) {
      return;
    }
    int given = 0;
    for (auto [key, into] : {std::pair{"duration", &kind.duration}, std::pair{"until", &kind.until},
                             std::pair{"signal", &kind.signal}}) {
      if (const At one = Reader::member(at, key)) {
        *into = names_.value(one, step);
        ++given;
      }
    }
    if (given != 1) {
      reader_.complain(at, Code::resource_value_invalid,
                       "needs one of `duration`, `until` and `signal`");
    }
    const At timeout = Reader::member(at, "timeout");
    if (timeout && !kind.signal) {
      reader_.complain(timeout, Code::resource_value_invalid, "goes with `signal` only");
    } else if (timeout) {
      kind.timeout = reader_.duration(timeout);
    }
    if (const At late = Reader::member(at, "on_timeout")) {
      kind.continue_on_timeout = reader_.choice(late, kOnTimeout) == std::size_t{1};
    }
    if (kind.duration && kind.duration->constant()) {
      (void)reader_.duration(Reader::member(at, "duration"));
    }
    step.kind = std::move(kind);
  }

  void approval(const At& at, Step& step) {
    static constexpr std::array<std::string_view, 6> kKeys{"message", "approvers",  "required",
                                                           "timeout", "on_timeout", "auto_approve"};
    static constexpr std::array<std::string_view, 3> kOnTimeout{"fail", "approve", "reject"};
    ApprovalStep kind;
    if (!reader_.map_of(at, kKeys)) {
      return;
    }
    if (const At message = Reader::member(at, "message")) {
      kind.message = names_.value(message, step);
    }
    if (const At approvers = Reader::member(at, "approvers")) {
      kind.approvers = reader_.texts(approvers);
    }
    if (const At required = Reader::member(at, "required")) {
      const auto most =
          kind.approvers.empty() ? 100 : static_cast<std::int64_t>(kind.approvers.size());
      kind.required = static_cast<std::uint32_t>(reader_.integer(required, 1, most).value_or(1));
    }
    if (const At timeout = Reader::member(at, "timeout")) {
      kind.timeout = reader_.duration(timeout);
    }
    if (const At late = Reader::member(at, "on_timeout")) {
      kind.on_timeout =
          static_cast<ApprovalStep::OnTimeout>(reader_.choice(late, kOnTimeout).value_or(0));
    }
    if (const At unasked = Reader::member(at, "auto_approve")) {
      kind.auto_approve = names_.condition(unasked, step);
    }
    step.kind = std::move(kind);
  }

  void emit(const At& at, Step& step) {
    static constexpr std::array<std::string_view, 4> kKeys{"type", "source", "subject", "data"};
    EmitStep kind;
    if (!reader_.map_of(at, kKeys)) {
      return;
    }
    if (const At type = Reader::member(at, "type")) {
      kind.type = names_.value(type, step).value_or(Template());
    } else {
      reader_.complain(at, Code::resource_value_invalid, "needs `type`: the event's type");
    }
    if (const At source = Reader::member(at, "source")) {
      kind.source = names_.value(source, step);
    }
    if (const At subject = Reader::member(at, "subject")) {
      kind.subject = names_.value(subject, step);
    }
    if (const At event_data = Reader::member(at, "data")) {
      kind.data = names_.value(event_data, step).value_or(Template());
    }
    step.kind = std::move(kind);
  }

  void fail(const At& at, Step& step) {
    static constexpr std::array<std::string_view, 2> kKeys{"message", "code"};
    FailStep kind;
    if (at.node->shape == Node::Shape::map) {
      const At message = Reader::member(at, "message");
      if (!reader_.map_of(at, kKeys) || !message) {
        reader_.complain(at, Code::resource_value_invalid, "needs `message`");
        return;
      }
      kind.message = names_.value(message, step).value_or(Template());
      if (const At code = Reader::member(at, "code")) {
        kind.code = names_.value(code, step);
      }
    } else {
      kind.message = names_.value(at, step).value_or(Template());
    }
    step.kind = std::move(kind);
  }

  Reader& reader_;
  const LoadOptions& options_;
  Draft& draft_;
  Names names_;
  RetryPolicy default_retry_;
};

} // namespace

void fill(Reader& reader, const At& spec, const LoadOptions& options, Draft& draft) {
  Fill(reader, options, draft).spec(spec);
}

} // namespace skein::flow::loading
