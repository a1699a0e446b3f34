#include "core/flow/event.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "core/value/utf8.h"

namespace skein::flow {
namespace {

bool comes_back(const Value& value) {
  switch (value.kind()) {
    case Kind::real:
      return !std::isnan(value.as_double());
    case Kind::string:
    case Kind::type:
      return valid_utf8(value.as_string());
    case Kind::list:
      return std::ranges::all_of(value.as_list(), comes_back);
    case Kind::map:
      return std::ranges::all_of(value.as_map(), [](const MapEntry& entry) {
        return comes_back(entry.first) && comes_back(entry.second);
      });
    case Kind::optional:
      return value.optional_value() == nullptr || comes_back(*value.optional_value());
    default:
      return true;
  }
}

Value mended(const Value& value);

// Keys that become the same are one: the first of them.
Value mended_map(const Value& map) {
  std::vector<MapEntry> entries;
  for (const auto& [key, item] : map.as_map()) {
    Value name = mended(key);
    const bool taken =
        std::ranges::any_of(entries, [&](const MapEntry& entry) { return entry.first == name; });
    if (!taken) {
      entries.emplace_back(std::move(name), mended(item));
    }
  }
  return Value::of_map(std::move(entries));
}

Value mended(const Value& value) {
  if (comes_back(value)) {
    return value;
  }
  switch (value.kind()) {
    case Kind::real:
      return Value(std::numeric_limits<double>::quiet_NaN());
    case Kind::string:
      return Value(clean_utf8(value.as_string()));
    case Kind::type:
      return Value::of_type(clean_utf8(value.as_string()));
    case Kind::list: {
      std::vector<Value> items;
      for (const Value& item : value.as_list()) {
        items.push_back(mended(item));
      }
      return Value::of_list(std::move(items));
    }
    case Kind::map:
      return mended_map(value);
    case Kind::optional:
      return Value::some(mended(*value.optional_value()));
    default:
      return value;
  }
}

void mend(Value& value) {
  if (!comes_back(value)) {
    value = mended(value);
  }
}

// Texts are written as they are, unlike values: an entry has to stay far below what is read back.
void mend(std::string& text) {
  constexpr std::size_t kLongest = 64u << 10;
  if (!valid_utf8(text)) {
    text = clean_utf8(text);
  }
  if (text.size() > kLongest) {
    text = clipped(text, kLongest);
  }
}

template <class... Parts>
void mend_all(Parts&... parts) {
  (mend(parts), ...);
}

// One for each event that carries anything from outside.
void mend_event(Created& e) { mend_all(e.definition, e.input, e.labels, e.parent); }
void mend_event(Forked& e) { mend_all(e.from, e.vars, e.input); }
void mend_event(Succeeded& e) { mend_all(e.output); }
void mend_event(Failed& e) {
  mend_all(e.failure.code, e.failure.message, e.failure.hint, e.failure.step);
}
void mend_event(Signalled& e) { mend_all(e.id, e.name, e.payload); }
void mend_event(Answered& e) { mend_all(e.by, e.comment); }
void mend_event(CancelAsked& e) { mend_all(e.by, e.reason); }
void mend_event(PauseAsked& e) { mend_all(e.by, e.reason); }
void mend_event(ResumeAsked& e) { mend_all(e.by); }
void mend_event(Settled& e) { mend_all(e.output, e.by); }
void mend_event(ChildEnded& e) {
  mend_all(e.output);
  if (e.failure) {
    mend_all(e.failure->code, e.failure->message, e.failure->hint, e.failure->step);
  }
}
template <class E>
void mend_event(E&) {} // Begun, FoundInDoubt, Expired, Proceeded

} // namespace

Event as_journaled(Event event) {
  std::visit([](auto& e) { mend_event(e); }, event);
  return event;
}

std::string_view sender_id(const Event& event) {
  const auto* signal = std::get_if<Signalled>(&event);
  return signal == nullptr ? std::string_view() : std::string_view(signal->id);
}

Instant at_of(const Event& event) {
  return std::visit([](const auto& e) { return e.at; }, event);
}

std::string_view kind_of(const Event& event) {
  static constexpr std::array<std::string_view, std::variant_size_v<Event>> kKinds{
      "run.created",       "run.forked",       "step.begun",      "step.succeeded",
      "step.failed",       "step.in_doubt",    "timer.expired",   "signal.received",
      "approval.answered", "run.cancel_asked", "run.pause_asked", "run.resume_asked",
      "step.settled",      "run.proceeded",    "child.ended"};
  return kKinds[event.index()];
}

} // namespace skein::flow
