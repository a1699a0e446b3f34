#include <utility>
#include <vector>

#include "core/trigger/machine.h"

namespace skein::trigger {
namespace {

Value of(std::uint64_t number) { return Value(static_cast<std::int64_t>(number)); }

Value of(const Identity& identity) {
  return Value::of_list({Value(identity.source), Value(identity.id)});
}

Value of(const Batch& batch) {
  return object({{"first", of(batch.first)},
                 {"rate_key", batch.rate_key},
                 {"events", Value::of_list(batch.events)},
                 {"count", of(batch.count)}});
}

Value of(const Rules& rules) {
  return object({{"quiet", rules.quiet.count},
                 {"within", rules.within.count},
                 {"size", std::int64_t{rules.size}},
                 {"keep_all", rules.keep_all},
                 {"limit", std::int64_t{rules.limit}},
                 {"per", rules.per.count},
                 {"delay", rules.delay}});
}

template <class Range, class Make>
Value list_of(const Range& range, Make make) {
  std::vector<Value> items;
  for (const auto& item : range) {
    items.push_back(make(item));
  }
  return Value::of_list(std::move(items));
}

/// Reads members that must be there; what is not there is noted and read as nothing.
class Reading {
 public:
  const Value& member(const Value& map, std::string_view key) {
    static const Value none;
    const Value* found = map.find(key);
    failed_ = failed_ || found == nullptr;
    return found != nullptr ? *found : none;
  }
  std::int64_t number(const Value& map, std::string_view key) {
    const Value& value = member(map, key);
    failed_ = failed_ || !value.is(Kind::integer);
    return value.is(Kind::integer) ? value.as_int() : 0;
  }
  std::string text(const Value& value) {
    failed_ = failed_ || !value.is(Kind::string);
    return value.is(Kind::string) ? std::string(value.as_string()) : std::string();
  }
  std::string text(const Value& map, std::string_view key) { return text(member(map, key)); }
  bool flag(const Value& map, std::string_view key) {
    const Value& value = member(map, key);
    failed_ = failed_ || !value.is(Kind::boolean);
    return value.is(Kind::boolean) && value.as_bool();
  }
  std::span<const Value> list(const Value& value) {
    failed_ = failed_ || !value.is(Kind::list);
    return value.is(Kind::list) ? value.as_list() : std::span<const Value>{};
  }
  std::span<const Value> list(const Value& map, std::string_view key) {
    return list(member(map, key));
  }
  Identity identity(const Value& value) {
    const auto parts = list(value);
    failed_ = failed_ || parts.size() != 2;
    return parts.size() == 2 ? Identity{text(parts[0]), text(parts[1])} : Identity{};
  }
  Batch batch(const Value& value) {
    const auto events = list(value, "events");
    return {identity(member(value, "first")),
            text(value, "rate_key"),
            {events.begin(), events.end()},
            static_cast<std::uint64_t>(number(value, "count"))};
  }
  Rules rules(const Value& value) {
    return {Millis{number(value, "quiet")},
            Millis{number(value, "within")},
            static_cast<std::uint32_t>(number(value, "size")),
            flag(value, "keep_all"),
            static_cast<std::uint32_t>(number(value, "limit")),
            Millis{number(value, "per")},
            flag(value, "delay")};
  }
  bool failed() const { return failed_; }

 private:
  bool failed_ = false;
};

void read_groups(Reading& in, const Value& value, State& state) {
  for (const Value& item : in.list(value, "groups")) {
    Group group{in.batch(in.member(item, "batch")), Instant{in.number(item, "opened")},
                Instant{in.number(item, "closes")},
                static_cast<std::uint64_t>(in.number(item, "number"))};
    std::string key = in.text(item, "key");
    state.closing.insert({group.closes, key});
    state.groups.emplace(std::move(key), std::move(group));
  }
}

void read_rates(Reading& in, const Value& value, State& state) {
  for (const Value& item : in.list(value, "begun")) {
    auto& starts = state.begun[in.text(item, "key")];
    for (const Value& at : in.list(item, "at")) {
      starts.push_back(Instant{at.is(Kind::integer) ? at.as_int() : 0});
    }
  }
  for (const Value& item : in.list(value, "delayed")) {
    state.delayed.emplace(std::pair{Instant{in.number(item, "at")},
                                    static_cast<std::uint64_t>(in.number(item, "number"))},
                          in.batch(in.member(item, "batch")));
  }
}

std::uint64_t weight_of(const State& state) {
  std::uint64_t weight = 0;
  const auto add = [&](const Batch& batch) {
    for (const Value& event : batch.events) {
      weight += event.weight();
    }
  };
  for (const auto& [key, group] : state.groups) {
    add(group.batch);
  }
  for (const auto& [at, batch] : state.delayed) {
    add(batch);
  }
  return weight;
}

} // namespace

Value to_value(const State& state) {
  return object(
      {{"rules", of(state.rules)},
       {"now", state.now.ms},
       {"opened", of(state.opened)},
       {"groups", list_of(state.groups,
                          [](const auto& entry) {
                            return object({{"key", entry.first},
                                           {"batch", of(entry.second.batch)},
                                           {"opened", entry.second.opened.ms},
                                           {"closes", entry.second.closes.ms},
                                           {"number", of(entry.second.number)}});
                          })},
       {"begun", list_of(state.begun,
                         [](const auto& entry) {
                           return object(
                               {{"key", entry.first}, {"at", list_of(entry.second, [](Instant at) {
                                                         return Value(at.ms);
                                                       })}});
                         })},
       {"delayed", list_of(state.delayed,
                           [](const auto& entry) {
                             return object({{"at", entry.first.first.ms},
                                            {"number", of(entry.first.second)},
                                            {"batch", of(entry.second)}});
                           })},
       {"recent", list_of(state.recent, [](const Identity& identity) { return of(identity); })}});
}

Result<State> state_from(const Value& value) {
  Reading in;
  State state;
  state.rules = in.rules(in.member(value, "rules"));
  state.now = Instant{in.number(value, "now")};
  state.opened = static_cast<std::uint64_t>(in.number(value, "opened"));
  read_groups(in, value, state);
  read_rates(in, value, state);
  for (const Value& item : in.list(value, "recent")) {
    state.recent.push_back(in.identity(item));
    state.known.insert(state.recent.back());
  }
  state.weight = weight_of(state);
  if (in.failed()) {
    return Error{Code::json_invalid, "this is no state of a trigger"};
  }
  return state;
}

} // namespace skein::trigger
