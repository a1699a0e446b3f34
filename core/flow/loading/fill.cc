#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/nearest.h"
#include "core/flow/loading/names.h"
#include "core/schema/schema.h"

namespace skein::flow::loading {
namespace {

constexpr std::int64_t kMany = 1'000'000;

class Fill {
 public:
  Fill(Reader& reader, const LoadOptions& options, Draft& draft)
      : reader_(reader), options_(options), draft_(draft), names_(reader, draft, options.lenient) {}

  void spec(const At& spec) {
    Definition& definition = draft_.definition;
    if (const At timeout = Reader::member(spec, "timeout")) {
      definition.timeout = reader_.duration(timeout);
    }
    if (const At input = Reader::member(spec, "input")) {
      static constexpr std::array<std::string_view, 1> kKeys{"schema"};
      if (const At schema = Reader::member(input, "schema");
          reader_.map_of(input, kKeys) && schema) {
        input_schema(schema);
      }
    }
    definition.vars = Value::of_map({});
    if (const At vars = Reader::member(spec, "vars"); vars && reader_.is_map(vars)) {
      check_variables(vars);
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
  void input_schema(const At& at) {
    const Value document = at.node->to_value();
    if (const auto compiled = schema::Schema::compile(document); !compiled) {
      reader_.complain(at, compiled.error());
      return;
    }
    draft_.definition.input_schema = document;
  }

  void check_variables(const At& map) {
    for (const Node::Member& member : map.node->members) {
      if (!is_id(member.key)) {
        reader_.complain(Reader::member(map, member.key), Code::resource_value_invalid,
                         "\"" + member.key + "\" is no name of a variable", kIdHint);
      }
    }
  }

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
    const std::string& kind = draft_.kinds[step.index];
    if (!kind.empty()) {
      fill_kind(step, kind);
    }
    const At policy = Reader::member(at, "retry");
    if (kind != "tool" && step.kind.index() != 0) {
      for (const char* key : {"with", "effect", "in_doubt", "retry", "timeout"}) {
        if (const At extra = Reader::member(at, key)) {
          reader_.complain(extra, Code::resource_value_invalid, "goes with `tool` only");
        }
      }
    } else {
      step.retry = policy ? retry(policy) : default_retry_;
    }
    if (const At name = Reader::member(at, "name")) {
      (void)reader_.text(name);
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
    } else if (kind == "fail") {
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
        handler.go_to = target(go_to);
      }
      const auto continues = carry_on ? reader_.boolean(carry_on) : std::optional(false);
      handler.carry_on = continues.value_or(false);
      if (output) {
        handler.output = names_.value(output, step, true);
      }
      if (continues && bool(go_to) == *continues) {
        reader_.complain(rule, Code::resource_value_invalid,
                         "needs either `goto` or `continue: true`");
      } else if (output && !handler.carry_on) {
        reader_.complain(output, Code::resource_value_invalid, "goes with `continue: true` only");
      }
      step.on_error.push_back(std::move(handler));
    }
  }

  // Unknown ones were complained about when the edges were made.
  StepIndex target(const At& at) const {
    const Value& id = at.node->scalar;
    const Step* found = id.is(Kind::string) ? draft_.definition.find(id.as_string()) : nullptr;
    return found != nullptr ? found->index : StepIndex{0};
  }

  void retry_on(const At& at, RetryPolicy& policy) {
    static const std::vector<std::string_view> kNames = [] {
      std::vector<std::string_view> names{"timeout", "unavailable", "rate_limited"};
      for (const CodeRow& row : all_codes()) {
        names.push_back(row.name);
      }
      return names;
    }();
    policy.retry_on = reader_.texts(at);
    for (std::size_t i = 0; i < at.node->items.size(); ++i) {
      const Value& name = at.node->items[i].scalar;
      if (!name.is(Kind::string) || is_public_code(name.as_string()) ||
          std::ranges::find(kNames, name.as_string()) != kNames.end()) {
        continue;
      }
      reader_.complain(Reader::item(at, i), Code::resource_value_invalid,
                       "\"" + std::string(name.as_string()) + "\" is no error" +
                           did_you_mean(name.as_string(), kNames),
                       "use timeout, unavailable, rate_limited, or a code such as SK5003");
    }
  }

  static bool is_public_code(std::string_view text) {
    return std::ranges::any_of(all_codes(),
                               [&](const CodeRow& row) { return to_string(row.code) == text; });
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
      policy.jitter_permille =
          static_cast<std::uint32_t>(std::lround(reader_.share(jitter).value_or(0) * 1'000));
    }
    if (const At only = Reader::member(at, "retry_on")) {
      retry_on(only, policy);
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
                           did_you_mean(kind.tool, options_.tools->names()),
                       listed("tools of this node", kind.tool, options_.tools->names()));
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
      if (at.node->members.empty()) {
        reader_.complain(at, Code::resource_value_invalid, "must set at least one variable");
      }
      check_variables(at);
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
    if (!cases || !reader_.is_list(cases) || cases.node->items.empty()) {
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
      one.go_to = target(go_to);
      kind.cases.push_back(std::move(one));
    }
    if (const At other = Reader::member(at, "default")) {
      kind.cases.push_back({{}, target(other)});
    }
    step.kind = std::move(kind);
  }

  void parallel(const At& at, Step& step) {
    static constexpr std::array<std::string_view, 3> kJoins{"all", "any", "majority"};
    static constexpr std::array<std::string_view, 2> kFailure{"cancel", "continue"};
    if (!std::holds_alternative<ParallelStep>(step.kind)) {
      return; // what its branches lack was said when they were read
    }
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
    if (!std::holds_alternative<ForEachStep>(step.kind)) {
      return;
    }
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
    if (kind.until && kind.until->constant()) {
      instant(Reader::member(at, "until"));
    }
    step.kind = std::move(kind);
  }

  void instant(const At& at) {
    const auto written = reader_.text(at);
    const auto parsed = written ? std::optional(parse_instant(*written)) : std::nullopt;
    if (parsed && !*parsed) {
      reader_.complain(at, parsed->error());
    }
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
