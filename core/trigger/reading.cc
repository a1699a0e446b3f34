#include "core/trigger/reading.h"

#include <array>
#include <string>

#include "core/value/json.h"

namespace skein::trigger {
namespace {

using expression::StaticType;
using flow::loading::Reader;

constexpr std::int64_t kMostCounted = 1'000;
constexpr Millis kLongest{24 * 3'600'000};

expression::Declarations names(bool several) {
  expression::Declarations names;
  names.add("event", static_cast<expression::Slot>(Slot::event));
  names.describe("event", std::make_shared<const expression::Shape>(event::shape_of_event()));
  if (several) {
    names.add("events", static_cast<expression::Slot>(Slot::events), StaticType::list);
  }
  return names;
}

std::string without_braces(std::string text) {
  return text.starts_with("${") && text.ends_with('}') ? text.substr(2, text.size() - 3) : text;
}

} // namespace

void Reading::rules(const At& at) {
  const At event_at = Reader::member(at, "event");
  const At schedule_at = Reader::member(at, "schedule");
  if (bool(event_at) == bool(schedule_at)) {
    reader_.complain(at, Code::resource_value_invalid, "needs exactly one of event, schedule");
    return;
  }
  const At debounce_at = Reader::member(at, "debounce");
  const At batch_at = Reader::member(at, "batch");
  const At rate_at = Reader::member(at, "rate");
  if (schedule_at) {
    for (const At& rule : {debounce_at, batch_at, rate_at}) {
      if (rule) {
        reader_.complain(rule, Code::resource_value_invalid, "goes with an event, not a schedule");
      }
    }
    schedule(schedule_at);
    return;
  }
  if (debounce_at && batch_at) {
    reader_.complain(batch_at, Code::resource_value_invalid, "does not go with debounce");
  }
  if (debounce_at) {
    debounce(debounce_at);
  }
  if (batch_at) {
    batch(batch_at);
  }
  if (rate_at) {
    rate(rate_at);
  }
  event(event_at);
}

void Reading::event(const At& at) {
  static constexpr std::array<std::string_view, 4> kKeys{"source", "type", "when", "input"};
  if (!reader_.map_of(at, kKeys)) {
    return;
  }
  EventFilter filter;
  filter.source = pattern(at, "source");
  const auto type = pattern(at, "type");
  if (!Reader::member(at, "type")) {
    reader_.complain(at, Code::resource_value_invalid, "needs a `type`",
                     "`type: \"*\"` takes events of every type");
  }
  filter.type = type.value_or(Pattern{});
  filter.when = condition(at, "when", StaticType::boolean);
  trigger_.event = std::move(filter);
  const bool several = trigger_.gather.keeps_all();
  input(at,
        several ? "${ events.map(e, has(e.data) ? e.data : null) }"
                : "${ has(event.data) ? event.data : null }",
        several);
}

void Reading::schedule(const At& at) {
  static constexpr std::array<std::string_view, 4> kKeys{"cron", "timezone", "missed", "input"};
  static constexpr std::array<std::string_view, 3> kMissed{"skip", "one", "all"};
  if (!reader_.map_of(at, kKeys)) {
    return;
  }
  const At cron = Reader::member(at, "cron");
  const At zone = Reader::member(at, "timezone");
  const At missed = Reader::member(at, "missed");
  const auto policy = missed ? reader_.choice(missed, kMissed) : std::nullopt;
  const auto cron_text = cron ? reader_.text(cron) : std::nullopt;
  const auto zone_text = zone ? reader_.text(zone) : std::optional<std::string>("");
  if (!cron) {
    reader_.complain(at, Code::resource_value_invalid, "needs a `cron` expression");
  }
  if (cron_text && zone_text) {
    const bool good_cron = schedule::Schedule::parse(*cron_text, "").ok();
    auto parsed = schedule::Schedule::parse(*cron_text, *zone_text,
                                            static_cast<schedule::Missed>(policy.value_or(0)));
    if (!parsed) {
      reader_.complain(good_cron ? zone : cron, parsed.error());
    } else {
      trigger_.schedule = std::move(*parsed);
    }
  }
  input(at, "", false);
}

void Reading::debounce(const At& at) {
  static constexpr std::array<std::string_view, 3> kKeys{"quiet", "max", "key"};
  if (!reader_.map_of(at, kKeys)) {
    return;
  }
  trigger_.gather.quiet = span(at, "quiet", true);
  trigger_.gather.within = span(at, "max", false);
  trigger_.gather.key = condition(at, "key", StaticType::dynamic);
  if (trigger_.gather.within.count == 0) {
    trigger_.gather.within = kLongest;
  } else if (trigger_.gather.within < trigger_.gather.quiet) {
    reader_.complain(Reader::member(at, "max"), Code::resource_value_invalid,
                     "must not be shorter than quiet");
  }
}

void Reading::batch(const At& at) {
  static constexpr std::array<std::string_view, 3> kKeys{"size", "within", "key"};
  if (!reader_.map_of(at, kKeys)) {
    return;
  }
  trigger_.gather.size = count(at, "size");
  trigger_.gather.within = span(at, "within", true);
  trigger_.gather.key = condition(at, "key", StaticType::dynamic);
}

void Reading::rate(const At& at) {
  static constexpr std::array<std::string_view, 4> kKeys{"limit", "per", "key", "on_excess"};
  static constexpr std::array<std::string_view, 2> kExcess{"drop", "delay"};
  if (!reader_.map_of(at, kKeys)) {
    return;
  }
  trigger_.rate.limit = count(at, "limit");
  trigger_.rate.per = span(at, "per", true);
  trigger_.rate.key = condition(at, "key", StaticType::dynamic);
  if (const At excess = Reader::member(at, "on_excess")) {
    trigger_.rate.delay = reader_.choice(excess, kExcess).value_or(0) == 1;
  }
}

void Reading::input(const At& map, std::string_view otherwise, bool several) {
  const At at = Reader::member(map, "input");
  const Value tree = at                  ? at.node->to_value()
                     : otherwise.empty() ? Value::of_map({})
                                         : Value(otherwise);
  auto compiled = Template::compile(tree, names(several));
  if (!compiled) {
    reader_.complain(at, compiled.error());
  } else {
    trigger_.input = std::move(*compiled);
  }
}

std::optional<Pattern> Reading::pattern(const At& map, std::string_view key) {
  const At at = Reader::member(map, key);
  auto text = at ? reader_.text(at) : std::nullopt;
  if (!text) {
    return std::nullopt;
  }
  const auto star = text->find('*');
  if (text->empty() || (star != std::string::npos && star + 1 != text->size())) {
    reader_.complain(at, Code::resource_value_invalid,
                     "must be a text, with a * at its end where it is only the beginning");
    return std::nullopt;
  }
  return star == std::string::npos ? Pattern{*text, false} : Pattern{text->substr(0, star), true};
}

std::optional<Program> Reading::condition(const At& map, std::string_view key, StaticType result) {
  const At at = Reader::member(map, key);
  if (!at) {
    return std::nullopt;
  }
  if (at.node->shape != Node::Shape::scalar || at.node->scalar.is_null()) {
    reader_.complain(at, Code::resource_value_invalid, "must be an expression");
    return std::nullopt;
  }
  const Value& scalar = at.node->scalar;
  const std::string text =
      scalar.is(Kind::string) ? std::string(scalar.as_string()) : to_json(scalar);
  expression::Options options;
  options.result = result;
  auto program = Program::compile(without_braces(text), names(false), options);
  if (!program) {
    reader_.complain(at, program.error());
    return std::nullopt;
  }
  return std::move(*program);
}

Millis Reading::span(const At& map, std::string_view key, bool needed) {
  const At at = Reader::member(map, key);
  if (!at) {
    if (needed) {
      reader_.complain(map, Code::resource_value_invalid, "needs `" + std::string(key) + "`");
    }
    return {};
  }
  const Millis span = reader_.duration(at).value_or(Millis{1});
  if (span.count <= 0 || span > kLongest) {
    reader_.complain(at, Code::resource_value_invalid, "must be more than 0s and at most 24h");
  }
  return span;
}

std::uint32_t Reading::count(const At& map, std::string_view key) {
  const At at = Reader::member(map, key);
  if (!at) {
    reader_.complain(map, Code::resource_value_invalid, "needs `" + std::string(key) + "`");
    return 0;
  }
  return static_cast<std::uint32_t>(reader_.integer(at, 1, kMostCounted).value_or(0));
}

} // namespace skein::trigger
