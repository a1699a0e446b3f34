#include "core/flow/loading/fill.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "core/base/nearest.h"
#include "core/schema/schema.h"

namespace skein::flow::loading {
namespace {

bool is_public_code(std::string_view text) {
  return std::ranges::any_of(all_codes(),
                             [&](const CodeRow& row) { return to_string(row.code) == text; });
}

} // namespace

void Fill::spec(const At& spec) {
  Definition& definition = draft_.definition;
  definition.timeout = timeout(spec);
  if (const At input = Reader::member(spec, "input")) {
    static constexpr std::array<std::string_view, 1> kKeys{"schema"};
    if (const At schema = Reader::member(input, "schema"); reader_.map_of(input, kKeys) && schema) {
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

void Fill::input_schema(const At& at) {
  const Value document = at.node->to_value();
  if (const auto compiled = schema::Schema::compile(document); !compiled) {
    reader_.complain(at, compiled.error());
    return;
  }
  draft_.definition.input_schema = document;
}

void Fill::check_variables(const At& map) {
  for (const Node::Member& member : map.node->members) {
    if (!is_id(member.key)) {
      reader_.complain(Reader::member(map, member.key), Code::resource_value_invalid,
                       "\"" + member.key + "\" is no name of a variable", kIdHint);
    }
  }
}

void Fill::fill_step(Step& step) {
  static constexpr std::array<std::string_view, 3> kInDoubt{"ask", "retry", "fail"};
  const At& at = draft_.nodes[step.index];
  step.when = condition(at, "when", step);
  step.timeout = timeout(at);
  if (const At rules = Reader::member(at, "on_error")) {
    on_error(rules, step);
  }
  choice(at, "in_doubt", kInDoubt, step.in_doubt);
  const std::string& kind = draft_.kinds[step.index];
  if (!kind.empty()) {
    fill_kind(step, kind);
  }
  const At policy = Reader::member(at, "retry");
  if (!has_attempts(step.kind)) {
    static constexpr std::array<std::string_view, 4> kOfBoth{"with", "retry", "timeout",
                                                             "placement"};
    refuse_keys(at, kOfBoth, "goes with `tool` and `flow` only");
    refuse_keys(at, kOfTools, "goes with `tool` only");
  } else {
    step.retry = policy ? retry(policy) : default_retry_;
  }
  if (const At name = Reader::member(at, "name")) {
    (void)reader_.text(name);
  }
}

void Fill::refuse_keys(const At& step, std::span<const std::string_view> keys, const char* why) {
  for (const std::string_view key : keys) {
    if (const At extra = Reader::member(step, key)) {
      reader_.complain(extra, Code::resource_value_invalid, why);
    }
  }
}

void Fill::on_error(const At& rules, Step& step) {
  static constexpr std::array<std::string_view, 4> kKeys{"when", "goto", "continue", "output"};
  if (!reader_.is_list(rules)) {
    return;
  }
  for (std::size_t i = 0; i < rules.node->items.size(); ++i) {
    const At rule = Reader::item(rules, i);
    if (reader_.map_of(rule, kKeys)) {
      step.on_error.push_back(handler(rule, step));
    }
  }
}

ErrorHandler Fill::handler(const At& rule, const Step& step) {
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
    reader_.complain(rule, Code::resource_value_invalid, "needs either `goto` or `continue: true`");
  } else if (output && !handler.carry_on) {
    reader_.complain(output, Code::resource_value_invalid, "goes with `continue: true` only");
  }
  return handler;
}

RetryPolicy Fill::retry(const At& at) {
  static constexpr std::array<std::string_view, 6> kKeys{"max_attempts", "backoff", "initial",
                                                         "max",          "jitter",  "retry_on"};
  static constexpr std::array<std::string_view, 3> kBackoff{"exponential", "linear", "constant"};
  RetryPolicy policy;
  policy.max_attempts = 3;
  if (!reader_.map_of(at, kKeys)) {
    return policy;
  }
  integer(at, "max_attempts", 1'000, policy.max_attempts);
  choice(at, "backoff", kBackoff, policy.backoff);
  const auto initial = duration(at, "initial");
  const auto max = duration(at, "max");
  policy.initial = initial.value_or(policy.initial);
  policy.max = max.value_or(policy.max);
  if (initial && max && *initial > *max && !options_.lenient) {
    reader_.complain(Reader::member(at, "max"), Code::resource_value_invalid,
                     "is shorter than `initial`, which is " + to_string(*initial),
                     "`max` bounds every delay, the first too");
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

void Fill::retry_on(const At& at, RetryPolicy& policy) {
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

std::optional<Template> Fill::value(const At& map, std::string_view key, const Step& step) {
  const At at = Reader::member(map, key);
  return at ? names_.value(at, step) : std::nullopt;
}

std::optional<Program> Fill::condition(const At& map, std::string_view key, const Step& step) {
  const At at = Reader::member(map, key);
  return at ? names_.condition(at, step) : std::nullopt;
}

std::optional<Millis> Fill::duration(const At& map, std::string_view key) {
  const At at = Reader::member(map, key);
  return at ? reader_.duration(at) : std::nullopt;
}

// One that has passed before anything could happen is a mistake.
std::optional<Millis> Fill::timeout(const At& map) {
  const auto span = duration(map, "timeout");
  if (span && span->count == 0) {
    reader_.complain(Reader::member(map, "timeout"), Code::resource_value_invalid,
                     "must be longer than nothing", "leave it out where there is no limit");
    return std::nullopt;
  }
  return span;
}

void Fill::integer(const At& map, std::string_view key, std::int64_t most, std::uint32_t& into) {
  const At at = Reader::member(map, key);
  if (const auto number = at ? reader_.integer(at, 1, most) : std::nullopt) {
    into = static_cast<std::uint32_t>(*number);
  }
}

void fill(Reader& reader, const At& spec, const LoadOptions& options, Draft& draft) {
  Fill(reader, options, draft).spec(spec);
}

} // namespace skein::flow::loading
